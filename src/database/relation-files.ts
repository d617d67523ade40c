// Which files PostgreSQL 14 has for its relations, beside those that PostgreSQL 12 had: after pg_upgrade both data directories are on the volume.
// Decision: docs/decisions/0030-comparison.md
import { z } from 'zod';
import { upgrade } from '../common/versions.ts';
import type { Database } from './database.ts';
import type { Fingerprint } from './fingerprint.ts';
import { quoted } from './obstacles.ts';
import { jsonLines } from './script.ts';

/** A file by what makes it this one: device and inode. */
export interface FoundFile {
  readonly inode: string;
  readonly bytes: number;
}

/** A file by its size and by its first and last page; `bytes` is null where there is no file. */
export interface FoundPages {
  readonly bytes: number | null;
  /** Its relation has an init fork. */
  readonly isUnlogged: boolean;
  readonly first: FoundPage | null;
  readonly last: FoundPage | null;
}

/** Where in the WAL the page was changed last, and a digest of what no reader of the page changes. */
export interface FoundPage {
  readonly lsn: bigint;
  readonly digest: string;
}

/** Of both data directories, by the path in each. */
export interface BothDirectories<T> {
  readonly kept: ReadonlyMap<string, T>;
  readonly now: ReadonlyMap<string, T>;
}

/** Where the Job puts the data directory of PostgreSQL 12. */
export function keptDirectory(dataDirectory: string): string {
  return `${dataDirectory}-${String(upgrade.from)}.preupgrade`;
}

/** Files of relations of users have numbers from 16384 on; 2613 is pg_largeobject. Nothing is listed but with --link, since other files have other inodes. */
const listing = `
data=$1 kept=$2
transfer=$(sed -n 's/^transfer=//p' "$data/.postgresql-upgrade" | head -n 1)
echo "transfer $transfer"
[ "$transfer" = link ] || exit 0
list() {
  cd "$1" || return
  version=$2
  set -- base
  for directory in pg_tblspc/*/PG_"$version"_*; do [ -d "$directory" ] && set -- "$@" "$directory"; done
  find "$@" -type f \\( -name '[1-9][0-9][0-9][0-9][0-9]*' -o -name 2613 -o -name '2613[._]*' \\) -printf "$version %D:%i %s %p\\n"
}
list "$kept" ${String(upgrade.from)}
list "$data" ${String(upgrade.to)}
echo end
`;

/**
 * Lists the files, in the pod of PostgreSQL 14.
 * @returns no files where the transfer was another one than link, or the image's find can't print inodes
 */
export async function listFiles(
  database: Database,
  dataDirectory: string,
  limit: number,
): Promise<{ readonly isLink: boolean; readonly files?: BothDirectories<FoundFile> }> {
  const command = ['sh', '-c', listing, 'sh', dataDirectory, keptDirectory(dataDirectory)];
  const { stdout } = await database.look(command, limit);
  const lines = stdout.trimEnd().split('\n');
  const isLink = lines[0] === 'transfer link';
  const of = (version: number) => new Map(lines.flatMap((line) => foundFile(line, String(version))));
  const files = { kept: of(upgrade.from), now: of(upgrade.to) };
  const isWhole = lines.at(-1) === 'end' && files.kept.size > 0 && files.now.size > 0;
  return { isLink, ...(isLink && isWhole ? { files } : {}) };
}

function foundFile(line: string, version: string): [string, FoundFile][] {
  const [, of, inode = '', bytes = '', path = ''] = /^(\d+) (\d+:\d+) (\d+) ([\w/]+(?:\.\d+)?)$/.exec(line) ?? [];
  return of === version ? [[path, { inode, bytes: Number(bytes) }]] : [];
}

/** A segment that is full has one behind it (RELSEG_SIZE). */
const segmentBytes = 1024 ** 3;
const pageBytes = 8192;

/**
 * LSN, and a digest of pd_lower, pd_upper, pd_special and the line pointers: to read a page may set hint bits in its rows, and changes nothing of that
 * (bufpage.h). What prunes it writes WAL.
 */
const pageFacts = (
  bytes: string,
) => `CASE WHEN length(${bytes}) = ${String(pageBytes)} THEN json_build_array(encode(substr(${bytes}, 1, 8), 'hex'),
    md5(substr(${bytes}, 13, 6) || substr(${bytes}, 25, greatest(get_byte(${bytes}, 12) + 256 * get_byte(${bytes}, 13) - 24, 0)))) END`;

const pagesSql = (directories: readonly (readonly [string, string, readonly string[]])[]) => `
WITH RECURSIVE wanted AS (
  SELECT side, directory, path FROM (VALUES ${directories
    .map(([side, directory, paths]) => `('${side}', ${quoted(directory)}, ${quoted(JSON.stringify(paths))}::json)`)
    .join(', ')}) AS directories(side, directory, paths), json_array_elements_text(paths) AS path
), segments AS (
  SELECT side, directory, path AS relation, 0 AS number, path, (pg_stat_file(directory || '/' || path, true)).size FROM wanted
  UNION ALL
  SELECT side, directory, relation, number + 1, next, (pg_stat_file(directory || '/' || next, true)).size
  FROM (SELECT *, relation || '.' || number + 1 AS next FROM segments WHERE size = ${String(segmentBytes)}) AS full_ones
)
SELECT json_build_array(side, path, size, (pg_stat_file(directory || '/' || relation || '_init', true)).size IS NOT NULL, ${pageFacts('first')}, ${pageFacts('last')})
FROM (SELECT *, pg_read_binary_file(directory || '/' || path, 0, ${String(pageBytes)}, true) AS first,
    pg_read_binary_file(directory || '/' || path, greatest(size - ${String(pageBytes)}, 0), ${String(pageBytes)}, true) AS last FROM segments OFFSET 0) AS read;`;

const page = z
  .tuple([z.string().regex(/^[0-9a-f]{16}$/), z.string()])
  .transform(([lsn, digest]): FoundPage => ({ lsn: lsnOf(lsn), digest }));
const pages = z.tuple([
  z.enum(['kept', 'now']),
  z.string(),
  z.number().nullable(),
  z.boolean(),
  page.nullable(),
  page.nullable(),
]);

/** Two numbers of four bytes, the lower byte first. */
function lsnOf(hex: string): bigint {
  const bytes = hex.match(/../g) ?? [];
  return BigInt(`0x${[...bytes.slice(0, 4).reverse(), ...bytes.slice(4).reverse()].join('')}`);
}

/** Reads the first and last page of each segment of the tables that both measurements have, with PostgreSQL 14. */
export async function readPages(
  database: Database,
  dataDirectory: string,
  { before, after }: { readonly before: Fingerprint; readonly after: Fingerprint },
  limit: number,
): Promise<BothDirectories<FoundPages>> {
  const sql = pagesSql([
    ['kept', keptDirectory(dataDirectory), pathsOf(before)],
    ['now', dataDirectory, pathsOf(after)],
  ]);
  const found = z.array(pages).parse(jsonLines(await database.read('template1', sql, limit)));
  const of = (side: 'kept' | 'now') =>
    new Map(
      found
        .filter(([where]) => where === side)
        .map(([, path, bytes, isUnlogged, first, last]) => [path, { bytes, isUnlogged, first, last }]),
    );
  return { kept: of('kept'), now: of('now') };
}

function pathsOf({ databases }: Fingerprint): string[] {
  return Object.values(databases).flatMap(({ files = {} }) =>
    Object.values(files).flatMap((paths) => paths.split(' ')),
  );
}
