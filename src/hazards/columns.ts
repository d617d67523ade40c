import type { Hazard } from './hazard.ts';

/**
 * Roles without SUPERUSER to which a table belongs, or one that inherits from it; NULL where there are none. ALTER TABLE runs their CHECKs, casts and
 * generated columns with the rights of whoever enters it, and SET ROLE is no barrier: so they must enter it themselves.
 */
const ordinaryOwners = (table: string) => `(
  WITH RECURSIVE down(relid) AS (SELECT ${table} UNION SELECT inhrelid FROM down JOIN pg_inherits ON inhparent = relid)
  SELECT string_agg(DISTINCT quote_ident(pg_get_userbyid(relowner)), ', ') FROM down JOIN pg_class k ON k.oid = relid LEFT JOIN pg_roles r ON r.oid = relowner WHERE NOT coalesce(rolsuper, false))`;

/** Roles without SUPERUSER to which the type of a column belongs, or one in it, or what a cast from such a type calls; NULL where there are none. */
const typeOwners = (type: string) => `(
  SELECT string_agg(DISTINCT quote_ident(pg_get_userbyid(owner)), ', ') FROM contained k JOIN pg_type y ON y.oid = k.part,
    LATERAL (SELECT y.typowner UNION SELECT proowner FROM pg_cast JOIN pg_proc p ON p.oid = castfunc WHERE castsource = y.oid) AS of(owner) LEFT JOIN pg_roles r ON r.oid = owner
  WHERE k.type = ${type} AND NOT coalesce(rolsuper, false))`;

/** Who has to run the command, where it is not for the superuser: appended to the detail. */
const runBy = (roles: string) => `coalesce('; to be altered by role ' || ${roles} || ', in a login of its own', '')`;

/**
 * Columns with files of their own, of a type that is, or contains, one of `roots` (a SELECT of types' OIDs). As pg_upgrade looks for them, but among
 * the columns of users alone: a row type of the system's that contains one is a hazard by itself. It goes from the few types that columns have to
 * those in them, and not from the roots through all types. An index on a column is rebuilt by the ALTER of that column, and goes with a view that goes: only
 * one that computes such a value, from whatever columns, is a hazard by itself. PostgreSQL 12 marks such a key by the number 0.
 * A column that is inherited is altered where it comes from, which alters it in all children.
 */
function columnsOf(roots: string): string {
  return `
WITH RECURSIVE contained(type, part) AS (
  SELECT DISTINCT atttypid, atttypid FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0 AND NOT attisdropped
  UNION
  SELECT c.type, inside.part FROM contained c JOIN pg_type t ON t.oid = c.part, LATERAL (
    SELECT typbasetype WHERE typtype = 'd'
    UNION ALL SELECT typelem WHERE typtype = 'b' AND typelem <> 0
    UNION ALL SELECT atttypid FROM pg_attribute WHERE typtype = 'c' AND typrelid >= 16384 AND attrelid = typrelid AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT rngsubtype FROM pg_range WHERE typtype = 'r' AND rngtypid = t.oid) AS inside(part)),
columns AS (
  SELECT c.oid, c.relkind, a.attname, a.atttypid, t.typcategory, format_type(a.atttypid, a.atttypmod) AS type,
    CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid WHEN a.attinhcount = 0 THEN c.oid ELSE (
      WITH RECURSIVE up(relid, attinhcount) AS (SELECT c.oid, a.attinhcount UNION SELECT inhparent, p.attinhcount FROM up JOIN pg_inherits ON inhrelid = relid
        JOIN pg_attribute p ON p.attrelid = inhparent AND p.attname = a.attname AND NOT p.attisdropped)
      SELECT min(relid) FROM up WHERE attinhcount = 0) END AS owner, x.indrelid, k.conname
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_index x ON x.indexrelid = c.oid LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.contype = 'x'
  WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = ANY (ARRAY(SELECT type FROM contained WHERE part IN (${roots})))
    AND (c.relkind IN ('r', 'm') OR (c.relkind = 'i' AND x.indkey[a.attnum - 1] = 0)) AND n.nspname !~ '^pg_temp_' AND n.nspname !~ '^pg_toast_temp_' AND n.nspname NOT IN ('pg_catalog', 'information_schema'))
SELECT format('%s.%I', oid::regclass, attname), 'type ' || type || ${runBy('roles')},
  CASE relkind WHEN 'i' THEN CASE WHEN conname IS NULL THEN format('DROP INDEX %s;', owner::regclass) ELSE format('ALTER TABLE %s DROP CONSTRAINT %I;', indrelid::regclass, conname) END
    WHEN 'm' THEN format('DROP MATERIALIZED VIEW %s;', oid::regclass)
    ELSE CASE WHEN roles IS NULL THEN format('ALTER TABLE %s ALTER COLUMN %I TYPE %s USING %I::%s;', owner::regclass, attname, target, attname, target) ELSE '' END END
FROM columns, LATERAL (SELECT CASE typcategory WHEN 'A' THEN 'text[]' ELSE 'text' END AS target, CASE relkind WHEN 'r' THEN coalesce(${ordinaryOwners('columns.owner')}, ${typeOwners('columns.atttypid')}) END AS roles) t`;
}

