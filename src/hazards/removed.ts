import { operators } from './functions.ts';
import type { Hazard } from './hazard.ts';

/** A kind of stored expression. What is built in is pinned, so not in pg_depend. */
interface Stored {
  readonly object: string;
  /** The node tree. */
  readonly tree: string;
  /** The command that drops it. */
  readonly remedy: string;
  readonly from: string;
  /** What `object` and `remedy` need besides. */
  readonly join?: string;
  readonly where?: string;
}

const stored: readonly Stored[] = [
  {
    object: `CASE c.relkind WHEN 'm' THEN 'materialized view ' WHEN 'v' THEN 'view ' ELSE format('rule %I on ', r.rulename) END || c.oid::regclass`,
    tree: `r.ev_action::text || coalesce(r.ev_qual::text, '')`,
    remedy: `CASE c.relkind WHEN 'm' THEN format('DROP MATERIALIZED VIEW %s;', c.oid::regclass) WHEN 'v' THEN format('DROP VIEW %s;', c.oid::regclass)
      ELSE format('DROP RULE %I ON %s;', r.rulename, c.oid::regclass) END`,
    from: 'pg_rewrite r',
    join: 'JOIN pg_class c ON c.oid = r.ev_class',
    where: 'r.oid >= 16384',
  },
  {
    object: `format('default of %s.%I', adrelid::regclass, attname)`,
    tree: 'adbin::text',
    remedy: `CASE attgenerated WHEN '' THEN format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT;', adrelid::regclass, attname)
      ELSE format('ALTER TABLE %s DROP COLUMN %I;', adrelid::regclass, attname) END`,
    from: 'pg_attrdef d',
    join: 'JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum',
    where: 'd.oid >= 16384',
  },
  {
    object: `'index ' || indexrelid::regclass`,
    tree: `coalesce(indexprs::text, '') || coalesce(indpred::text, '')`,
    remedy: `format('DROP INDEX %s;', indexrelid::regclass)`,
    from: 'pg_index',
    where: 'indexrelid >= 16384 AND (indexprs IS NOT NULL OR indpred IS NOT NULL)',
  },
  {
    object: `format('constraint %I of %s', conname, coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text))`,
    tree: 'conbin::text',
    remedy: `CASE conrelid WHEN 0 THEN format('ALTER DOMAIN %s DROP CONSTRAINT %I;', contypid::regtype, conname) ELSE format('ALTER TABLE %s DROP CONSTRAINT %I;', conrelid::regclass, conname) END`,
    from: 'pg_constraint',
    where: 'conbin IS NOT NULL AND oid >= 16384',
  },
  {
    object: `format('trigger %I on %s', tgname, tgrelid::regclass)`,
    tree: 'tgqual::text',
    remedy: `format('DROP TRIGGER %I ON %s;', tgname, tgrelid::regclass)`,
    from: 'pg_trigger',
    where: 'tgqual IS NOT NULL AND oid >= 16384',
  },
  {
    object: `format('policy %I on %s', polname, polrelid::regclass)`,
    tree: `coalesce(polqual::text, '') || coalesce(polwithcheck::text, '')`,
    remedy: `format('DROP POLICY %I ON %s;', polname, polrelid::regclass)`,
    from: 'pg_policy',
  },
  {
    object: `'default argument of ' || oid::regprocedure`,
    tree: 'proargdefaults::text',
    remedy: `format('DROP ROUTINE %s;', oid::regprocedure)`,
    from: 'pg_proc',
    where: 'proargdefaults IS NOT NULL AND oid >= 16384',
  },
  {
    object: `'default of domain ' || oid::regtype`,
    tree: 'typdefaultbin::text',
    remedy: `format('ALTER DOMAIN %s DROP DEFAULT;', oid::regtype)`,
    from: 'pg_type',
    where: 'typdefaultbin IS NOT NULL AND oid >= 16384',
  },
  {
    object: `'partition key of ' || partrelid::regclass`,
    tree: 'partexprs::text',
    remedy: `''`,
    from: 'pg_partitioned_table',
    where: 'partexprs IS NOT NULL',
  },
];

const storedWhere = ({ where }: Stored) => (where === undefined ? '' : ` WHERE ${where}`);
const expressions = `
expressions(object, tree, remedy) AS (
  ${stored.map((s) => `SELECT ${s.object}, ${s.tree}, ${s.remedy} FROM ${s.from} ${s.join ?? ''}${storedWhere(s)}`).join('\n  UNION ALL ')})`;
