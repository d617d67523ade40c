import type { Hazard } from './hazard.ts';
import { resets, settingsThat } from './settings.ts';

/** The built-in functions on arrays that PostgreSQL 14 declares with other pseudo-types. */
const polymorphic = `ARRAY['array_append(anyarray,anyelement)', 'array_cat(anyarray,anyarray)', 'array_prepend(anyelement,anyarray)',
  'array_remove(anyarray,anyelement)', 'array_replace(anyarray,anyelement,anyelement)', 'array_position(anyarray,anyelement)',
  'array_position(anyarray,anyelement,integer)', 'array_positions(anyarray,anyelement)', 'width_bucket(anyelement,anyarray)']::regprocedure[]`;

/** C symbols behind LANGUAGE internal that PostgreSQL 14 lacks. */
const removedSymbols = `'binary_upgrade_set_next_toast_pg_type_oid', 'currtid_byreloid', 'opaque_in', 'opaque_out', 'split_text', 'txid_current',
  'txid_current_if_assigned', 'txid_current_snapshot', 'txid_snapshot_in', 'txid_snapshot_out', 'txid_snapshot_recv', 'txid_snapshot_send',
  'txid_snapshot_xip', 'txid_snapshot_xmax', 'txid_snapshot_xmin', 'txid_status', 'txid_visible_in_snapshot'`;

/** Names of functions that are new in PostgreSQL 13 or 14, where a call without a schema then finds the built-in one. */
const newNames = `'gen_random_uuid', 'gcd', 'lcm', 'bit_count', 'date_bin', 'normalize', 'is_normalized', 'min_scale', 'trim_scale', 'string_to_table',
  'unistr', 'trim_array', 'jsonb_set_lax', 'range_agg', 'range_intersect_agg', 'pg_current_xact_id', 'pg_current_snapshot'`;

const functions = 'SELECT 1 FROM pg_proc WHERE oid >= 16384';
export const operators = 'SELECT 1 FROM pg_operator WHERE oid >= 16384';

/**
 * Whether no role but superusers can have put anything into this database, or can do so now. To plan an expression with our rights runs what is constant in
 * it, and to parse one as text runs checks of domains; who can change either between a look and that is not to be outrun. By the lists of privileges
 * themselves: who has one through another role could log in, too.
 */
const onlySuperusers = `NOT EXISTS (
    SELECT FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles other ON other.oid = d.refobjid AND NOT rolsuper JOIN pg_catalog.pg_database this ON datname = pg_catalog.current_database()
    WHERE d.refclassid = 'pg_authid'::pg_catalog.regclass AND deptype = 'o'
      AND (d.dbid = this.oid OR (d.dbid = 0 AND d.classid = 'pg_database'::pg_catalog.regclass AND d.objid = this.oid)))
  AND (NOT EXISTS (
    SELECT FROM pg_catalog.pg_roles other WHERE NOT rolsuper
      AND (rolcanlogin OR EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE usesysid = other.oid AND datname = pg_catalog.current_database())))
  OR NOT EXISTS (
    SELECT FROM (SELECT coalesce(nspacl, pg_catalog.acldefault('n', nspowner)) FROM pg_catalog.pg_namespace
        UNION ALL SELECT coalesce(datacl, pg_catalog.acldefault('d', datdba)) FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) AS lists(list),
      pg_catalog.aclexplode(list) AS granted
    WHERE privilege_type = 'CREATE' AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles other WHERE other.oid = grantee AND rolsuper)))`;

/** Of an expression `e`: whether it has, by pg_depend, what a search_path can matter to, or a type that may lead there. */
const isDoubtful = `EXISTS (
  SELECT FROM pg_catalog.pg_depend d
    LEFT JOIN pg_catalog.pg_operator o ON d.refclassid = 'pg_operator'::pg_catalog.regclass AND o.oid = d.refobjid
    LEFT JOIN pg_catalog.pg_proc p ON p.oid = CASE d.refclassid WHEN 'pg_proc'::pg_catalog.regclass THEN d.refobjid ELSE o.oprcode END AND p.oid >= 16384
      AND prolang NOT IN (12, 13) AND NOT EXISTS (SELECT FROM pg_catalog.unnest(proconfig) c WHERE c LIKE 'search_path=%')
    LEFT JOIN pg_catalog.pg_type t ON d.refclassid = 'pg_type'::pg_catalog.regclass AND t.oid = d.refobjid
    LEFT JOIN pg_catalog.pg_type element ON element.oid = t.typelem
  WHERE d.classid = e.classid AND d.objid = e.objid AND d.objsubid = e.objsubid AND d.refobjid >= 16384
    AND (p.oid IS NOT NULL OR 'e' NOT IN (t.typtype, coalesce(element.typtype, t.typtype))))`;

