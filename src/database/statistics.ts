// How the planner's statistics are rebuilt, which pg_upgrade does not carry over: for PostgreSQL 14 alone, while applications may be at work.
// Decision: docs/decisions/0011-statistics-and-extensions.md
import { firstFileBytes } from './fingerprint.ts';

/** Pages of 8 kB. The quick pass reads a table up to this size with the normal target, and 300 rows of a larger one. */
const smallTable = 1024;
const smallBytes = String(smallTable * 8192);

/** What has failed in this session: a JSON object with SQLSTATE and message, by the OID of the relation. */
const failed = 'postgresql_upgrade.failed';

/** Of pg_class `c`: what ANALYZE takes. */
const analyzable = `c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND (c.relkind <> 'm' OR c.relispopulated)`;

/**
 * Of pg_class `c` and pg_namespace `n`: never analyzed. Then reltuples is -1 (PostgreSQL 14), or has what CREATE INDEX or VACUUM found. The statistics
 * collector's last_analyze comes later than ANALYZE ends.
 */
const isWithout = `${analyzable} AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND (c.reltuples = -1 OR c.reltuples > 0
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_statistic s WHERE s.starelid = c.oid)
  AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget <> 0))`;

/**
 * Of pg_class `c`: no column has more than the quick pass gives it, one most common value (kind 1) and a histogram of two bounds (kind 2). Columns with a target
 * of their own do not count. A table of constants looks rough too: to analyze it again costs only time.
 */
const isRough = `EXISTS (SELECT FROM pg_catalog.pg_statistic s WHERE s.starelid = c.oid) AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_statistic s JOIN pg_catalog.pg_attribute a ON a.attrelid = s.starelid AND a.attnum = s.staattnum
  WHERE s.starelid = c.oid AND a.attstattarget = -1 AND (s.stakind1 = 1 AND array_length(s.stavalues1, 1) > 1
    OR s.stakind1 = 2 AND array_length(s.stavalues1, 1) > 2 OR s.stakind2 = 2 AND array_length(s.stavalues2, 1) > 2))`;

const relations = 'pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace';

/**
 * ANALYZE of a relation by its OID, which replaces %1$s. ANALYZE takes only names: under these locks on two rows neither the table nor its schema gets another
 * name or goes away, and no other relation gets this name. Locks on the whole catalogs would stop the migrations of the applications. What fails is noted.
 */
const analyzeOne = `DECLARE target text;
BEGIN
  SELECT format('%%I.%%I', n.nspname, c.relname) INTO target FROM ${relations}
    WHERE c.oid = %1$s AND ${analyzable} FOR SHARE OF c, n;
  IF target IS NOT NULL THEN
    EXECUTE 'ANALYZE ' || target;
    IF EXISTS (SELECT FROM ${relations} WHERE c.oid = %1$s AND ${isWithout}) THEN RAISE EXCEPTION 'ANALYZE gave it no statistics'; END IF;
  END IF;
  PERFORM set_config('${failed}', (current_setting('${failed}')::jsonb - %1$L::text)::text, false);
EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
  PERFORM set_config('${failed}', (current_setting('${failed}')::jsonb || jsonb_build_object(%1$L::text, jsonb_build_array(SQLSTATE, SQLERRM)))::text, false);
END`;

/** One transaction for each relation, the smallest first. */
function analyzeEach(of: string, where: string): string {
  return `SELECT format('DO %L;', format($analyze$${analyzeOne}$analyze$, c.oid)) FROM ${of} WHERE ${where} ORDER BY c.relpages, c.oid
\\gexec`;
}

/**
 * Whoever waits for us waits less than the second (deadlock_timeout) after which PostgreSQL ends one of two that wait for each other: this session gives way, and
 * never a migration of the applications.
 */
const patience = `SET lock_timeout = '500 ms';
SET deadlock_timeout = '100 ms';
SET ${failed} = '{}';`;

