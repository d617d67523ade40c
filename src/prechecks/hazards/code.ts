import { anyUnprivilegedCode, unprivilegedCode } from '../../database/unprivileged-code.ts';
import type { Hazard } from './hazard.ts';

/**
 * Every expression that is stored, with the address of what has it. A constant in it is written as text by pg_dump and read by the type's input again.
 */
const trees = `
trees(classid, objid, tree) AS MATERIALIZED (
  SELECT 'pg_rewrite'::regclass, oid, concat(ev_action, ev_qual) FROM pg_rewrite WHERE oid >= 16384
  UNION ALL SELECT 'pg_attrdef'::regclass, oid, adbin::text FROM pg_attrdef
  UNION ALL SELECT 'pg_constraint'::regclass, oid, conbin::text FROM pg_constraint WHERE conbin IS NOT NULL
  UNION ALL SELECT 'pg_class'::regclass, indexrelid, concat(indexprs, indpred) FROM pg_index WHERE indexprs IS NOT NULL OR indpred IS NOT NULL
  UNION ALL SELECT 'pg_class'::regclass, partrelid, partexprs::text FROM pg_partitioned_table WHERE partexprs IS NOT NULL
  UNION ALL SELECT 'pg_policy'::regclass, oid, concat(polqual, polwithcheck) FROM pg_policy
  UNION ALL SELECT 'pg_trigger'::regclass, oid, tgqual::text FROM pg_trigger WHERE tgqual IS NOT NULL
  UNION ALL SELECT 'pg_proc'::regclass, oid, proargdefaults::text FROM pg_proc WHERE proargdefaults IS NOT NULL AND oid >= 16384
  UNION ALL SELECT 'pg_type'::regclass, oid, typdefaultbin::text FROM pg_type WHERE typdefaultbin IS NOT NULL)`;

/**
 * What the functions of a constraint lead to. Where that is the constraint's own table or domain, pg_dump breaks the circle: it adds the
 * constraint by a statement of its own.
 */
const reach = `
reach AS (
  SELECT d.objid AS con, d.refclassid AS classid, d.refobjid AS objid FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.refobjid >= 16384
    AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) AND d.objid IN (SELECT objid FROM callers c WHERE c.classid = 'pg_constraint'::regclass)
  UNION
  SELECT r.con, d.refclassid, d.refobjid FROM reach r JOIN pg_depend d ON d.classid = r.classid AND d.objid = r.objid WHERE d.refobjid >= 16384 AND d.deptype <> 'e')`;

/**
 * Expressions that a restore plans as the superuser, and where what is constant in them is then computed: tried with 14.22, and nothing else was found
 * to be. CREATE INDEX plans as the owner of the table, but the queries of a foreign key and ATTACH PARTITION look at the indexes as the superuser.
 */
const planned = `
planned(classid, objid, objsubid, tree, command) AS MATERIALIZED (
  SELECT 'pg_class'::regclass, partrelid, 0, partexprs::text, '' FROM pg_partitioned_table WHERE partexprs IS NOT NULL
  UNION ALL SELECT 'pg_class'::regclass, adrelid, attnum, adbin::text, '' FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE attgenerated <> ''
  UNION ALL SELECT 'pg_constraint'::regclass, n.oid, 0, conbin::text, CASE WHEN contypid <> 0 THEN format('ALTER DOMAIN %s DROP CONSTRAINT %I;', contypid::regtype, conname)
      ELSE (WITH RECURSIVE up(relation, is_local) AS (SELECT n.conrelid, n.conislocal
          UNION SELECT p.conrelid, p.conislocal FROM up JOIN pg_inherits h ON h.inhrelid = relation JOIN pg_constraint p ON p.conrelid = h.inhparent AND p.conname = n.conname)
        SELECT string_agg(format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I;', relation::regclass, conname), ' ') FROM up WHERE is_local) END
    FROM pg_constraint n LEFT JOIN pg_class t ON t.oid = n.conrelid
    WHERE n.contype = 'c' AND n.convalidated AND (NOT n.conislocal OR t.relispartition OR EXISTS (SELECT FROM reach r WHERE r.con = n.oid
      AND ((r.classid = 'pg_class'::regclass AND r.objid = n.conrelid) OR (r.classid = 'pg_type'::regclass AND r.objid = n.contypid))))
  UNION ALL SELECT 'pg_class'::regclass, indexrelid, 0, concat(indexprs, ' ', indpred), CASE WHEN EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype = 'x')
      THEN (SELECT format('ALTER TABLE %s DROP CONSTRAINT %I;', conrelid::regclass, conname) FROM pg_constraint WHERE conindid = indexrelid AND contype = 'x')
      ELSE format('DROP INDEX IF EXISTS %s;', CASE WHEN x.relispartition THEN pg_partition_root(indexrelid) ELSE indexrelid::regclass END) END
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    WHERE (indexprs IS NOT NULL OR indpred IS NOT NULL) AND (x.relkind = 'I' OR x.relispartition
      OR EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND i.indrelid IN (f.conrelid, f.confrelid))))`;

