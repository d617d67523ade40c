import type { Hazard } from './hazard.ts';

/** Every stored expression: `object`, its node tree `tree`, and the command that drops it. What is built in is pinned, so not in pg_depend. */
const expressions = `
expressions(object, tree, remedy) AS (
  SELECT CASE c.relkind WHEN 'm' THEN 'materialized view ' WHEN 'v' THEN 'view ' ELSE format('rule %I on ', r.rulename) END || c.oid::regclass, r.ev_action::text || coalesce(r.ev_qual::text, ''),
    CASE c.relkind WHEN 'm' THEN format('DROP MATERIALIZED VIEW %s;', c.oid::regclass) WHEN 'v' THEN format('DROP VIEW %s;', c.oid::regclass)
      ELSE format('DROP RULE %I ON %s;', r.rulename, c.oid::regclass) END
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE r.oid >= 16384
  UNION ALL SELECT format('default of %s.%I', adrelid::regclass, attname), adbin::text,
    CASE attgenerated WHEN '' THEN format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT;', adrelid::regclass, attname)
      ELSE format('ALTER TABLE %s DROP COLUMN %I;', adrelid::regclass, attname) END
    FROM pg_attrdef d JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE d.oid >= 16384
  UNION ALL SELECT 'index ' || indexrelid::regclass, coalesce(indexprs::text, '') || coalesce(indpred::text, ''), format('DROP INDEX %s;', indexrelid::regclass)
    FROM pg_index WHERE indexrelid >= 16384 AND (indexprs IS NOT NULL OR indpred IS NOT NULL)
  UNION ALL SELECT format('constraint %I of %s', conname, coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text)), conbin::text,
    CASE conrelid WHEN 0 THEN format('ALTER DOMAIN %s DROP CONSTRAINT %I;', contypid::regtype, conname) ELSE format('ALTER TABLE %s DROP CONSTRAINT %I;', conrelid::regclass, conname) END
    FROM pg_constraint WHERE conbin IS NOT NULL AND oid >= 16384
  UNION ALL SELECT format('trigger %I on %s', tgname, tgrelid::regclass), tgqual::text, format('DROP TRIGGER %I ON %s;', tgname, tgrelid::regclass)
    FROM pg_trigger WHERE tgqual IS NOT NULL AND oid >= 16384
  UNION ALL SELECT format('policy %I on %s', polname, polrelid::regclass), coalesce(polqual::text, '') || coalesce(polwithcheck::text, ''), format('DROP POLICY %I ON %s;', polname, polrelid::regclass)
    FROM pg_policy
  UNION ALL SELECT 'default argument of ' || oid::regprocedure, proargdefaults::text, format('DROP ROUTINE %s;', oid::regprocedure)
    FROM pg_proc WHERE proargdefaults IS NOT NULL AND oid >= 16384
  UNION ALL SELECT 'default of domain ' || oid::regtype, typdefaultbin::text, format('ALTER DOMAIN %s DROP DEFAULT;', oid::regtype)
    FROM pg_type WHERE typdefaultbin IS NOT NULL AND oid >= 16384
  UNION ALL SELECT 'partition key of ' || partrelid::regclass, partexprs::text, ''
    FROM pg_partitioned_table WHERE partexprs IS NOT NULL)`;

/**
 * That a row of pg_proc is one of the system's functions with these signatures. The names are asked first: to spell out the
 * signatures of all functions takes most of what all hazards together take.
 */