/** A column of another type than the system's own base types and arrays of them, of which only reg* hold OIDs. One that was dropped has no type. */
const unusualColumns = `SELECT 1 FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0 AND atttypid <> 0 AND atttypid NOT IN (
  SELECT oid FROM pg_type t WHERE oid < 16384 AND typtype = 'b' AND typname !~ '^_?reg'
    AND (typelem = 0 OR (SELECT e.typtype FROM pg_type e WHERE e.oid = t.typelem) = 'b'))`;

const advice =
  'Change the columns to text, or drop them. Queries that expect the old type then need a cast. First drop each view or default on the column, and each index whose expression or condition needs the old type. Create them again afterwards. For a table or a type of a role without SUPERUSER, no command is printed. Run by the superuser, it would run code of that role with all rights. Let that role run the command in a login of its own: ALTER TABLE … ALTER COLUMN … TYPE text USING …::text';

export const columnHazards: readonly Hazard[] = [
  {
    id: 'reg-type-columns',
    title: 'Columns with OIDs of functions, operators or text search objects',
    expected: 'No column holds OIDs of functions, operators or text search objects',
    why: 'The types regproc, regprocedure, regoper, regoperator, regconfig, regdictionary, regnamespace and regcollation store OIDs, which differ in the new cluster. The check looks for them in domains, arrays, composite types and ranges too.',
    severity: 'failed',
    shows: 'check',
    says: 'Your installation contains one of the reg* data types in user tables.',
    advice,
    onlyIfExists: [unusualColumns],
    database: columnsOf(
      "SELECT oid FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typname IN ('regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper', 'regoperator', 'regproc', 'regprocedure')",
    ),
  },
  {
    id: 'system-row-type-columns',
    title: 'Columns with a row type of the system',
    expected: "No column has the row type of one of the system's relations",
    why: 'Catalogs and the views of information_schema have other columns in PostgreSQL 14, which could not read their stored rows.',
    severity: 'failed',
    shows: 'check',
    says: 'Your installation contains system-defined composite type(s) in user tables.',
    advice,
    onlyIfExists: [unusualColumns],
    database: columnsOf(
      "SELECT t.oid FROM pg_type t LEFT JOIN pg_namespace n ON n.oid = t.typnamespace WHERE typtype = 'c' AND (t.oid < 16384 OR nspname = 'information_schema')",
    ),
  },
  {
    id: 'information-schema-arrays',
    title: 'Columns with arrays of information_schema domains',
    expected: 'No column is an array of a domain of information_schema',
    why: 'Each array stores the OID of its element type. The domains of information_schema have other OIDs in PostgreSQL 14. The upgrade succeeds, but nobody can read the column any more. CREATE TABLE AS with array_agg over information_schema makes such columns.',
    severity: 'failed',
    shows: 'never',
    says: 'ERROR: cache lookup failed for type 13115',
    advice,
    onlyIfExists: [unusualColumns],
    database: columnsOf(
      "SELECT t.oid FROM pg_type t JOIN pg_type e ON e.oid = t.typelem WHERE t.typcategory = 'A' AND e.typnamespace = 'information_schema'::regnamespace AND e.oid < 16384",
    ),
  },
  {
    id: 'inherited-not-null',
    title: 'Child tables without a NOT NULL of their parent',
    expected: 'No child table lacks a NOT NULL of its parent',
    why: 'pg_dump writes NOT NULL with the parent, and PostgreSQL 14 refuses to attach the child.',
    severity: 'failed',
    shows: 'check',
    says: 'Your installation contains inconsistent NOT NULL constraints.',
    advice:
      "Give the children's columns the NOT NULL of the parent. First change rows with NULL in these columns. For a table of a role without SUPERUSER, no command is printed. Run by the superuser, it would run code of that role with all rights. Let that role run the command in a login of its own: ALTER TABLE … ALTER COLUMN … SET NOT NULL",
    onlyIfExists: ['SELECT 1 FROM pg_inherits'],
    database: `
SELECT DISTINCT format('%s.%I', inhrelid::regclass, attname), 'its parent ' || inhparent::regclass || ' has NOT NULL' || ${runBy('roles')},
  CASE WHEN roles IS NULL THEN format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;', inhrelid::regclass, attname) ELSE '' END
FROM pg_inherits, LATERAL (SELECT ${ordinaryOwners('inhrelid')} AS roles) o, LATERAL (
  SELECT attname FROM pg_attribute parent JOIN pg_attribute child USING (attname) WHERE parent.attrelid = inhparent AND child.attrelid = inhrelid
    AND parent.attnum > 0 AND parent.attnotnull AND NOT child.attnotnull AND NOT child.attisdropped OFFSET 0) nullable`,
  },
];
