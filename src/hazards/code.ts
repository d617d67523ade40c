import { anyDomainCheck, domainChecks } from './domain-checks.ts';
import type { Hazard } from './hazard.ts';

/**
 * Common table expressions for a statement of `WITH RECURSIVE` under a search_path of pg_catalog:
 * `code(classid, objid, fn)`, functions whose owner is no superuser, and operators that call them;
 * `callers(classid, objid, objsubid, fn, by_operator)`, what has such a call in its expression, as pg_depend names it: indexes, constraints, columns and others.
 */
const unprivilegedCode = `
code AS MATERIALIZED (
  SELECT 'pg_proc'::regclass::oid AS classid, p.oid AS objid, p.oid AS fn FROM pg_proc p JOIN pg_roles owner ON owner.oid = p.proowner WHERE p.oid >= 16384 AND NOT rolsuper
  UNION ALL SELECT 'pg_operator'::regclass, o.oid, p.oid FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode JOIN pg_roles owner ON owner.oid = p.proowner
    WHERE p.oid >= 16384 AND NOT rolsuper),
callers AS MATERIALIZED (
  SELECT DISTINCT d.classid, d.objid, d.objsubid, c.fn, c.objid <> c.fn AS by_operator
  FROM pg_depend d JOIN code c ON c.classid = d.refclassid AND c.objid = d.refobjid WHERE d.deptype <> 'e')`;

/** SELECT of whether there is any such function. */
const anyUnprivilegedCode =
  'SELECT 1 FROM pg_proc p JOIN pg_roles owner ON owner.oid = p.proowner WHERE p.oid >= 16384 AND NOT rolsuper';

/**
 * What the constraints of tables lead to, up to the first relation or type. Where that leads on to the constraint's own table, pg_dump breaks the circle: it adds
 * the constraint by a statement of its own. It knows more of circles than pg_depend, such as views by their rules: so any relation counts, and each type but enums.
 */
const reach = `
reach AS (
  SELECT d.objid AS con, d.refclassid AS classid, d.refobjid AS objid FROM pg_depend d JOIN pg_constraint n ON n.oid = d.objid
  WHERE d.classid = 'pg_constraint'::regclass AND d.refobjid >= 16384 AND n.conrelid <> 0 AND NOT (d.refclassid = 'pg_class'::regclass AND d.refobjid = n.conrelid) AND d.objid IN (SELECT objid FROM callers c WHERE c.classid = 'pg_constraint'::regclass)
  UNION
  SELECT r.con, d.refclassid, d.refobjid FROM reach r JOIN pg_depend d ON d.classid = r.classid AND d.objid = r.objid
  WHERE r.classid NOT IN ('pg_class'::regclass, 'pg_type'::regclass) AND d.refobjid >= 16384 AND d.deptype <> 'e')`;

/**
 * Expressions that a restore plans as the superuser, so that what is constant in them is computed. CREATE INDEX plans as the owner of the table, but the queries
 * of a foreign key and ATTACH PARTITION look at the indexes as the superuser. They look at all CHECKs too where `constraint_exclusion` is on: no session of a
 * restore lets a database set that (`upgradeOptions`). Domains are another matter (domain-checks.ts).
 */