function isOneOf(alias: string, signatures: readonly string[]): string {
  const quoted = (texts: readonly string[]) => texts.map((text) => `'${text}'`).join(', ');
  const names = signatures.map((signature) => signature.replace(/\(.*/, '').replace(/.*\./, ''));
  return `${alias}.proname IN (${quoted(names)}) AND ${alias}.oid::regprocedure::text IN (${quoted(signatures)})`;
}

/** The functions behind encoding conversions: one argument more in 14. */
const isConversion = (alias: string) => `${alias}.pronargs = 5 AND ${alias}.proargtypes::text = '23 23 2275 2281 23'`;

/**
 * Functions of 12 that 14 does not have under these arguments. Those of conversions can only be called with a value of internal_in (OID 2304), so that
 * expressions need not be searched for each of them.
 */
const goneFunctions = `
  SELECT oid, oid::regprocedure::text AS name, is_named FROM (SELECT oid, ${isOneOf('p', [
    'numeric_fac(bigint)',
    'currtid(oid,tid)',
    'opaque_in(cstring)',
    'opaque_out(opaque)',
    'shell_out(opaque)',
    'binary_upgrade_set_next_toast_pg_type_oid(oid)',
    'information_schema._pg_keysequal(smallint[],smallint[])',
  ])} AS is_named, ${isConversion('p')} AS is_conversion FROM pg_proc p WHERE p.oid < 16384) AS functions
  WHERE is_named OR is_conversion`;
const goneCalls = "SELECT ':funcid (2304|' || string_agg(oid::text, '|') || ') ' FROM gone WHERE is_named";

/** Functions whose signature is another one in 14: privileges on them can't be given again. */
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
  'Keep its definition (pg_dump --schema-only), drop it with the command, and make it again without what is gone.';

export const removedHazards: readonly Hazard[] = [
  {
    id: 'removed-operators',
    title: 'No stored expression uses an operator that 14 no longer has',
    why: 'Gone are ! and !! (factorial), the geometric @ and ~, and ~ of aclitem[]. Views, indexes, constraints, defaults, triggers and policies with them can not be made again.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'operator does not exist: polygon ~ point; syntax error at or near ")"',
    advice: `${advice} factorial(), <@ and @> are the same in 12 and 14.`,
    database: `
WITH gone AS (SELECT oid, oid::regoperator::text AS name FROM pg_operator WHERE oid < 16384 AND oprname IN ('!', '!!', '@', '~') AND oid::regoperator::text IN
    ('!(bigint,NONE)', '!!(NONE,bigint)', '@(box,box)', '@(circle,circle)', '@(lseg,box)', '@(lseg,line)', '@(point,box)', '@(point,circle)', '@(point,line)', '@(point,lseg)', '@(point,path)',
     '@(point,polygon)', '@(polygon,polygon)', '~(aclitem[],aclitem)', '~(box,box)', '~(circle,circle)', '~(circle,point)', '~(path,point)', '~(polygon,point)', '~(polygon,polygon)')),
${expressions},
found AS MATERIALIZED (SELECT * FROM expressions WHERE tree ~ (SELECT ':opno (' || string_agg(oid::text, '|') || ') ' FROM gone))
SELECT object, 'uses ' || string_agg(name, ', '), remedy FROM found JOIN gone ON tree ~ (':opno ' || gone.oid || ' ')
GROUP BY object, remedy`,
  },
  {
    id: 'removed-functions',
    title: 'Nothing uses a function that 14 no longer has',
    why: 'Gone are numeric_fac, currtid(oid, tid), the functions of opaque, and those behind encoding conversions with five arguments. Stored expressions, casts and operators with them can not be made again.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'function numeric_fac(bigint) does not exist',
    advice: `${advice} factorial() is the same in 12 and 14.`,
    database: `
WITH gone AS (${goneFunctions}), ${expressions},
found AS MATERIALIZED (SELECT * FROM expressions WHERE tree ~ (${goneCalls}))
SELECT object, 'uses ' || string_agg(name, ', '), remedy FROM found JOIN gone ON tree ~ (':funcid ' || gone.oid || ' ')
GROUP BY object, remedy
UNION ALL
SELECT format('cast (%s AS %s)', castsource::regtype, casttarget::regtype), 'calls ' || name, format('DROP CAST (%s AS %s);', castsource::regtype, casttarget::regtype)
FROM pg_cast JOIN gone ON gone.oid = castfunc WHERE pg_cast.oid >= 16384
UNION ALL
SELECT 'operator ' || o.oid::regoperator, 'calls ' || name, format('DROP OPERATOR %s;', o.oid::regoperator)
FROM pg_operator o JOIN gone ON gone.oid = oprcode WHERE o.oid >= 16384`,
  },
  {
    id: 'removed-columns',
    title: 'No view uses a column or view of the system that 14 no longer has',
    why: 'Gone are pg_stat_wal_receiver.received_lsn, pg_stat_ssl.compression (SELECT * names them too), pg_pltemplate, and sql_languages, sql_packages, sql_sizing_profiles of information_schema.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'column pg_stat_wal_receiver.received_lsn does not exist; relation "pg_catalog.pg_pltemplate" does not exist',
    advice,
    among: 'SELECT 1 FROM pg_rewrite WHERE oid >= 16384',
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
    title: 'No privilege was changed on a system object that is another one in 14',
    why: 'pg_upgrade gives changed privileges again, and names the function with its arguments of 12. pg_terminate_backend(integer) is the usual one.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'function pg_catalog.pg_terminate_backend(integer) does not exist',
    advice: 'Put the privileges back to what they were at first; give them again after the upgrade.',
    database: `
WITH f AS (SELECT p.oid, proowner, coalesce(proacl, acldefault('f', proowner)) AS acl, coalesce(initprivs, acldefault('f', proowner)) AS first
  FROM pg_proc p LEFT JOIN pg_init_privs i ON i.objoid = p.oid AND i.classoid = 'pg_proc'::regclass AND i.objsubid = 0
  WHERE p.oid < 16384 AND (${isOneOf('p', changedFunctions)} OR ${isConversion('p')}))
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
FROM pg_attribute WHERE cardinality(attacl) > 0 AND (attrelid::regclass::text, attname) IN (('pg_stat_wal_receiver', 'received_lsn'), ('pg_stat_ssl', 'compression'))`,
  },
];
