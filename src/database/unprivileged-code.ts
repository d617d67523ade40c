// Which code of roles that are no superusers an object of a database calls, by the catalogs alone: to open a relation or to plan a query may run it.

/**
 * Common table expressions for a statement of `WITH RECURSIVE` under a search_path of pg_catalog:
 * `code(classid, objid, fn)`, functions whose owner is no superuser, and operators that call them;
 * `callers(classid, objid, objsubid, fn, by_operator)`, what has such a call in its expression, as pg_depend names it: indexes, constraints, columns, …;
 * `checked(oid, con, fn)`, types whose input may run such a function, since a constraint `con` of a domain does: the domain itself, and arrays, composite
 * types, ranges and domains over it.
 */
export const unprivilegedCode = `
code AS MATERIALIZED (
  SELECT 'pg_proc'::regclass::oid AS classid, p.oid AS objid, p.oid AS fn FROM pg_proc p JOIN pg_roles owner ON owner.oid = p.proowner WHERE p.oid >= 16384 AND NOT rolsuper
  UNION ALL SELECT 'pg_operator'::regclass, o.oid, p.oid FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode JOIN pg_roles owner ON owner.oid = p.proowner
    WHERE p.oid >= 16384 AND NOT rolsuper),
callers AS MATERIALIZED (
  SELECT DISTINCT d.classid, d.objid, d.objsubid, c.fn, c.objid <> c.fn AS by_operator
  FROM pg_depend d JOIN code c ON c.classid = d.refclassid AND c.objid = d.refobjid WHERE d.deptype <> 'e'),
parts(oid, part) AS (
  SELECT oid, typbasetype FROM pg_type WHERE oid >= 16384 AND typbasetype <> 0
  UNION ALL SELECT oid, typelem FROM pg_type WHERE oid >= 16384 AND typelem <> 0
  UNION ALL SELECT t.oid, atttypid FROM pg_type t JOIN pg_attribute ON attrelid = typrelid WHERE t.oid >= 16384 AND typrelid <> 0 AND attnum > 0 AND NOT attisdropped
  UNION ALL SELECT rngtypid, rngsubtype FROM pg_range WHERE rngtypid >= 16384),
checked AS (
  SELECT n.contypid AS oid, n.oid AS con, fn FROM callers c JOIN pg_constraint n ON n.oid = c.objid WHERE c.classid = 'pg_constraint'::regclass AND n.contypid <> 0
  UNION SELECT p.oid, c.con, c.fn FROM checked c JOIN parts p ON p.part = c.oid)`;

/** SELECT of whether there is any such function. */
export const anyUnprivilegedCode =
  'SELECT 1 FROM pg_proc p JOIN pg_roles owner ON owner.oid = p.proowner WHERE p.oid >= 16384 AND NOT rolsuper';
