import { compareFiles, comparePages, filesIn } from '../../database/compare-files.ts';
import { compareFingerprints, fingerprintSize } from '../../database/compare-fingerprints.ts';
import type { Fingerprint } from '../../database/fingerprint.ts';
import { measure, type Measurement } from '../../database/measurement.ts';
import { listFiles, readPages } from '../../database/relation-files.ts';
import { readBackgroundWorkers, type BackgroundWorker } from '../../database/clients.ts';
import { listedBy, listedIn, readDatabaseNames } from '../../database/server.ts';
import { outdatedIn, outdatedQuestion } from '../../database/extension-updates.ts';
import { UpgradeError } from '../../common/errors.ts';
import { known } from '../../common/known.ts';
import { allNamed } from '../../common/parallel.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import { measurementLimit, measuring, workersText } from './quiesce.ts';
import { rebuildIndexes } from './rebuild-indexes.ts';
import type { Context, Step } from '../contract/step.ts';

/** Compares the data of the new server with the measurement, and rebuilds indexes on text that sorts differently now. */
export const verify: Step = {
  id: 'verify',
  title: 'Compare the data with the measurement before the upgrade',

  plan: () => [
    {
      does: 'run',
      what: 'Measure again and compare. Compare the files of each table with those of PostgreSQL 12. REINDEX what sorts differently now.',
    },
  ],

  async run(context) {
    const { journal, results, log } = context;
    const before = measuredBefore(context);
    const { after, differences, files } = await withHeartbeat(
      measuring(context, 'verify', 'measuring the data of PostgreSQL 14'),
      () => compareWith(context, before),
    );
    if (differences.length === 0) {
      results.comparison = `The data is as measured before the upgrade: ${fingerprintSize(after.fingerprint)}. ${files}`;
      log.info(results.comparison);
    } else if (journal.noted.letIn === undefined) throw dataDiffers(differences, await workersOf(context));
    else
      results.warnings.push(
        `The data differs from the measurement before the upgrade: ${shortened(differences)}. The action can't tell why, since somebody else had started ${journal.noted.letIn}`,
      );
    results.outdated = outdatedIn(after.answers);
    await rebuildIndexes(context, journal.noted.sortOrders ?? {}, after.sortOrders);
    await journal.noteAll({ validated: true, statistics: journal.noted.statistics ?? 'pending' });
    results.validated = true;
  },
};

/** What the comparison found, and in words what it says of the files. */
interface Compared {
  readonly after: Measurement;
  readonly differences: readonly string[];
  readonly files: string;
}

async function compareWith({ database, target, settings, results }: Context, before: Fingerprint): Promise<Compared> {
  const { dataDirectory } = target;
  const { after, listed } = await allNamed({
    after: () => measureAgain(database, settings.jobs, before),
    listed: () => listFiles(database, dataDirectory, measurementLimit),
  });
  const { fingerprint } = after;
  const differences = compareFingerprints(before, fingerprint);
  const tables = `${String(filesIn(before))} tables and materialized views`;
  if (Object.values(before.databases).some(({ files }) => files === undefined)) {
    const files = 'The measurement before the upgrade has no files, so that only rows and sizes were compared';
    return { after, differences, files };
  }
  if (listed.files !== undefined) {
    const files = `${tables} have the same files as before, by their inodes`;
    return { after, differences: [...differences, ...compareFiles(before, fingerprint, listed.files)], files };
  }
  if (listed.isLink)
    results.warnings.push(
      'The image of PostgreSQL 14 has no find that prints inodes. So the action compared the files of the tables by size, and by the first and last page of each GiB.',
    );
  const pages = await readPages(database, dataDirectory, { before, after: fingerprint }, measurementLimit);
  const files = `${tables} have files of the same size as before, with the same first and last page of each GiB`;
  return { after, differences: [...differences, ...comparePages(before, fingerprint, pages)], files };
}

/**
 * In the databases that were there before. Those that are there now are the same ones, or all of them are measured. The sessions also tell which extensions are outdated.
 */
async function measureAgain(
  database: Context['database'],
  sessions: number,
  before: Fingerprint,
): Promise<Measurement> {
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

function dataDiffers(differences: readonly string[], workers: readonly BackgroundWorker[]): UpgradeError {
  return new UpgradeError(
    'data-differs',
    `The data differs from the measurement before the upgrade: ${shortened(differences)}.`,
    `Find out why before you run again. ${usualCause(differences, workers)}`,
  );
}

/** A worker with a database of its own mostly writes there; a scheduler such as pg_cron also has sessions in other ones. */
function usualCause(differences: readonly string[], workers: readonly BackgroundWorker[]): string {
  const client = 'The usual cause is a client that writes while the applications are stopped.';
  if (workers.length === 0) return client;
  const isTheirs = (difference: string) =>
    workers.some(({ database }) => database === '' || difference.startsWith(`${database}: `));
  const others = differences.filter((difference) => !isTheirs(difference));
  return others.length === 0
    ? `Background workers run where it differs: ${workersText(workers)}. They write without a client. Pause them until the upgrade is done: see the check background-workers.`
    : `${client} Background workers run too, in other databases: ${workersText(workers)}. A scheduler such as pg_cron also writes where it differs: pause it, see the check background-workers.`;
}

/** Those of PostgreSQL 12, where this run has seen them, and those of PostgreSQL 14. */
async function workersOf({ database, results }: Context): Promise<readonly BackgroundWorker[]> {
  const now = await known(() => readBackgroundWorkers(database));
  const all = [...(results.workers ?? []), ...(now.known ? now.value : [])];
  return [...new Map(all.map((one) => [`${one.worker} ${one.database}`, one])).values()];
}

function shortened(differences: readonly string[]): string {
  const more = differences.length - 10;
  return `${differences.slice(0, 10).join('; ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

function measuredBefore({ journal, results }: Context): Fingerprint {
  const before = results.before ?? journal.noted.measured;
  if (before !== undefined) return before;
  throw new UpgradeError(
    'not-measured',
    'The journal does not have the measurement before the upgrade, so this run can not compare the data.',
    'Run the upgrade again: it measures again.',
  );
}