const notPlanned =
  'not planned here, because a role without SUPERUSER owns something in this database, or may create it. The restore test (check restore-test) plans it. So does pg_upgrade, before PostgreSQL 14 has served anybody';

export const functionHazards: readonly Hazard[] = [
  {
    id: 'postfix-operators',
    title: 'User-defined postfix operators',
    expected: 'No user-defined operator is a postfix operator',
    why: 'PostgreSQL 14 has no postfix operators.',
    severity: 'failed',
    shows: 'check',
    says: 'Your installation contains user-defined postfix operators, which are not supported anymore.',
    advice:
      'Find out who uses the operator. Have that code call the function of the operator instead. Then drop the operator. If you did not make it, ask the support of CircleCI first.',
    onlyIfExists: [operators],
    database: `
SELECT oid::regoperator::text, 'calls ' || oprcode, format('DROP OPERATOR %s;', oid::regoperator)
FROM pg_operator WHERE oprright = 0 AND oprleft <> 0 AND oid >= 16384`,
  },
  {
    id: 'encoding-conversions',
    title: 'User-defined encoding conversions',
    expected: 'There is no user-defined encoding conversion',
    why: 'Functions of encoding conversions have another signature in PostgreSQL 14.',
    severity: 'failed',
    shows: 'check',
    says: 'Your installation contains user-defined encoding conversions.',
    advice: 'Drop the conversion. After the upgrade, create it again with a function of six arguments.',
    onlyIfExists: ['SELECT 1 FROM pg_conversion WHERE oid >= 16384'],
    database: `
SELECT format('%I.%I', n.nspname, c.conname), 'calls ' || c.conproc, format('DROP CONVERSION %I.%I;', n.nspname, c.conname)
FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.oid >= 16384`,
  },
  {
    id: 'polymorphic-functions',
    title: 'User-defined aggregates and operators on built-in array functions',
    expected:
      'No user-defined aggregate or operator uses the built-in array functions that PostgreSQL 14 declares in another way',
    why: 'array_append and its relatives take anycompatiblearray in PostgreSQL 14. The checks of pg_upgrade look at transition and final functions only. On a combine function, or one of a moving aggregate, its restore fails.',
    severity: 'failed',
    shows: 'check',
    says: 'Your installation contains user-defined objects that refer to internal polymorphic functions with arguments of type "anyarray" or "anyelement".',
    advice: 'Drop them. After the upgrade, create them again with anycompatiblearray and anycompatible.',
    onlyIfExists: ['SELECT 1 FROM pg_aggregate WHERE aggfnoid >= 16384', operators],
    database: `
WITH f AS (SELECT ${polymorphic} AS l, ARRAY['anyarray', 'anyelement', 'anynonarray']::regtype[] AS any)
SELECT 'aggregate ' || a.aggfnoid::regprocedure, format('transition function %s, final function %s, combine function %s, moving ones %s, %s, %s',
    aggtransfn, aggfinalfn, aggcombinefn, aggmtransfn, aggminvtransfn, aggmfinalfn), format('DROP ROUTINE %s;', a.aggfnoid::regprocedure)
FROM pg_aggregate a, f
WHERE a.aggfnoid >= 16384 AND ((aggtranstype = ANY (f.any) AND (aggtransfn = ANY (l) OR aggfinalfn = ANY (l) OR aggcombinefn = ANY (l)))
  OR (aggmtranstype = ANY (f.any) AND (aggmtransfn = ANY (l) OR aggminvtransfn = ANY (l) OR aggmfinalfn = ANY (l))))
UNION ALL
SELECT 'operator ' || o.oid::regoperator, 'calls ' || o.oprcode, format('DROP OPERATOR %s;', o.oid::regoperator)
FROM pg_operator o, f WHERE o.oid >= 16384 AND o.oprcode = ANY (l) AND o.oprleft = ANY (f.any)`,
  },
  {
    id: 'opaque-functions',
    title: 'Functions with the type opaque',
    expected: 'No function is declared with the type opaque',
    why: 'PostgreSQL 14 has no pseudo-type opaque.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'type "opaque" does not exist',
    advice: 'Drop the function, and create it again with RETURNS trigger (language_handler, cstring).',
    onlyIfExists: [functions],
    database: `
SELECT oid::regprocedure::text, 'declared with opaque', format('DROP ROUTINE %s;', oid::regprocedure)
FROM pg_proc WHERE oid >= 16384 AND (prorettype = 2282 OR 2282 = ANY (proargtypes))`,
  },
  {
    id: 'internal-functions',
    title: 'User-defined functions in LANGUAGE internal',
    expected: 'No user-defined function names a C function that PostgreSQL 14 lacks',
    why: 'PostgreSQL finds a function in LANGUAGE internal by its C name. PostgreSQL 14 lacks some of these names.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'there is no built-in function named "split_text"',
    advice: 'Drop the function, and call the built-in SQL function instead.',
    onlyIfExists: [functions],
    database: `
SELECT oid::regprocedure::text, 'names ' || prosrc, format('DROP ROUTINE %s;', oid::regprocedure)
FROM pg_proc WHERE oid >= 16384 AND prolang = 12 AND prosrc IN (${removedSymbols})`,
  },
  {
    id: 'function-settings',
    title: 'Parameters of functions that PostgreSQL 14 refuses',
    expected: 'No function sets a parameter that PostgreSQL 14 does not know',
    why: 'PostgreSQL 14 checks the SET of a function when it creates the function.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'unrecognized configuration parameter "operator_precedence_warning"',
    advice: 'Reset the setting of the function, with the command.',
    onlyIfExists: [functions],
    database: `
WITH s AS (SELECT oid::regprocedure::text AS who, ${resets('c')} FROM pg_proc, unnest(proconfig) c WHERE oid >= 16384)
SELECT who, detail, format('ALTER ROUTINE %s RESET %I;', who, name) FROM s, ${settingsThat('refused')}`,
  },
  {
    id: 'function-environment-settings',
    title: "Parameters of functions that depend on the image's files",
    expected: "No function sets a parameter whose value depends on the image's files",
    why: 'Both images must have the time zone, locale or library. Otherwise PostgreSQL 14 can neither create nor call the function.',
    severity: 'warning',
    shows: 'upgrade',
    says: 'invalid value for parameter "TimeZone": "Bitnami"',
    advice:
      'Both images have the usual time zones: for those there is nothing to do. For anything else make sure that both images have it, or reset the setting.',
    onlyIfExists: [functions],
    database: `
WITH s AS (SELECT oid::regprocedure::text AS who, ${resets('c')} FROM pg_proc, unnest(proconfig) c WHERE oid >= 16384)
SELECT who, detail, format('ALTER ROUTINE %s RESET %I;', who, name) FROM s, ${settingsThat('environmental')}`,
  },
  {
    id: 'inlined-functions',
    title: 'search_path of expressions in tables and indexes',
    expected: 'Expressions of tables and indexes can be planned without a search_path',
    why: 'The restore fills the new cluster with an empty search_path. It inlines an SQL function in an index, a CHECK, a generated column or a partition key. Then it must find every name in the body. The check plans each such expression in the same way, without executing it, where only superusers can have made it. In other databases the server would run code of a role with the rights of the action. There the check only warns of expressions with functions or types of your own, and the restore test plans them.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'function inner_f(integer) does not exist',
    doubt: notPlanned,
    advice: 'Name the schemas in the body of the function, or give it a search_path of its own.',
    onlyIfExists: [
      'SELECT 1 FROM pg_index WHERE indexrelid >= 16384 AND (indexprs IS NOT NULL OR indpred IS NOT NULL)',
      "SELECT 1 FROM pg_constraint WHERE contype = 'c' AND oid >= 16384",
      "SELECT 1 FROM pg_attrdef WHERE (SELECT attgenerated FROM pg_attribute WHERE attrelid = adrelid AND attnum = adnum) <> ''",
      'SELECT 1 FROM pg_partitioned_table WHERE partexprs IS NOT NULL',
    ],
    before: `
SET upgrade.inlined TO DEFAULT;
DO $do$
DECLARE
  r record;
  found jsonb := '[]';
BEGIN
  PERFORM pg_catalog.set_config('search_path', '', true);
  FOR r IN
    WITH trust AS MATERIALIZED (SELECT ${onlySuperusers} AS is_given),
    e AS (
      SELECT 'index ' || indexrelid::pg_catalog.regclass AS object, indrelid AS relation, indexprs AS expression, 'pg_class'::pg_catalog.regclass::oid AS classid, indexrelid AS objid, 0 AS objsubid
        FROM pg_catalog.pg_index WHERE indexprs IS NOT NULL AND indexrelid >= 16384
      UNION ALL SELECT 'predicate of index ' || indexrelid::pg_catalog.regclass, indrelid, indpred, 'pg_class'::pg_catalog.regclass, indexrelid, 0
        FROM pg_catalog.pg_index WHERE indpred IS NOT NULL AND indexrelid >= 16384
      UNION ALL SELECT pg_catalog.format('constraint %I of %s', conname, conrelid::pg_catalog.regclass), conrelid, conbin, 'pg_constraint'::pg_catalog.regclass, oid, 0
        FROM pg_catalog.pg_constraint WHERE contype = 'c' AND conrelid <> 0 AND oid >= 16384
      UNION ALL SELECT pg_catalog.format('generated column %s.%I', adrelid::pg_catalog.regclass, attname), adrelid, adbin, 'pg_class'::pg_catalog.regclass, adrelid, attnum
        FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE attgenerated <> '' AND d.oid >= 16384
      UNION ALL SELECT 'partition key of ' || partrelid::pg_catalog.regclass, partrelid, NULL, 'pg_class'::pg_catalog.regclass, partrelid, 0
        FROM pg_catalog.pg_partitioned_table WHERE partexprs IS NOT NULL)
    SELECT object, relation, is_given, CASE WHEN is_given THEN pg_catalog.pg_get_expr(expression, relation) END AS expression,
      coalesce(expression, (SELECT partexprs FROM pg_catalog.pg_partitioned_table WHERE partrelid = relation))::text AS tree
    FROM e, trust WHERE is_given OR ${isDoubtful}
  LOOP
    BEGIN
      IF NOT r.is_given THEN found := found || pg_catalog.jsonb_build_object('object', r.object, 'detail', '${notPlanned}');
      ELSIF r.expression IS NULL THEN PERFORM pg_catalog.pg_get_partkeydef(r.relation);
      ELSE EXECUTE 'EXPLAIN SELECT ROW(' || r.expression || ') FROM ONLY ' || r.relation::pg_catalog.regclass;
      END IF;
    EXCEPTION
      WHEN lock_not_available OR insufficient_privilege THEN RAISE;
      WHEN OTHERS THEN found := found || pg_catalog.jsonb_build_object('object', r.object, 'detail', SQLERRM, 'tree', r.tree);
    END;
  END LOOP;
  PERFORM pg_catalog.set_config('upgrade.inlined', found::text, false);
END $do$;
`.trim(),
    database: `
SELECT f.object, f.detail, coalesce((
  SELECT string_agg(format('ALTER FUNCTION %s SET search_path = %s;', p.oid::regprocedure,
    CASE n.nspname WHEN 'public' THEN 'public' ELSE quote_ident(n.nspname) || ', public' END), E'\\n' ORDER BY p.oid)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.oid >= 16384 AND p.prolang = 14 AND f.tree ~ (':funcid ' || p.oid || ' ')), '')
FROM json_to_recordset(current_setting('upgrade.inlined')::json) AS f(object text, detail text, tree text)`,
  },
  {
    id: 'shadowed-functions',
    title: 'User-defined functions with a new built-in name',
    expected: 'No user-defined function has the name of a built-in one that is new',
    why: 'pg_catalog comes first in every search_path. So a call without a schema finds the built-in function of PostgreSQL 14, if its arguments fit.',
    severity: 'warning',
    shows: 'never',
    advice: 'Call the function with its schema, or make sure that the built-in one does the same.',
    onlyIfExists: [functions],
    database: `
SELECT p.oid::regprocedure::text, 'PostgreSQL 14 has a built-in function of this name, which PostgreSQL 12 lacks', ''
FROM pg_proc p WHERE p.oid >= 16384 AND p.proname IN (${newNames})
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`,
  },
];