/** By the relations' OIDs, in a transaction each; partitioned tables too, which vacuumdb leaves out. It ends where one fails: what follows takes the rest. */
const analyzeAll = `\\set ON_ERROR_STOP off
ANALYZE (SKIP_LOCKED);
\\set ON_ERROR_STOP on`;

/** A row binds a table to its name, as in `analyzeOne`; a table that somebody has locked is left out. Large ones are few and read by 300 rows: they come first. */
const analyzeOnce = `DO $quick$
DECLARE
  this record;
  target text;
BEGIN
  FOR this IN SELECT oid, bytes > ${smallBytes} AS is_large
    FROM (SELECT c.oid, ${firstFileBytes} AS bytes, ${isWithout} AS is_without, n.nspname IN ('pg_catalog', 'information_schema') AS is_of_system
      FROM ${relations} WHERE c.relkind <> 'p' AND ${analyzable}) AS files
    WHERE is_without OR bytes BETWEEN 1 AND ${smallBytes} OR is_of_system AND bytes > 0
    ORDER BY bytes > ${smallBytes} DESC, bytes = 0, bytes, oid
  LOOP
    BEGIN
      SELECT format('%I.%I', n.nspname, c.relname) INTO target FROM ${relations}
        WHERE c.oid = this.oid AND ${analyzable} FOR SHARE OF c, n SKIP LOCKED;
      IF target IS NOT NULL THEN
        IF this.is_large THEN PERFORM set_config('default_statistics_target', '1', true); END IF;
        EXECUTE 'ANALYZE (SKIP_LOCKED) ' || target;
      END IF;
    EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN NULL;
    END;
    COMMIT;
  END LOOP;
END $quick$;`;

/**
 * The quick pass, while the applications start: large tables by 300 rows, then small ones with the normal target, in one statement with a transaction for each. Only a
 * database with a partitioned table is analyzed as a whole before that, which gives it statistics of its own. The pass waits for nobody who has locked a table, and leaves
 * what fails to `fullStatistics`. It gives no rows. It must not follow that one, whose statistics it would replace.
 */
export const quickStatistics = `${patience}
SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relkind = 'p') AS partitioned
\\gset
\\if :partitioned
SET default_statistics_target = 1;
${analyzeAll}
RESET default_statistics_target;
\\endif
${analyzeOnce}`;

const failures = `jsonb_each(current_setting('${failed}')::jsonb) AS failure(oid, reason)`;
const failedRelations = `${relations} JOIN ${failures} ON failure.oid = c.oid::text`;
const isLeft = `(${isWithout} OR ${isRough})`;
const wasLocked = `reason ->> 0 IN ('55P03', '40P01')`;

/** Who analyzes or vacuums the table meanwhile may have done it. */
const tryAgain = `SELECT pg_sleep(10) WHERE EXISTS (SELECT FROM ${failures} WHERE ${wasLocked});
${analyzeEach(failedRelations, `${wasLocked} AND ${isLeft}`)}`;

/**
 * The full pass, while the applications are at work: the normal target for what the quick pass has left or read roughly. It reads at most about 400 MB a second
 * (100 pages, then 2 ms of rest). ANALYZE of a partitioned table by its name takes all partitions in one transaction, which locks them for long: where there is one,
 * the whole database is analyzed first, a table at a time.
 * @returns SQL whose rows are `[relation, reason]`: what is without full statistics, at most 5
 */
export const fullStatistics = `${patience}
SET vacuum_cost_delay = '2 ms';
SELECT EXISTS (SELECT FROM ${relations} WHERE c.relkind = 'p' AND ${isLeft}) AS partitioned
\\gset
\\if :partitioned
${analyzeAll}
\\endif
${analyzeEach(relations, `${analyzable} AND ${isLeft} AND (c.relkind = 'p' OR c.relpages > ${String(smallTable)} OR ${isWithout})`)}
${tryAgain}
${tryAgain}
${tryAgain}
SELECT json_build_array(format('%I.%I', n.nspname, c.relname), reason ->> 1) FROM ${failedRelations} WHERE ${isLeft} ORDER BY c.oid LIMIT 5;`;
