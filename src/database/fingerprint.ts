import { z } from 'zod';
import { quoted } from './obstacles.ts';
import type { Rows } from './script.ts';

/** Bytes of all tables together whose rows are counted, the smallest ones of each database first. The others are compared by their size, and all of them by their files. */
export const countedBytes = 512 * 1024 ** 2;

/**
 * Values as text: a sequence may count further than a JavaScript number is exact. `last_value` is what a sequence has given, `next_value` what it will
 * give first (`is_called` is false).
 */
const measured = z.tuple([z.string(), z.enum(['rows', 'bytes', 'last_value', 'next_value']), z.string()]);
const extension = z.object({ extension: z.string() });
const files = z.tuple([z.string(), z.literal('files'), z.string()]);

/** What must be the same before and after: by database, by relation. */
export interface Fingerprint {
  readonly databases: Readonly<Record<string, DatabaseFingerprint>>;
}

export interface DatabaseFingerprint {
  readonly relations: Readonly<Record<string, string>>;
  readonly extensions: readonly string[];
  /**
   * Where the first file of each table and materialized view is in the data directory and, after a space, that of its TOAST table. Undefined in a journal that
   * knows nothing of files: it has the counts of all tables up to 1 GiB instead.
   */
  readonly files?: Readonly<Record<string, string>> | undefined;
}

/** Relations, and blocks of them, that one statement measures in one transaction: others wait until then who would create, change or drop relations. */
const batch = { relations: 100, blocks: 32_768 };

/** How long a relation is waited for that somebody else keeps locked, in seconds. */
const patience = 60;

/** Of pg_class `c` and pg_namespace `n`: what users made, and is not temporary. */
const isOfUsers = `c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'`;
const isMeasured = `c.relkind IN ('r', 'm', 'S') AND (c.relkind <> 'm' OR c.relispopulated) AND ${isOfUsers}`;
/** A partitioned table has no file, and pg_upgrade sets the values of sequences. */
const hasFiles = `(c.relkind IN ('r', 'm') AND ${isOfUsers})`;

/** A name as it is written in SQL, but for key words: PostgreSQL 14 has others than PostgreSQL 12, and quotes them. */
const written = (name: string) =>
  `CASE WHEN ${name} ~ '^[a-z_][a-z0-9_]*$' THEN ${name}::text ELSE '"' || replace(${name}, '"', '""') || '"' END`;

/**
 * SELECT of the relations for whose count the planner might run code of a role that is no superuser: with our rights it computes what is constant in the
 * expressions of indexes and extended statistics. Functions and operators are a role's by their owner, and so are types: of those that users can make, only
 * enums and their arrays run nothing.
 */
const withCode = `
SELECT coalesce(indrelid, stxrelid) FROM (
    SELECT 'pg_proc'::regclass::oid AS classid, p.oid AS objid, proowner AS owner FROM pg_proc p WHERE p.oid >= 16384
    UNION ALL SELECT 'pg_operator'::regclass, o.oid, proowner FROM pg_operator o JOIN pg_proc p ON p.oid = oprcode WHERE o.oid >= 16384
    UNION ALL SELECT 'pg_type'::regclass, t.oid, t.typowner FROM pg_type t LEFT JOIN pg_type element ON element.oid = t.typelem
      WHERE t.oid >= 16384 AND 'e' NOT IN (t.typtype, coalesce(element.typtype, t.typtype))) AS made
  JOIN pg_roles r ON r.oid = made.owner AND NOT rolsuper
  JOIN pg_depend d ON d.refclassid = made.classid AND d.refobjid = made.objid
  LEFT JOIN pg_index ON d.classid = 'pg_class'::regclass AND indexrelid = d.objid
  LEFT JOIN pg_statistic_ext s ON d.classid = 'pg_statistic_ext'::regclass AND s.oid = d.objid
WHERE coalesce(indrelid, stxrelid) IS NOT NULL`;

/**
 * Who holds a lock on one of the relations `what`, as a sentence's part; NULL where nobody does. Autovacuum does not count.
 * @param but modes of locks that do not count either
 */
const holder = (what: string, but: string) => `(
  SELECT format('%s: %s of role %s (process %s, %s)', l.relation::regclass, coalesce(quote_literal(nullif(application_name, '')), 'a session'),
      coalesce(quote_ident(usename), 'unknown'), coalesce(l.pid::text, 'none: a prepared transaction'), coalesce(state, backend_type, 'unknown'))
  FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND granted
    AND l.pid IS DISTINCT FROM pg_backend_pid() AND backend_type IS DISTINCT FROM 'autovacuum worker' AND mode NOT IN (${but}) AND l.relation IN (${what})
  ORDER BY l.relation, l.pid LIMIT 1)`;

