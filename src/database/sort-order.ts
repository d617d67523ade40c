import { z } from 'zod';
import type { Question } from './questions.ts';
import type { Rows } from './script.ts';

/**
 * One line of SQL whose answer is a digest of how a collation sorts some 6,000 strings: every character below
 * U+0500 by itself, within and around letters and digits, and words that locales treat differently. Where two
 * servers give different digests, an index made by one of them misleads the other: rows are not found, and
 * duplicate keys are accepted. Tried with locales whose rules were changed: 949 of 3300 rows were found.
 * Decision: docs/decisions/0017-sort-order.md
 * @param collation as SQL names it, quoted
 */
export function sortOrderSql(collation = 'pg_catalog."default"'): string {
  const isUnicode = "current_setting('server_encoding') = 'UTF8'";
  const words =
    "'1-1','11','1 1','1.1','a-a','a a','a+a','aa','AA','Aa','a''a','$a','co-op','coop','CO-OP','resume','Resume','strasse','z','ss','i','I'";
  const foreign = ['r\u00e9sum\u00e9', 'stra\u00dfe', '\u00e4', '\u00c4', '\u00e5', '\u00df', '\u0131', '\u0130']
    .map((word) => `'${Array.from(word, (character) => String(character.codePointAt(0))).join(' ')}'`)
    .join(',');
  const rare = '8208,8211,8217,8220,8230,8364,8482,8722,12354,12450,20013,44032,65281,119808,128512,131072';
  return [
    'WITH c AS (',
    'SELECT chr(i) AS ch FROM generate_series(33, 126) i',
    `UNION SELECT chr(i) FROM generate_series(161, 1279) i WHERE ${isUnicode}`,
    `UNION SELECT chr(i) FROM unnest(ARRAY[${rare}]) i WHERE ${isUnicode}),`,
    "s AS (SELECT ch AS v FROM c UNION ALL SELECT 'a' || ch || 'b' FROM c UNION ALL SELECT ch || 'a' FROM c",
    "UNION ALL SELECT '1' || ch || '1' FROM c UNION ALL SELECT 'A' || ch FROM c",
    `UNION ALL SELECT w FROM unnest(ARRAY[${words}]) w`,
    // By their codes, so that the statement can be read in every encoding; chr() of a constant would be computed in all of them.
    `UNION ALL SELECT (SELECT string_agg(chr(code::int), '' ORDER BY o) FROM unnest(string_to_array(w, ' ')) WITH ORDINALITY AS u (code, o))`,
    `FROM unnest(ARRAY[${foreign}]) w WHERE ${isUnicode})`,
    `SELECT md5(string_agg(v, chr(1) ORDER BY v COLLATE ${collation}, v COLLATE pg_catalog."C")) AS digest FROM s`,
  ].join(' ');
}

/**
 * The collations by which something of the database is sorted on disk, but C and POSIX, which never change. Those with the same `key` sort alike, in
 * whichever database they are.
 */
const used = `
SELECT *, md5(concat_ws(' ', current_setting('server_encoding'), provider, "collate", ctype)) AS key FROM (
  SELECT c.collname AS "collation", n.nspname AS schema, CASE c.collprovider WHEN 'i' THEN 'icu' ELSE 'libc' END AS provider,
    CASE WHEN c.oid = 100 THEN d.datcollate ELSE c.collcollate END AS "collate",
    CASE WHEN c.oid = 100 THEN d.datctype ELSE c.collctype END AS ctype,
    indexes, bytes
  FROM (SELECT key, count(*) AS indexes, sum(relpages)::bigint * current_setting('block_size')::bigint AS bytes
      FROM (SELECT indexrelid, unnest(indcollation::oid[]) AS key FROM pg_index WHERE indexrelid >= 16384 AND 0 <> ANY (indcollation::oid[])) keys
        JOIN pg_class ON oid = indexrelid
      WHERE key <> 0 GROUP BY key) grouped
    JOIN pg_collation c ON c.oid = grouped.key
    JOIN pg_namespace n ON n.oid = c.collnamespace
    JOIN pg_database d ON d.datname = current_database()) used
WHERE "collate" NOT IN ('C', 'POSIX')`;

