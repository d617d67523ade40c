// Looks for damaged pages, which pg_upgrade carries over without reading them: of PostgreSQL 14, on a copy alone, since it installs an extension.
// Decision: docs/decisions/0034-rehearsal.md
import { z } from 'zod';

/** What is damaged in this session: a JSON object with the words of amcheck, by the OID of the relation. */
const damaged = 'postgresql_upgrade.damaged';
/** How many relations this session has looked at. */
const checked = 'postgresql_upgrade.checked';

/**
 * Format's arguments are the OID of a relation, amcheck's schema, and when the budget is over. A table whose file is missing can't be read, and that is an error like
 * any other. What takes longer than the budget counts as not looked at, and so does an error that says nothing of the relation: no room or memory (class 53), a lock
 * (55), an end of the session (57).
 */
function checkOne(look: string): string {
  return `DECLARE
  found text;
BEGIN
  IF pg_catalog.clock_timestamp() > %3$L::timestamptz THEN RETURN; END IF;
  ${look}
  IF found IS NOT NULL THEN
    PERFORM set_config('${damaged}', (current_setting('${damaged}')::jsonb || jsonb_build_object(%1$L::text, found))::text, false);
  END IF;
  PERFORM set_config('${checked}', (current_setting('${checked}')::bigint + 1)::text, false);
EXCEPTION
  WHEN query_canceled THEN NULL;
  WHEN OTHERS OR assert_failure THEN
    IF pg_catalog.substr(SQLSTATE, 1, 2) IN ('53', '55', '57') THEN RETURN; END IF;
    PERFORM set_config('${damaged}', (current_setting('${damaged}')::jsonb || jsonb_build_object(%1$L::text, SQLERRM))::text, false);
    PERFORM set_config('${checked}', (current_setting('${checked}')::bigint + 1)::text, false);
END`;
}

const ofHeap = checkOne(
  `SELECT string_agg(format('block %%s: %%s', blkno, msg), '; ') INTO found FROM (SELECT blkno, msg FROM %2$I.verify_heapam(%1$s::regclass, on_error_stop => true) LIMIT 3) AS first;`,
);
// Not against the heap: that would compute expressions of indexes, which are functions of the databases' users.
const ofIndex = checkOne(`PERFORM %2$I.bt_index_check(%1$s::regclass, false);`);

/** Milliseconds that a statement has at least: also the list of what to look at is one. */
const shortest = 10_000;

const relations = `FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_am a ON a.oid = c.relam
WHERE c.relpersistence <> 't' AND (c.relkind IN ('r', 'm', 't') AND a.amname = 'heap'
  OR c.relkind = 'i' AND a.amname = 'btree' AND i.indisvalid AND i.indisready)`;

/** Those with files that amcheck does not know: indexes of other kinds, invalid ones, sequences. */
const others = `(SELECT count(*) FROM pg_class WHERE relpersistence <> 't' AND relkind IN ('r', 'm', 't', 'i', 'S')) - (SELECT count(*) ${relations})`;

/**
 * amcheck gets a schema that nobody has seen: in one in which roles may create something, a function of theirs with the same name could be the better match, and would run with
 * our rights. Event triggers of production stay off, but for those that are enabled ALWAYS: they may have effects outside of the copy, or forbid the schema.
 *
 * Looks at the tables (heap) and the indexes (btree) of a database, the smallest first, as long as the budget of the session lasts: then it has seen most of them.
 * @param budget milliseconds, for all databases of the session
 * @returns SQL with one row: `{ checked, of, others, damaged: [[relation, words], …], lacks? }`
 */
export function amcheckSql(budget: number): string {
  return `SELECT NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'amcheck') AS lacks_amcheck
\\gset
\\if :lacks_amcheck
SELECT json_build_object('checked', 0, 'of', (SELECT count(*) ${relations}), 'others', ${others}, 'damaged', '[]'::json, 'lacks', true);
\\else
SET session_replication_role = replica;
SELECT 'postgresql_upgrade_' || md5(random()::text || clock_timestamp()::text) AS amcheck
\\gset
CREATE SCHEMA :"amcheck";
CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA :"amcheck";
ALTER EXTENSION amcheck SET SCHEMA :"amcheck";
ALTER EXTENSION amcheck UPDATE;
SET ${damaged} = '{}';
SET ${checked} = '0';
SET lock_timeout = '5 s';
SET statement_timeout = ${String(Math.max(budget, shortest))};
\\if :{?deadline}
\\else
SELECT pg_catalog.clock_timestamp() + interval '${String(budget)} ms' AS deadline
\\gset
\\endif
SELECT format('DO %L;', format(CASE c.relkind WHEN 'i' THEN $check$${ofIndex}$check$ ELSE $check$${ofHeap}$check$ END, c.oid, :'amcheck', :'deadline'))
${relations} ORDER BY c.relpages, c.oid
\\gexec
RESET statement_timeout;
SELECT json_build_object('checked', current_setting('${checked}')::bigint, 'of', (SELECT count(*) ${relations}), 'others', ${others}, 'damaged',
  (SELECT coalesce(json_agg(json_build_array(format('%I.%I', n.nspname, c.relname), value) ORDER BY c.oid), '[]')
    FROM (SELECT * FROM jsonb_each_text(current_setting('${damaged}')::jsonb) LIMIT 20) AS d (key, value)
      JOIN pg_class c ON c.oid::text = d.key JOIN pg_namespace n ON n.oid = c.relnamespace));
\\endif`;
}

const looked = z.object({
  checked: z.number(),
  of: z.number(),
  /** Relations that it does not look at. */
  others: z.number(),
  damaged: z.array(z.tuple([z.string(), z.string()])),
  /** The installation has no amcheck. */
  lacks: z.boolean().optional(),
});

/** What a database answered. */
export type Looked = z.infer<typeof looked>;

/** @throws ZodError for anything else */
export function lookedIn(rows: readonly unknown[]): Looked {
  return looked.parse(rows[0]);
}
