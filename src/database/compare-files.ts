// Whether each relation has the files that it had: what pg_upgrade carried over, and under which name.
// Decision: docs/decisions/0030-comparison.md
import type { Fingerprint } from './fingerprint.ts';
import type { BothDirectories, FoundFile, FoundPage, FoundPages } from './relation-files.ts';

/** Which file of PostgreSQL 12 must be which file of PostgreSQL 14, each without a segment's number. */
interface Pair {
  readonly old: string;
  readonly now: string;
}

/**
 * By inodes: with --link a file of PostgreSQL 14 is the one of PostgreSQL 12. So are the free space map and the visibility map where pg_upgrade transfers them:
 * where PostgreSQL 12 has them, and not empty (relfilenode.c). The init fork of an unlogged table is a new file, and only has to be there.
 * @returns what differs, a line each
 */
export function compareFiles(before: Fingerprint, after: Fingerprint, files: BothDirectories<FoundFile>): string[] {
  const old = new Set([...files.kept.values()].map(({ inode }) => inode));
  return compareEach(before, after, (pair) =>
    [
      ...['', '_fsm', '_vm'].map((fork) => differenceOfFork(pair, fork, files, old)),
      files.kept.has(`${pair.old}_init`) === files.now.has(`${pair.now}_init`) ? undefined : 'another init fork',
    ].find((difference) => difference !== undefined),
  );
}

function differenceOfFork(
  pair: Pair,
  fork: string,
  { kept, now }: BothDirectories<FoundFile>,
  inodes: ReadonlySet<string>,
): string | undefined {
  for (let number = 0; ; number++) {
    const suffix = `${fork}${number === 0 ? '' : `.${String(number)}`}`;
    const [old, found] = [kept.get(pair.old + suffix), now.get(pair.now + suffix)];
    const isFirst = suffix === '';
    if (isFirst && old === undefined) return `no file ${pair.old} of PostgreSQL 12`;
    if (old === undefined || (old.bytes === 0 && !isFirst)) {
      // Not transferred. PostgreSQL 14 may have made a map of its own since, and never more of the table.
      const isNew = found === undefined || found.bytes === 0 || (fork !== '' && !inodes.has(found.inode));
      return isNew || found.inode === old?.inode ? undefined : `a file ${pair.now}${suffix} that is not its own`;
    }
    if (found === undefined) return `no file ${pair.now}${suffix}, which was ${pair.old}${suffix}`;
    if (found.inode !== old.inode) return `another file ${pair.now}${suffix}, which was ${pair.old}${suffix}`;
  }
}

/**
 * By size, and by the first and last page of each segment: with --clone and --copy the files are others. PostgreSQL 14 has started, and may have changed a page
 * since: then that page is younger than all that PostgreSQL 12 wrote. Pages of unlogged tables have no such age, and are not compared.
 * @returns what differs, a line each
 */
export function comparePages(before: Fingerprint, after: Fingerprint, files: BothDirectories<FoundPages>): string[] {
  const lsns = [...files.kept.values()].flatMap(({ first, last }) => [first?.lsn ?? 0n, last?.lsn ?? 0n]);
  const youngest = lsns.reduce((a, b) => (a > b ? a : b), 0n);
  return compareEach(before, after, (pair) => differenceOfPages(pair, files, youngest));
}

function differenceOfPages(
  pair: Pair,
  { kept, now }: BothDirectories<FoundPages>,
  youngest: bigint,
): string | undefined {
  let [bytesBefore, bytesNow] = [0, 0];
  for (let number = 0; ; number++) {
    const suffix = number === 0 ? '' : `.${String(number)}`;
    const [old, found] = [kept.get(pair.old + suffix), now.get(pair.now + suffix)];
    if (number === 0 && typeof old?.bytes !== 'number') return `no file ${pair.old} of PostgreSQL 12`;
    if (number === 0 && typeof found?.bytes !== 'number') return `no file ${pair.now}, which was ${pair.old}`;
    if (old === undefined && found === undefined) break;
    if (old !== undefined && found !== undefined && old.isUnlogged !== found.isUnlogged) return 'another init fork';
    bytesBefore += old?.bytes ?? 0;
    bytesNow += found?.bytes ?? 0;
    const isSame =
      old === undefined ||
      found === undefined ||
      old.isUnlogged ||
      (isSamePage(old.first, found.first, youngest) &&
        (old.bytes !== found.bytes || isSamePage(old.last, found.last, youngest)));
    if (!isSame) return `other pages in ${pair.now}${suffix} than in ${pair.old}${suffix}`;
  }
  const isCut = bytesNow <= bytesBefore && bytesNow >= bytesBefore - bytesBefore / 8;
  return isCut ? undefined : `${String(bytesNow)} bytes in ${pair.now}, and ${String(bytesBefore)} in ${pair.old}`;
}

function isSamePage(old: FoundPage | null, found: FoundPage | null, youngest: bigint): boolean {
  if (old === null || found === null) return old === found || found === null;
  return found.lsn > youngest || (found.lsn === old.lsn && found.digest === old.digest);
}

/** A table that one of the measurements lacks is told by the comparison of these. */
function compareEach(
  before: Fingerprint,
  after: Fingerprint,
  differenceOf: (pair: Pair) => string | undefined,
): string[] {
  return Object.entries(before.databases).flatMap(([name, { files = {} }]) => {
    const filesNow = after.databases[name]?.files ?? {};
    return Object.entries(files).flatMap(([relation, path]) => {
      const [old, now] = [path.split(' '), filesNow[relation]?.split(' ')];
      if (now === undefined) return [];
      if (old.length !== now.length) return [`${name}: ${relation}: another TOAST table after`];
      const differences = old.flatMap((file, index) => {
        const difference = differenceOf({ old: file, now: now[index] ?? '' });
        return difference === undefined ? [] : [`${index === 0 ? '' : 'TOAST table: '}${difference}`];
      });
      return differences.map((difference) => `${name}: ${relation}: ${difference}`);
    });
  });
}

/** How many tables and materialized views have files in the measurement. */
export function filesIn({ databases }: Fingerprint): number {
  return Object.values(databases).reduce((sum, { files = {} }) => sum + Object.keys(files).length, 0);
}