/**
 * A call is computed by the planner where each of its arguments is constant: so it is not where one of them is a column. The body of an SQL function
 * may be put in its place, with whatever calls it has, but not where the function has settings or the rights of its owner.
 */
const isComputed = (
  tree: string,
) => `(by_operator OR (p.prolang = 14 AND p.proconfig IS NULL AND NOT p.prosecdef) OR (p.provolatile = 'i'
  AND (SELECT count(*) FROM regexp_matches(${tree}, '\\{FUNCEXPR :funcid ' || p.oid || ' ', 'g'))
    > (SELECT count(*) FROM regexp_matches(${tree}, '\\{FUNCEXPR :funcid ' || p.oid || ' [^{}()]*:args \\((\\{CONST [^{}]*\\} )*\\{(VAR|COERCETODOMAINVALUE) ', 'g'))))`;

const dropsConstraint = "format('ALTER DOMAIN %s DROP CONSTRAINT %I;', n.contypid::regtype, n.conname)";

export const restoredCode: Hazard = {
  id: 'restored-code',
  title: "Users' code that a restore runs as the superuser",
  why: 'pg_upgrade restores every schema as the superuser. It then runs functions whose owner is no superuser: whoever owns one can become superuser by it, or read the volume. These are the checks of a domain behind the initial value of an aggregate, behind the bounds of partitions, and behind constants of arrays, composite types and ranges; and calls with constant arguments in partition keys, generated columns, in CHECK constraints that are inherited, of a partition, or refer to their own table, and in indexes of partitioned tables and of tables with foreign keys. PostgreSQL runs those of partition keys for ANALYZE and pg_dump, too. It is asked again when the last client has gone.',
  severity: 'failed',
  shows: 'never',
  advice:
    'Take away the constraint or index that the commands name, and make it again after the upgrade. For a partition key or a generated column there is no command, and as long as a key is among them there is none for the other objects of its database: any command on the table runs the function as the superuser. Read the function and what it calls. Where you trust them, give them to the superuser, but never one with SECURITY DEFINER: ALTER FUNCTION … OWNER TO CURRENT_USER. Otherwise take the function away from its owner and keep PostgreSQL from computing it: `ALTER FUNCTION … OWNER TO CURRENT_USER; ALTER FUNCTION … VOLATILE SET search_path = pg_catalog;`. Only then drop the table or the column, or analyze or dump it.',
  among: [anyUnprivilegedCode],
  database: `
WITH RECURSIVE ${unprivilegedCode},${reach},${trees},${planned},
calls AS MATERIALIZED (
  SELECT e.*, c.fn, c.by_operator FROM planned e JOIN callers c ON c.classid = e.classid AND c.objid = e.objid AND c.objsubid = e.objsubid),
found(classid, objid, objsubid, fn, how, command) AS (
  SELECT 'pg_proc'::regclass::oid, aggfnoid::oid, 0, c.fn, 'the initial value is checked by', ${dropsConstraint}
    FROM pg_aggregate JOIN checked c ON c.oid IN (CASE WHEN agginitval IS NOT NULL THEN aggtranstype END, CASE WHEN aggminitval IS NOT NULL THEN aggmtranstype END)
      JOIN pg_constraint n ON n.oid = c.con
  UNION SELECT 'pg_class'::regclass, partrelid, 0, c.fn, 'the bounds of partitions are checked by', ${dropsConstraint}
    FROM pg_partitioned_table JOIN pg_attribute ON attrelid = partrelid AND attnum = ANY (partattrs::int2[]) JOIN checked c ON c.oid = atttypid
      JOIN pg_constraint n ON n.oid = c.con WHERE partstrat <> 'h'
  UNION SELECT d.classid, d.objid, 0, c.fn, 'the bounds of partitions are checked by', ${dropsConstraint}
    FROM pg_partitioned_table JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = partrelid AND d.objsubid = 0 AND d.refclassid = 'pg_type'::regclass
      JOIN checked c ON c.oid = d.refobjid JOIN pg_constraint n ON n.oid = c.con WHERE partexprs IS NOT NULL AND partstrat <> 'h'
  UNION SELECT t.classid, t.objid, 0, c.fn, 'a constant is checked by', ${dropsConstraint}
    FROM checked c JOIN pg_constraint n ON n.oid = c.con JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = c.oid
      JOIN trees t ON t.classid = d.classid AND t.objid = d.objid AND strpos(t.tree, ':consttype ' || c.oid || ' ') > 0
  UNION SELECT classid, objid, objsubid, fn, 'calls', command FROM calls JOIN pg_proc p ON p.oid = fn WHERE ${isComputed('tree')})
SELECT pg_describe_object(classid, objid, objsubid), format('%s %s of role %I', how, fn::regprocedure, rolname),
  CASE WHEN EXISTS (SELECT FROM found k JOIN pg_partitioned_table ON partrelid = k.objid WHERE k.classid = 'pg_class'::regclass AND k.how = 'calls') THEN '' ELSE command END
FROM found JOIN pg_proc p ON p.oid = fn JOIN pg_roles r ON r.oid = p.proowner`,
};

/**
 * Bodies of functions in SQL and PL/pgSQL, without literals and comments, that find names by the search_path of whoever calls them.
 */
