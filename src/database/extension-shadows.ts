/**
 * Common table expression `shadows(extension, object)` for a search_path of pg_catalog: what might come between a script of an extension and the objects that it
 * means. A script runs as the superuser and searches the extension's schema and those of the extensions that it needs. So a function or an operator there whose
 * owner is no superuser may be the better match for a call, where pg_catalog or one of these extensions has one of the same name; a type or a relation, where
 * one of these extensions has it. CVE-2020-14350 is this of PostgreSQL's own scripts, mended in 12.4; scripts of others were not looked at.
 */
export const extensionShadows = `
searched(extension, owner, namespace) AS (
  SELECT oid, oid, extnamespace FROM pg_extension
  UNION SELECT d.objid, e.oid, e.extnamespace FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_extension'::regclass AND d.refclassid = 'pg_extension'::regclass),
named(classid, objid, name, namespace, owner) AS (
  SELECT 'pg_proc'::regclass, oid, proname, pronamespace, proowner FROM pg_proc
  UNION ALL SELECT 'pg_operator'::regclass, oid, oprname, oprnamespace, oprowner FROM pg_operator
  UNION ALL SELECT 'pg_type'::regclass, oid, typname, typnamespace, typowner FROM pg_type WHERE oid >= 16384 AND typelem = 0),
members(extension, classid, name) AS (
  SELECT d.refobjid, n.classid, n.name FROM pg_depend d JOIN named n ON n.classid = d.classid AND n.objid = d.objid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'),
shadows(extension, object) AS (
  SELECT DISTINCT s.extension, format('%s of role %I', pg_describe_object(n.classid, n.objid, 0), r.rolname)
  FROM named n JOIN pg_roles r ON r.oid = n.owner AND NOT rolsuper JOIN searched s ON s.namespace = n.namespace
  WHERE n.objid >= 16384 AND (
    (n.classid <> 'pg_type'::regclass AND EXISTS (SELECT FROM named c WHERE c.classid = n.classid AND c.name = n.name AND c.namespace = 'pg_catalog'::regnamespace))
    OR EXISTS (SELECT FROM searched o JOIN members m ON m.extension = o.owner WHERE o.extension = s.extension AND m.classid = n.classid AND m.name = n.name)))`;

/** How many of an extension's shadows are listed. */
const most = 5;

/** An array of JSON: the first of them, as PostgreSQL describes them. @param extension its OID, in SQL */
export function shadowsOf(extension: string): string {
  return `(SELECT coalesce(json_agg(object ORDER BY object), '[]'::json) FROM (SELECT object FROM shadows s WHERE s.extension = ${extension} ORDER BY object LIMIT ${String(most)}) first)`;
}