/** Catalogs of the names of relations, and of what the planner reads about relations. */
const catalogs = ['pg_namespace', 'pg_class', 'pg_index', 'pg_statistic_ext'];

/**
 * Measures the relations whose OIDs stand in the place of RELATIONS, in one transaction, and counts the rows of those in the place of COUNTED. As long as this holds its locks on the catalogs, nothing
 * that the counts read of them can be changed, by whoever owns the relations: who changed something before that, and has not committed it, still holds a lock
 * on the relation itself. So what is looked at under these locks, by the OID, is what is counted then by its name. Autovacuum locks relations and
 * makes nothing that the planner would run.
 */
const measuring = (seconds: number) => `DO $measuring$
DECLARE
  all_relations oid[] := '{RELATIONS}';
  counted oid[] := '{COUNTED}';
  this record;
  measured record;
  rival text;
  is_done bool := false;
  patient_until timestamptz := clock_timestamp() + interval '${String(seconds)} s';
  results json[];
BEGIN
  WHILE NOT is_done LOOP
    results := '{}';
    BEGIN
      LOCK TABLE ${catalogs.join(', ')} IN SHARE MODE;
      rival := ${holder('SELECT unnest(all_relations)', "'AccessShareLock', 'RowShareLock', 'RowExclusiveLock'")};
      IF rival IS NULL THEN
        FOR this IN SELECT c.oid, format('%I.%I', nspname, relname) AS spelt, ${written('nspname')} || '.' || ${written('relname')} AS key, relkind,
            CASE WHEN relkind <> 'S' THEN pg_relation_size(c.oid) END AS bytes, c.oid IN (${withCode}) AS may_run_code
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY (all_relations) AND ${isMeasured}
        LOOP
          IF this.relkind = 'S' THEN
            EXECUTE format('SELECT last_value, is_called FROM ONLY %s', this.spelt) INTO measured;
            results := results || json_build_array(this.key, CASE WHEN measured.is_called THEN 'last_value' ELSE 'next_value' END, measured.last_value::text);
          ELSIF this.may_run_code OR this.oid <> ALL (counted) THEN
            results := results || json_build_array(this.key, 'bytes', this.bytes::text);
          ELSE
            EXECUTE format('SELECT count(*)::text AS number FROM ONLY %s', this.spelt) INTO measured;
            results := results || json_build_array(this.key, 'rows', measured.number);
          END IF;
        END LOOP;
        is_done := true;
      END IF;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      rival := coalesce(${holder(`SELECT unnest(all_relations) UNION SELECT indexrelid FROM pg_index WHERE indrelid = ANY (all_relations) UNION SELECT unnest('{${catalogs.join(',')}}'::regclass[])`, "'AccessShareLock', 'RowShareLock'")}, 'a session that has ended');
    END;
    COMMIT;
    IF NOT is_done THEN
      IF clock_timestamp() > patient_until THEN
        RAISE EXCEPTION 'could not measure relations for ${String(seconds)} s, because a session kept a lock: %', rival USING HINT = 'End that session, and run this again.';
      END IF;
      PERFORM pg_sleep(0.1);
    END IF;
  END LOOP;
  PERFORM set_config('upgrade.measured', array_to_json(results)::text, false);
END $measuring$`;

/** Where the server knows it (12.20, 14.13 and later): a second bar before views and foreign tables. */
const noViews = `SELECT 1 WHERE CASE WHEN current_setting('restrict_nonsystem_relation_kind', true) IS NULL THEN false
  ELSE set_config('restrict_nonsystem_relation_kind', 'view, foreign-table', false) IS NULL END;`;

/** Of pg_class `c`. Asks for no lock, which somebody might hold. A table of several files is larger than what is counted, so that the first file tells enough. */
export const firstFileBytes = `coalesce((pg_stat_file(pg_relation_filepath(c.oid), true)).size, 0)`;

const allRelations = 'pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace';
const key = `${written('nspname')} || '.' || ${written('relname')}`;

/**
 * Puts the OIDs of the tables whose rows are counted into psql's variable `counted`: the smallest ones, up to the database's part of what is left of the
 * budget. What a database leaves goes to those that the session goes through after it.
 */
