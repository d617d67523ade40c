// Which code of roles that are no superusers an object of a database calls, by the catalogs alone: to open a relation or to plan a query may run it.

/**
 * Common table expressions for a statement of `WITH RECURSIVE` under a search_path of pg_catalog:
 * `code(classid, objid, fn)`, functions whose owner is no superuser, and operators that call them;
 * `callers(classid, objid, objsubid, fn, by_operator)`, what has such a call in its expression, as pg_depend names it: indexes, constraints, columns and others.
 */
export const unprivilegedCode = `
code AS MATERIALIZED (
  SELECT 'pg_proc'::regclass::oid AS classid, p.oid AS objid, p.oid AS fn FROM pg_proc p JOIN pg_roles owner ON owner.oid = p.proowner WHERE p.oid >= 16384 AND NOT rolsuper
  UNION ALL SELECT 'pg_operator'::regclass, o.oid, p.oid FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode JOIN pg_roles owner ON owner.oid = p.proowner
    WHERE p.oid >= 16384 AND NOT rolsuper),
callers AS MATERIALIZED (
  SELECT DISTINCT d.classid, d.objid, d.objsubid, c.fn, c.objid <> c.fn AS by_operator
  FROM pg_depend d JOIN code c ON c.classid = d.refclassid AND c.objid = d.refobjid WHERE d.deptype <> 'e')`;

/** SELECT of whether there is any such function. */
export const anyUnprivilegedCode =
  'SELECT 1 FROM pg_proc p JOIN pg_roles owner ON owner.oid = p.proowner WHERE p.oid >= 16384 AND NOT rolsuper';