const usedRecords = `json_to_recordset(:'used') AS used("collation" text, schema text, provider text, "collate" text, ctype text, indexes bigint, bytes bigint, key text)`;

/**
 * Answers a row for each of these collations, and the digests to their keys. A digest takes longer than all the rest, so that a session which goes through
 * many databases keeps the keys that it has in the variable `computed` of psql, and computes only those that are missing from it.
 */
export const sortOrdersQuestion: Question = {
  id: 'sort-orders',
  statements: [
    `SELECT coalesce(json_agg(used), '[]') AS used FROM (${used}) used
\\gset
\\if :{?computed}
\\else
\\set computed {}
\\endif`,
    `SELECT DISTINCT ON (key) format('SELECT json_build_object(''key'', %L, ''digest'', (%s))', key, replace($sql$${sortOrderSql('"$collation$"')}$sql$, '"$collation$"', format('%I.%I', schema, "collation")))
FROM ${usedRecords} WHERE key <> ALL (:'computed'::text[]) ORDER BY key
\\gexec`,
    `SELECT :'computed'::text[] || (SELECT coalesce(array_agg(key), '{}') FROM ${usedRecords}) AS computed
\\gset`,
    `SELECT json_build_object('collation', "collation", 'provider', provider, 'collate', "collate", 'ctype', ctype, 'indexes', indexes, 'bytes', bytes, 'key', key)
FROM ${usedRecords} ORDER BY "collation";`,
  ],
};

const digestRow = z.object({ key: z.string(), digest: z.string() });

const sortOrder = z.object({
  /** Name of the collation; `default` is the database's own. */
  collation: z.string(),
  provider: z.enum(['libc', 'icu']),
  collate: z.string(),
  ctype: z.string(),
  /** Indexes with a column in it. */
  indexes: z.number(),
  /** Their size when it was last looked at, by VACUUM or when they were made: to ask for the size now opens each of them. */
  bytes: z.number(),
  digest: z.string(),
});

export type SortOrder = z.infer<typeof sortOrder>;

/** How each database sorts what it has indexes on; a database without such indexes has none. */
export type SortOrders = Readonly<Record<string, readonly SortOrder[]>>;

const sortOrders = z.record(z.string(), z.array(sortOrder));

/**
 * What the databases answered to `sortOrdersQuestion`, among other rows.
 * @throws ZodError for a collation without its digest
 */
export function sortOrdersOf(rows: Rows): SortOrders {
  const answers = [...rows].map(([database, of]) => [database, of.filter(isSortOrder)] as const);
  const digests = new Map(
    answers.flatMap(([, of]) => of.map((row) => digestRow.safeParse(row).data)).map((row) => [row?.key, row?.digest]),
  );
  const withDigest = (row: Record<string, unknown>) => ({ ...row, digest: digests.get(String(row['key'])) });
  return sortOrders.parse(
    Object.fromEntries(
      answers.map(([database, of]) => [database, of.filter((row) => 'collation' in row).map(withDigest)]),
    ),
  );
}

export function isSortOrder(row: unknown): row is Record<string, unknown> {
  return typeof row === 'object' && row !== null && 'key' in row;
}

/** The collations of each database that sort in another way by now; no database without one. */
export function changedOrders(before: SortOrders, after: SortOrders): Record<string, string[]> {
  const changed = Object.entries(before).map(([database, orders]) => {
    const now = after[database] ?? [];
    const names = orders.filter((o) => now.find((n) => n.collation === o.collation)?.digest !== o.digest);
    return [database, names.map(({ collation }) => collation)] as const;
  });
  return Object.fromEntries(changed.filter(([, names]) => names.length > 0));
}

/** Rebuilds every index of a database with a column in one of these collations. Each is announced as a row. */
export function reindexSql(collations: readonly string[]): string {
  const names = collations.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ');
  return `
SELECT format('REINDEX INDEX %I.%I', n.nspname, c.relname), format('SELECT json_build_object(''reindexed'', %L)', n.nspname || '.' || c.relname)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'i' AND i.indexrelid >= 16384
  AND EXISTS (SELECT 1 FROM unnest(i.indcollation::oid[]) used JOIN pg_catalog.pg_collation co ON co.oid = used WHERE co.collname IN (${names}))
ORDER BY 1
\\gexec`;
}