const chooseCounted = ({ databases, bytes }: Share) => `\\if :{?budget}
\\else
\\set budget ${String(Math.floor(bytes))}
\\set databases ${String(databases)}
\\endif
SELECT coalesce(array_agg(oid), '{}') AS counted, :budget - coalesce(sum(bytes), 0) AS budget, :databases - 1 AS databases
FROM (SELECT oid, bytes, sum(bytes) OVER (ORDER BY bytes, oid) AS sum
  FROM (SELECT c.oid, ${firstFileBytes} AS bytes FROM ${allRelations} WHERE ${isMeasured} AND relkind <> 'S') AS tables) AS summed
WHERE sum <= :budget / greatest(:databases, 1)
\\gset`;

/** The same for the tables that were counted before, whatever their size is by now: all but those that were not. */
const countAgain = (
  before: Fingerprint,
) => `SELECT coalesce(array_agg(c.oid), '{}') AS counted FROM ${allRelations} WHERE ${isMeasured} AND relkind <> 'S'
  AND ${key} NOT IN (SELECT json_array_elements_text(coalesce(${quoted(JSON.stringify(uncounted(before)))}::json -> current_database(), '[]')))
\\gset`;

function uncounted({ databases }: Fingerprint): Record<string, string[]> {
  const names = Object.entries(databases).map(([name, { relations: of }]) => {
    const bySize = Object.keys(of).filter((relation) => of[relation]?.endsWith(' bytes') === true);
    return [name, bySize] as const;
  });
  return Object.fromEntries(names.filter(([, bySize]) => bySize.length > 0));
}

/** Of a session: how many databases it goes through, and the bytes of the tables that it counts in all of them. */
export interface Share {
  readonly databases: number;
  readonly bytes: number;
}

/** What one of so many sessions may count. */
export function shareOf(databases: number, sessions: number): Share {
  return { databases, bytes: countedBytes / sessions };
}

/** Large objects are the one table of the catalog that pg_upgrade transfers by its files. What was dropped meanwhile has no path. */
const filesOfRelations = `SELECT json_build_array(${key}, 'files', concat_ws(' ', pg_relation_filepath(c.oid), pg_relation_filepath(nullif(reltoastrelid, 0))))
FROM ${allRelations} WHERE (c.oid = 'pg_largeobject'::regclass OR ${hasFiles}) AND pg_relation_filepath(c.oid) IS NOT NULL;`;

/**
 * Measures each relation of a database within one session. To count the rows of a table is to plan a query, for which the planner may run code of
 * the table's owner with our rights: where it might, the table is compared by its size, too.
 * Decision: docs/decisions/0030-comparison.md
 * @param what the share of the session or, of a server that was measured before, that measurement
 * @param seconds how long a relation is waited for that somebody else keeps locked; then the script ends with an error that names the session
 */
export const fingerprintScript = (what: Share | Fingerprint, seconds: number = patience) => `
${noViews}
${'bytes' in what ? chooseCounted(what) : countAgain(what)}
SELECT replace(replace($script$${measuring(seconds)}$script$, 'RELATIONS', string_agg(oid::text, ',' ORDER BY oid)), 'COUNTED', coalesce(string_agg(oid::text, ',') FILTER (WHERE is_counted), '')),
  'SELECT value FROM json_array_elements(current_setting(''upgrade.measured'')::json)'
FROM (SELECT c.oid, c.oid IN (SELECT unnest(:'counted'::oid[])) AS is_counted,
    row_number() OVER all_before / ${String(batch.relations)} + sum(greatest(relpages, 0)) OVER all_before / ${String(batch.blocks)} AS batch
  FROM ${allRelations} WHERE ${isMeasured} WINDOW all_before AS (ORDER BY c.oid)) AS listed
GROUP BY batch ORDER BY batch
\\gexec
${filesOfRelations}
SELECT json_build_object('extension', extname) FROM pg_catalog.pg_extension ORDER BY extname;`;

/** What `fingerprintScript` printed in each database. */
export function fingerprintOf(rows: Rows): Fingerprint {
  return { databases: Object.fromEntries([...rows].map(([name, values]) => [name, measurementOf(values)])) };
}

function measurementOf(rows: readonly unknown[]): DatabaseFingerprint {
  const values = z.array(z.union([measured, files, extension])).parse(rows);
  const relations: Record<string, string> = {};
  const filesOf: Record<string, string> = {};
  const extensions: string[] = [];
  for (const value of values) {
    if ('extension' in value) extensions.push(value.extension);
    else if (value[1] === 'files') filesOf[value[0]] = value[2];
    else relations[value[0]] = `${value[2]} ${value[1]}`;
  }
  return { relations, extensions, files: filesOf };
}
