import { allNamed } from '../common/parallel.ts';
import { compareFiles, comparePages, filesIn } from './compare-files.ts';
import { compareFingerprints } from './compare-fingerprints.ts';
import type { Database } from './database.ts';
import { outdatedQuestion } from './extension-updates.ts';
import type { Fingerprint } from './fingerprint.ts';
import { measure, measurementLimit, type Measurement } from './measurement.ts';
import { listFiles, readPages } from './relation-files.ts';
import { listedBy, listedIn, readDatabaseNames } from './server.ts';

/** PostgreSQL 14 in its pod. */
interface Upgraded {
  readonly database: Database;
  /** Where the data directory is in its container. */
  readonly dataDirectory: string;
  /** How many to open at a time. */
  readonly sessions: number;
}

/** What the comparison found. */
export interface Comparison {
  /** What was measured now; the answers say which extensions are outdated. */
  readonly after: Measurement;
  /** A line each; none where the data is as measured before. */
  readonly differences: readonly string[];
  /** What was compared of the files; a sentence without its full stop. */
  readonly files: string;
  /** What could not be compared as exactly as elsewhere; sentences. */
  readonly warnings: readonly string[];
}

/**
 * Compares the data of PostgreSQL 14 with what was measured on PostgreSQL 12: rows, sizes and sequences, and the files of each table with those of PostgreSQL 12
 * beside it.
 * Decision: docs/decisions/0030-comparison.md
 * @throws ClusterError with psql's own message
 */
export async function compareData(
  { database, dataDirectory, sessions }: Upgraded,
  before: Fingerprint,
): Promise<Comparison> {
  const { after, listed } = await allNamed({
    after: () => measureAgain(database, sessions, before),
    listed: () => listFiles(database, dataDirectory, measurementLimit),
  });
  const { fingerprint } = after;
  const differences = compareFingerprints(before, fingerprint);
  const tables = `${String(filesIn(before))} tables and materialized views`;
  if (Object.values(before.databases).some(({ files }) => files === undefined)) {
    const files = 'The measurement before the upgrade has no files, so that only rows and sizes were compared';
    return { after, differences, files, warnings: [] };
  }
  if (listed.files !== undefined) {
    const files = `${tables} have the same files as before, by their inodes`;
    const all = [...differences, ...compareFiles(before, fingerprint, listed.files)];
    return { after, differences: all, files, warnings: [] };
  }
  const warnings = listed.isLink
    ? [
        'The image of PostgreSQL 14 has no find that prints inodes. So the action compared the files of the tables by size, and by the first and last page of each GiB.',
      ]
    : [];
  const pages = await readPages(database, dataDirectory, { before, after: fingerprint }, measurementLimit);
  const files = `${tables} have files of the same size as before, with the same first and last page of each GiB`;
  return { after, differences: [...differences, ...comparePages(before, fingerprint, pages)], files, warnings };
}

/**
 * In the databases that were there before. Those that are there now are the same ones, or all of them are measured. The sessions also tell which extensions are outdated.
 */
async function measureAgain(database: Database, sessions: number, before: Fingerprint): Promise<Measurement> {
  const expected = Object.keys(before.databases);
  const databases = expected.map((name) => ({ name, allowsConnections: true }));
  const [first = 'template1'] = expected;
  const questions = [listedBy(first), outdatedQuestion];
  const [measured] = await Promise.allSettled([
    measure(database, sessions, measurementLimit, { before, databases, questions }),
  ]);
  const told = measured.status === 'fulfilled' ? listedIn(measured.value.answers) : [];
  const listed = told.length > 0 ? told : await readDatabaseNames(database);
  const open = listed.filter((d) => d.allowsConnections).map(({ name }) => name);
  if (open.length !== expected.length || open.some((name) => !expected.includes(name)))
    return await measure(database, sessions, measurementLimit, { before, databases: listed, questions });
  if (measured.status === 'rejected') throw measured.reason;
  return measured.value;
}