const trees = stored.map((s) => `SELECT ${s.tree} FROM ${s.from}${storedWhere(s)}`).join('\n  UNION ALL ');

const quoted = (texts: readonly string[]) => texts.map((text) => `'${text}'`).join(', ');

/**
 * The system's functions with these signatures. They are looked up by their names first: to spell out the signatures of all functions takes most of what
 * all hazards together take.
 */
function functionsWith(signatures: readonly string[]): string {
  const names = signatures.map((signature) => signature.replace(/\(.*/, '').replace(/.*\./, ''));
  return `SELECT oid FROM pg_proc WHERE oid < 16384 AND proname IN (${quoted(names)}) AND oid::regprocedure::text IN (${quoted(signatures)})`;
}

/** The functions behind the system's encoding conversions: PostgreSQL 14 gives them one argument more. */
const conversions = 'SELECT DISTINCT conproc::oid FROM pg_conversion WHERE oid < 16384';

const goneOperators = [
  ...[
    '!(bigint,NONE)',
    '!!(NONE,bigint)',
    '@(box,box)',
    '@(circle,circle)',
    '@(lseg,box)',
    '@(lseg,line)',
    '@(point,box)',
  ],
  ...['@(point,circle)', '@(point,line)', '@(point,lseg)', '@(point,path)', '@(point,polygon)', '@(polygon,polygon)'],
  ...['~(aclitem[],aclitem)', '~(box,box)', '~(circle,circle)', '~(circle,point)', '~(path,point)', '~(polygon,point)'],
  '~(polygon,polygon)',
];
const findOperators = `SELECT oid FROM pg_operator WHERE oid < 16384 AND oprname IN ('!', '!!', '@', '~') AND oid::regoperator::text IN (${quoted(goneOperators)})`;

/** Functions of PostgreSQL 12 that PostgreSQL 14 lacks under these arguments, without those of conversions. */
const goneFunctions = [
  'numeric_fac(bigint)',
  'currtid(oid,tid)',
  'opaque_in(cstring)',
  'opaque_out(opaque)',
  'shell_out(opaque)',
  'binary_upgrade_set_next_toast_pg_type_oid(oid)',
  'information_schema._pg_keysequal(smallint[],smallint[])',
];
const findFunctions = functionsWith(goneFunctions);

/**
 * What a node tree has in it where it uses one of them, as regular expressions. Functions of conversions can only be called with a value of internal_in
 * (OID 2304), so that trees need not be searched for each of them.
 */
const goneOperator = `SELECT ':opno (' || string_agg(oid::text, '|') || ') ' FROM (${findOperators}) AS gone`;
const goneFunction = `SELECT ':funcid (2304|' || string_agg(oid::text, '|') || ') ' FROM (${findFunctions}) AS gone`;

const holdsOne = (parts: string, of: readonly string[]) =>
  of.map((_, index) => `strpos(tree, ${parts}[${String(index + 1)}]) > 0`).join(' OR ');

/**
 * Operators and functions that are gone are looked for in one go, and without regular expressions: to search the trees takes longer than all else, and most
 * are short.
 */
const somethingGone = `SELECT 1 FROM (${trees}) AS stored(tree),
  (SELECT array_agg(':opno ' || oid || ' ') FROM (${findOperators}) AS gone) AS o(operators),
  (SELECT array_agg(':funcid ' || oid || ' ') FROM (${findFunctions} UNION ALL SELECT 2304) AS gone) AS f(functions)
WHERE (strpos(tree, ':opno ') > 0 AND (${holdsOne('operators', goneOperators)})) OR ${holdsOne('functions', [...goneFunctions, 'internal_in'])}`;

/** Functions with another signature in PostgreSQL 14: privileges on them can't be granted again. */
const changedFunctions = [
  'array_append(anyarray,anyelement)',
  'array_cat(anyarray,anyarray)',
  'array_position(anyarray,anyelement)',
  'array_position(anyarray,anyelement,integer)',
  'array_positions(anyarray,anyelement)',
  'array_prepend(anyelement,anyarray)',
  'array_remove(anyarray,anyelement)',
  'array_replace(anyarray,anyelement,anyelement)',
  'width_bucket(anyelement,anyarray)',
  'lag(anyelement,integer,anyelement)',
  'lead(anyelement,integer,anyelement)',
  'currtid(oid,tid)',
  'get_bit(bytea,integer)',
  'set_bit(bytea,integer,integer)',
  'numeric_fac(bigint)',
  'pg_create_logical_replication_slot(name,name,boolean)',
  'pg_terminate_backend(integer)',
  'opaque_in(cstring)',
  'opaque_out(opaque)',
  'shell_out(opaque)',
  'shell_in(cstring)',
];

const advice =
  'Save the definition of the object (pg_dump --schema-only). Drop the object with the command. Create it again without what PostgreSQL 14 lacks.';

export const removedHazards: readonly Hazard[] = [
  {
    id: 'removed-operators',
    title: 'Operators in stored expressions that PostgreSQL 14 lacks',
    expected: 'No stored expression uses an operator that PostgreSQL 14 no longer has',
    why: "PostgreSQL 14 lacks ! and !! (factorial), the geometric @ and ~, and ~ of aclitem[]. It can't create views, indexes, constraints, defaults, triggers and policies that use them.",
    severity: 'failed',
    shows: 'upgrade',
    says: 'operator does not exist: polygon ~ point; syntax error at or near ")"',
    advice: `${advice} Use factorial(), <@ and @> instead, which are the same in both versions.`,
    onlyIfExists: [somethingGone],
    database: `
WITH gone AS (${findOperators}), ${expressions},
found AS MATERIALIZED (SELECT * FROM expressions WHERE tree ~ (${goneOperator}))
SELECT object, 'uses ' || string_agg(gone.oid::regoperator::text, ', '), remedy FROM found JOIN gone ON tree ~ (':opno ' || gone.oid || ' ')
GROUP BY object, remedy`,
  },
  {
    id: 'removed-functions',
    title: 'Functions in use that PostgreSQL 14 lacks',
    expected: 'Nothing uses a function that PostgreSQL 14 no longer has',
    why: "PostgreSQL 14 lacks numeric_fac, currtid(oid, tid), the functions of opaque, and those behind encoding conversions with five arguments. It can't create stored expressions, casts and operators that use them.",
    severity: 'failed',
    shows: 'upgrade',
    says: 'function numeric_fac(bigint) does not exist',
    advice: `${advice} Use factorial() instead, which is the same in both versions.`,
    onlyIfExists: [somethingGone, 'SELECT 1 FROM pg_cast WHERE oid >= 16384', operators],
    database: `
WITH gone AS (${findFunctions} UNION ALL ${conversions}), ${expressions},
found AS MATERIALIZED (SELECT * FROM expressions WHERE tree ~ (${goneFunction}))
SELECT object, 'uses ' || string_agg(gone.oid::regprocedure::text, ', '), remedy FROM found JOIN gone ON tree ~ (':funcid ' || gone.oid || ' ')
GROUP BY object, remedy
UNION ALL
SELECT format('cast (%s AS %s)', castsource::regtype, casttarget::regtype), 'calls ' || gone.oid::regprocedure, format('DROP CAST (%s AS %s);', castsource::regtype, casttarget::regtype)
FROM pg_cast JOIN gone ON gone.oid = castfunc WHERE pg_cast.oid >= 16384
UNION ALL
SELECT 'operator ' || o.oid::regoperator, 'calls ' || gone.oid::regprocedure, format('DROP OPERATOR %s;', o.oid::regoperator)
FROM pg_operator o JOIN gone ON gone.oid = oprcode WHERE o.oid >= 16384`,
  },
  {
    id: 'removed-columns',
    title: 'System columns and views in use that PostgreSQL 14 lacks',
    expected: 'No view uses a column or view of the system that PostgreSQL 14 no longer has',
    why: 'PostgreSQL 14 lacks pg_stat_wal_receiver.received_lsn and pg_stat_ssl.compression (SELECT * names them too), pg_pltemplate, and sql_languages, sql_packages and sql_sizing_profiles of information_schema.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'column pg_stat_wal_receiver.received_lsn does not exist; relation "pg_catalog.pg_pltemplate" does not exist',
    advice,
    onlyIfExists: ['SELECT 1 FROM pg_rewrite WHERE oid >= 16384'],
    database: `
WITH views AS (SELECT r.oid AS rule, r.ev_action::text AS tree, c.oid::regclass AS name, CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE r.oid >= 16384)
SELECT v.name::text, format('uses column %s.%I', d.refobjid::regclass, a.attname), format('DROP %s %s;', v.kind, v.name)
FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid JOIN views v ON d.classid = 'pg_rewrite'::regclass AND d.objid = v.rule
WHERE d.refclassid = 'pg_class'::regclass AND (d.refobjid::regclass::text, a.attname) IN (('pg_stat_wal_receiver', 'received_lsn'), ('pg_stat_ssl', 'compression'))
UNION
SELECT v.name::text, 'uses ' || gone, format('DROP %s %s;', v.kind, v.name)
FROM views v, unnest(ARRAY['pg_catalog.pg_pltemplate', 'information_schema.sql_languages', 'information_schema.sql_packages', 'information_schema.sql_sizing_profiles']) gone
WHERE to_regclass(gone) IS NOT NULL AND v.tree ~ (':relid ' || to_regclass(gone)::oid || ' ')`,
  },
  {
    id: 'system-function-privileges',
    title: 'Changed privileges on system objects',
    expected: 'No privilege was changed on a system object that differs in PostgreSQL 14',
    why: 'pg_upgrade grants changed privileges again, and names the function with its arguments of PostgreSQL 12. The usual one is pg_terminate_backend(integer).',
    severity: 'failed',
    shows: 'upgrade',
    says: 'function pg_catalog.pg_terminate_backend(integer) does not exist',
    advice: 'Reset the privileges to what they were at first, with the commands. Grant them again after the upgrade.',
    database: `
WITH changed AS (${functionsWith(changedFunctions)} UNION ALL ${conversions}),
f AS (SELECT p.oid, proowner, coalesce(proacl, acldefault('f', proowner)) AS acl, coalesce(initprivs, acldefault('f', proowner)) AS first
  FROM changed JOIN pg_proc p USING (oid) LEFT JOIN pg_init_privs i ON i.objoid = p.oid AND i.classoid = 'pg_proc'::regclass AND i.objsubid = 0
  WHERE proacl IS NOT NULL OR initprivs IS NOT NULL)
SELECT oid::regprocedure::text, 'privileges are ' || acl::text,
  (SELECT coalesce(string_agg(DISTINCT format('REVOKE ALL ON FUNCTION %s FROM %s;', oid::regprocedure, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END), ' '), '')
    FROM (SELECT grantee FROM aclexplode(acl) EXCEPT SELECT grantee FROM aclexplode(first)) extra)
  || (SELECT coalesce(string_agg(DISTINCT format('GRANT EXECUTE ON FUNCTION %s TO %s;', oid::regprocedure, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END), ' '), '')
    FROM (SELECT grantee FROM aclexplode(first) EXCEPT SELECT grantee FROM aclexplode(acl)) lost)
FROM f WHERE NOT (acl @> first AND first @> acl)
UNION ALL
SELECT c.oid::regclass::text, 'privileges are ' || relacl::text, (SELECT string_agg(DISTINCT format('REVOKE ALL ON %s FROM %I;', c.oid::regclass, pg_get_userbyid(grantee)), ' ') FROM aclexplode(relacl) WHERE grantee NOT IN (0, relowner))
FROM pg_class c LEFT JOIN pg_init_privs i ON i.objoid = c.oid AND i.classoid = 'pg_class'::regclass AND i.objsubid = 0
WHERE c.oid = to_regclass('pg_catalog.pg_pltemplate') AND relacl IS NOT NULL AND NOT (relacl @> coalesce(initprivs, '{}') AND coalesce(initprivs, '{}') @> relacl)
UNION ALL
SELECT format('%s.%I', attrelid::regclass, attname), 'privileges are ' || attacl::text,
  (SELECT string_agg(DISTINCT format('REVOKE ALL (%I) ON %s FROM %s;', attname, attrelid::regclass, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END), ' ') FROM aclexplode(attacl))
FROM pg_attribute WHERE (attrelid, attname) IN ((to_regclass('pg_catalog.pg_stat_wal_receiver'), 'received_lsn'), (to_regclass('pg_catalog.pg_stat_ssl'), 'compression')) AND cardinality(attacl) > 0`,
  },
];