const bodies = `
bodies AS (
  SELECT p.oid AS fn, p.pronamespace, lower(regexp_replace(p.prosrc, '''(''''|[^''])*''|--[^\\n]*|/\\*([^*]|\\*+[^*/])*\\*+/', ' ', 'g')) AS body
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
  WHERE p.oid >= 16384 AND l.lanname IN ('sql', 'plpgsql') AND NOT EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%'))`;

/** Names of functions, relations and types that a body mentions without a schema. */
const mentioned = `
mentioned AS (
  SELECT fn, 'function' AS kind, m[2] AS name FROM bodies, regexp_matches(body, '(^|[^."\\w$])([a-z_][\\w$]*)\\s*\\(', 'g') m
  UNION SELECT fn, 'relation', m[2] FROM bodies, regexp_matches(body, '\\m(from|join|insert\\s+into|update|delete\\s+from)\\s+(?:only\\s+)?([a-z_][\\w$]*)(?![\\w$]|\\s*[.(])', 'g') m
  UNION SELECT fn, 'relation', m[2] FROM bodies, regexp_matches(body, '(^|[^."\\w$])([a-z_][\\w$]*)(?:\\.\\w+)?%(?:row)?type\\M', 'g') m
  UNION SELECT fn, 'type', m[2] FROM bodies, regexp_matches(body, '(::\\s*|\\mas\\s+|\\mdeclare\\s+\\w+\\s+|;\\s*\\w+\\s+)([a-z_][\\w$]*)(?=\\s*[);\\[,:]|\\s*$)', 'g') m)`;

const objects = (catalog: string, name: string, namespace: string, more = '') =>
  `SELECT ${name} AS name, ${namespace} AS namespace, oid FROM ${catalog}${more}`;

const indexFunctions: Hazard = {
  id: 'index-functions',
  title: 'Functions of indexes under a safe search_path',
  why: "ANALYZE and REINDEX of the upgrade run with nothing but pg_catalog in the search_path, as PostgreSQL 17 does for everybody, so that no role can slip its own functions under the superuser's. They compute the expressions and predicates of indexes. A function that names a table, a type or another function without its schema fails then: the table gets no statistics, and an index that the new server must rebuild ends the upgrade in the downtime. It is found by reading the function, not by running it. It is asked again when the last client has gone.",
  severity: 'failed',
  shows: 'never',
  says: 'function inner_f(integer) does not exist',
  advice: 'Give the function a search_path of its own, or name the schemas in its body.',
  among: ['SELECT 1 FROM pg_index WHERE indexrelid >= 16384 AND (indexprs IS NOT NULL OR indpred IS NOT NULL)'],
  database: `
WITH RECURSIVE ${bodies},
called(index, fn) AS (
  SELECT d.objid, coalesce(o.oprcode::oid, d.refobjid) FROM pg_index i JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
    LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
  WHERE (indexprs IS NOT NULL OR indpred IS NOT NULL) AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) AND d.refobjid >= 16384
  UNION
  SELECT c.index, p.oid FROM called c JOIN bodies b ON b.fn = c.fn
    CROSS JOIN regexp_matches(b.body, '(^|[^."\\w$])([a-z_][\\w$]*)\\.([a-z_][\\w$]*)\\s*\\(', 'g') m JOIN pg_namespace n ON n.nspname = m[2] JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = m[3]
  WHERE p.oid >= 16384),${mentioned},
named AS (
  SELECT 'function' AS kind, * FROM (${objects('pg_proc', 'proname', 'pronamespace')}) f
  UNION ALL SELECT 'relation', * FROM (${objects('pg_class', 'relname', 'relnamespace', " WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')")}) r
  UNION ALL SELECT 'type', * FROM (${objects('pg_type', 'typname', 'typnamespace', " WHERE typtype IN ('c', 'd', 'e', 'r', 'b')")}) t),
missing AS (
  SELECT c.index, b.fn, b.pronamespace, m.kind, m.name, n.namespace FROM called c JOIN bodies b ON b.fn = c.fn JOIN mentioned m ON m.fn = c.fn
    JOIN named n ON n.kind = m.kind AND n.name = m.name AND n.oid >= 16384 AND n.namespace <> 'pg_catalog'::regnamespace
  WHERE NOT EXISTS (SELECT FROM named k WHERE k.kind = m.kind AND k.name = m.name AND k.namespace = 'pg_catalog'::regnamespace))
SELECT 'index ' || index::regclass, format('%s names the %s without a schema', fn::regprocedure, string_agg(DISTINCT kind || ' ' || quote_ident(name), ', ')),
  format('ALTER FUNCTION %s SET search_path = %s, pg_temp;', fn::regprocedure, (SELECT string_agg(DISTINCT quote_ident(nspname), ', ') FROM pg_namespace
    WHERE oid = m.pronamespace OR oid = ANY (array_agg(m.namespace))))
FROM missing m GROUP BY index, fn, pronamespace`,
};

/** Whose code runs, with whose rights, and what it finds. */
export const codeHazards: readonly Hazard[] = [restoredCode, indexFunctions];