const planned = `
planned(classid, objid, objsubid, tree, command) AS MATERIALIZED (
  SELECT 'pg_class'::regclass, partrelid, 0, partexprs::text, '' FROM pg_partitioned_table WHERE partexprs IS NOT NULL
  UNION ALL SELECT 'pg_class'::regclass, adrelid, attnum, adbin::text, '' FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE attgenerated <> ''
  UNION ALL SELECT 'pg_constraint'::regclass, n.oid, 0, conbin::text, (WITH RECURSIVE up(relation, is_local) AS (SELECT n.conrelid, n.conislocal
          UNION SELECT p.conrelid, p.conislocal FROM up JOIN pg_inherits h ON h.inhrelid = relation JOIN pg_constraint p ON p.conrelid = h.inhparent AND p.conname = n.conname)
        SELECT string_agg(format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I;', relation::regclass, conname), ' ') FROM up WHERE is_local)
    FROM pg_constraint n JOIN pg_class t ON t.oid = n.conrelid
    WHERE n.contype = 'c' AND n.convalidated AND (NOT n.conislocal OR t.relispartition OR EXISTS (SELECT FROM reach r LEFT JOIN pg_type y ON r.classid = 'pg_type'::regclass AND y.oid = r.objid
      WHERE r.con = n.oid AND (r.classid = 'pg_class'::regclass OR (r.classid = 'pg_type'::regclass AND coalesce(y.typtype, 'c') <> 'e'))))
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

export const restoredCode: Hazard = {
  id: 'restored-code',
  title: "Users' code that a restore runs as the superuser",
  expected: "No object of a role without the superuser's rights has code that a restore runs",
  why: 'pg_upgrade restores every schema as the superuser. It then runs functions whose owner is no superuser. Such an owner can become superuser by it, or read the volume. The check finds two kinds of code. The first are the CHECKs of domains, which run wherever the restore reads a value of the domain. That may be the initial value of an aggregate, or a bound of a partition. It may be the default that is kept for rows older than a column. It may be a constant of an array or a row, or a cast in another CHECK. So the check finds a domain of a role that is no superuser. It passes a CHECK that only has comparisons, patterns, and functions of PostgreSQL or of an extension that only compute. The second are calls with constant arguments. They count in partition keys and generated columns. They count in indexes of partitioned tables, and of tables with foreign keys. They also count in CHECK constraints that are inherited, of a partition, or lead to a relation. PostgreSQL runs those of partition keys for ANALYZE and pg_dump, too. The upgrade asks again when the last client has disconnected.',
  severity: 'failed',
  shows: 'never',
  advice:
    'Drop the constraint or index with the commands, and create it again after the upgrade. A superuser can take over a domain instead. First read its CHECK, every function that the CHECK calls, and what those call in turn. Then run ALTER DOMAIN … OWNER TO CURRENT_USER, and take over the functions in the same way. The check does not look at what a function of a superuser calls. So leave none of the role behind it. Never take over a function with SECURITY DEFINER: its callers would have the rights of the superuser. For a partition key or a generated column, no command is printed. Any command on the table runs the function as the superuser. As long as the check finds a partition key, it prints none for the other objects of that database either. Read the function and what it calls. If you trust them, give them to the superuser: ALTER FUNCTION … OWNER TO CURRENT_USER. Otherwise take the function away from its owner, and keep PostgreSQL from computing it: `ALTER FUNCTION … OWNER TO CURRENT_USER; ALTER FUNCTION … VOLATILE SET search_path = pg_catalog;`. Only then drop the table or the column, or analyze or dump it.',
  onlyIfExists: [anyDomainCheck, anyUnprivilegedCode],
  database: `
WITH RECURSIVE ${unprivilegedCode},${reach},${planned},${domainChecks},
calls AS MATERIALIZED (
  SELECT e.*, c.fn, c.by_operator FROM planned e JOIN callers c ON c.classid = e.classid AND c.objid = e.objid AND c.objsubid = e.objsubid),
found(classid, objid, objsubid, detail, command) AS (
  SELECT 'pg_type'::regclass::oid, contypid, 0, format('of role %I: its constraint %I %s', pg_get_userbyid(typowner), conname, string_agg(what, ', ' ORDER BY what)),
      format('ALTER DOMAIN %s DROP CONSTRAINT %I;', contypid::regtype, conname)
    FROM domain_checks d JOIN pg_constraint n ON n.oid = d.con JOIN pg_type t ON t.oid = contypid GROUP BY contypid, typowner, conname
  UNION SELECT classid, objid, objsubid, format('calls %s of role %I', fn::regprocedure, rolname), command
    FROM calls JOIN pg_proc p ON p.oid = fn JOIN pg_roles r ON r.oid = p.proowner WHERE ${isComputed('tree')})
SELECT pg_describe_object(classid, objid, objsubid), detail,
  CASE WHEN EXISTS (SELECT FROM found k JOIN pg_partitioned_table ON partrelid = k.objid WHERE k.classid = 'pg_class'::regclass) THEN '' ELSE command END
FROM found`,
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
  title: 'search_path of the functions of indexes',
  expected: 'The functions of indexes work with only pg_catalog in the search_path',
  why: 'ANALYZE and REINDEX of the upgrade run with only pg_catalog in the search_path, as PostgreSQL 17 does for everybody. So no role can have the superuser call its own functions instead. Both compute the expressions and predicates of indexes. A function that names a table, a type or another function without its schema then fails. The table gets no statistics. If the new server must rebuild such an index, the upgrade fails in the downtime. The check reads the function, and does not run it. The upgrade asks again when the last client has disconnected.',
  severity: 'failed',
  shows: 'upgrade',
  says: 'function inner_f(integer) does not exist',
  advice: 'Give the function a search_path of its own, or name the schemas in its body.',
  onlyIfExists: ['SELECT 1 FROM pg_index WHERE indexrelid >= 16384 AND (indexprs IS NOT NULL OR indpred IS NOT NULL)'],
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
