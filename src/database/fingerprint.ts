import { z } from 'zod';
import type { Rows } from './script.ts';
import { countedWithCode, unprivilegedCode } from './unprivileged-code.ts';

/** Tables above this size are compared by their size in bytes (the files are the same ones), nearly all others by an exact count of rows. */
export const countedBytes = 1024 ** 3;

/** Values as text: a sequence may count further than a JavaScript number can tell apart. */
const measured = z.tuple([z.string(), z.enum(['rows', 'bytes', 'last_value']), z.string()]);
const extension = z.object({ extension: z.string() });

/** What must be the same before and after: by database, by relation. */
export interface Fingerprint {
  readonly databases: Readonly<Record<string, DatabaseFingerprint>>;
}

export interface DatabaseFingerprint {
  readonly relations: Readonly<Record<string, string>>;
  readonly extensions: readonly string[];
}

/**
 * Writes and executes one SELECT per relation within one session. To count the rows of a table is to plan a query, for which the planner may run code of
 * the table's owner with our rights: such a table is compared by its size, too.
 */
export const fingerprintSql = `
WITH RECURSIVE ${unprivilegedCode},
counted AS (${countedWithCode})
SELECT CASE
    WHEN c.relkind = 'S' THEN format('SELECT json_build_array(%L, ''last_value'', last_value::text) FROM %I.%I', n.nspname || '.' || c.relname, n.nspname, c.relname)
    WHEN pg_relation_size(c.oid) > ${String(countedBytes)} OR c.oid IN (SELECT relation FROM counted) THEN format('SELECT json_build_array(%L, ''bytes'', ''%s'')', n.nspname || '.' || c.relname, pg_relation_size(c.oid))
    ELSE format('SELECT json_build_array(%L, ''rows'', count(*)::text) FROM ONLY %I.%I', n.nspname || '.' || c.relname, n.nspname, c.relname)
  END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'S') AND c.relpersistence <> 't' AND (c.relkind <> 'm' OR c.relispopulated)
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY 1
\\gexec
SELECT json_build_object('extension', extname) FROM pg_catalog.pg_extension ORDER BY extname;`;

/** What the script of `fingerprintSql` printed in each database. */
export function fingerprintOf(rows: Rows): Fingerprint {
  return { databases: Object.fromEntries([...rows].map(([name, values]) => [name, measurementOf(values)])) };
}

function measurementOf(rows: readonly unknown[]): DatabaseFingerprint {
  const values = z.array(z.union([measured, extension])).parse(rows);
  const relations: Record<string, string> = {};
  const extensions: string[] = [];
  for (const value of values) {
    if ('extension' in value) extensions.push(value.extension);
    else relations[value[0]] = `${value[2]} ${value[1]}`;
  }
  return { relations, extensions };
}

/** What differs, a line each; nothing when the two are the same. */
export function compareFingerprints(before: Fingerprint, after: Fingerprint): string[] {
  return allKeys(before.databases, after.databases).flatMap((name) => {
    const [old, now] = [before.databases[name], after.databases[name]];
    if (old === undefined) return [`database "${name}" was not there before`];
    if (now === undefined) return [`database "${name}" is gone`];
    const relations = allKeys(old.relations, now.relations)
      .filter((relation) => differs(old.relations[relation], now.relations[relation]))
      .map(
        (relation) =>
          `${name}: ${relation}: ${old.relations[relation] ?? 'absent'} before, ${now.relations[relation] ?? 'absent'} after`,
      );
    const extensions = old.extensions
      .filter((e) => !now.extensions.includes(e))
      .map((e) => `${name}: extension ${e} is gone`);
    return [...relations, ...extensions];
  });
}

/** Sizes are no exact measure: autovacuum may cut empty pages off until the server stops. What is gone or empty is seen. */
function differs(before: string | undefined, after: string | undefined): boolean {
  if (before === after) return false;
  if (before === undefined || after === undefined) return true;
  const bySize = before.endsWith(' bytes') || after.endsWith(' bytes');
  return !bySize || after.startsWith('0 ');
}

/** `12 databases, 345 relations` */
export function fingerprintSize(fingerprint: Fingerprint): string {
  const databases = Object.values(fingerprint.databases);
  const relations = databases.reduce((sum, d) => sum + Object.keys(d.relations).length, 0);
  return `${String(databases.length)} databases, ${String(relations)} tables, materialized views and sequences`;
}

function allKeys(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}
