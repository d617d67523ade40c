import { orphanedObjects } from './orphaned-objects.ts';
import type { Hazard } from './hazard.ts';

/** A catalog with lists of privileges. */
interface Listing {
  readonly catalog: string;
  readonly column: string;
  /** OID of the catalog, of the object and number of its part, as pg_describe_object takes them. */
  readonly address?: string;
  /** What finds the row again, as SQL that makes SQL. */
  readonly key?: string;
}

/**
 * Lists of privileges that name a dropped role, with the statement that removes exactly these items. The lists are gathered before they
 * are looked into, so that the question is planned once and not for each catalog; and each is looked into once, since most are alike.
 * aclexplode makes a row of each privilege: an item is kept once, since REVOKE would revoke only one of several. A column without privileges has no list.
 */
function dangling(listings: readonly Listing[]): string {
  const gathered = listings.map(
    ({ catalog, column, address = `'${catalog}'::regclass, oid, 0`, key = "'oid = ' || oid" }) =>
      `SELECT '${catalog}', '${column}', ${column}, ${key}, ${address} FROM pg_catalog.${catalog} WHERE ${column} IS NOT NULL`,
  );
  return `
WITH roles AS MATERIALIZED (SELECT array_agg(oid) AS known FROM pg_roles),
lists(catalog, col, acl, key, classid, objid, objsubid) AS MATERIALIZED (
  ${gathered.join('\n  UNION ALL ')}),
dangling AS MATERIALIZED (SELECT acl, known FROM (SELECT DISTINCT acl FROM lists) l, roles WHERE CASE WHEN cardinality(acl) > 0
  THEN EXISTS (SELECT FROM aclexplode(acl) e WHERE (e.grantee <> 0 AND e.grantee <> ALL (known)) OR e.grantor <> ALL (known)) END),
found AS (SELECT * FROM lists JOIN dangling USING (acl))
SELECT CASE catalog WHEN 'pg_default_acl' THEN 'default privileges' WHEN 'pg_init_privs' THEN 'initial privileges of ' ELSE '' END
    || CASE catalog WHEN 'pg_default_acl' THEN '' ELSE coalesce(pg_describe_object(classid, objid, objsubid), 'OID ' || objid) END,
  'its privileges name a role that was dropped: ' || acl::text,
  format('UPDATE pg_catalog.%s SET %s = %L WHERE %s;', catalog, col, CASE WHEN cardinality(kept) > 0 OR catalog <> 'pg_attribute' THEN kept::text END, key)
FROM found, LATERAL (SELECT coalesce(array_agg(item ORDER BY n), '{}') AS kept FROM unnest(acl) WITH ORDINALITY AS items(item, n)
  WHERE NOT EXISTS (SELECT FROM aclexplode(ARRAY[item]) e WHERE (e.grantee <> 0 AND e.grantee <> ALL (known)) OR e.grantor <> ALL (known))) k`;
}

export const privilegeHazards: readonly Hazard[] = [
  {
    id: 'dangling-privileges',
    title: 'Privileges of dropped roles',
    expected: 'No list of privileges names a role that was dropped',
    why: "The new cluster can't grant the privilege again. It usually comes about when a superuser creates an extension, and is dropped after REASSIGN OWNED.",
    severity: 'failed',
    shows: 'upgrade',
    says: 'role "16384" does not exist',
    advice: 'Remove the item from the list. Only a change of the catalog can do that, so back up the database first.',
    server: dangling([
      { catalog: 'pg_database', column: 'datacl' },
      { catalog: 'pg_tablespace', column: 'spcacl' },
    ]),
    database: dangling([
      { catalog: 'pg_class', column: 'relacl' },
      { catalog: 'pg_proc', column: 'proacl' },
      { catalog: 'pg_namespace', column: 'nspacl' },
      { catalog: 'pg_type', column: 'typacl' },
      { catalog: 'pg_language', column: 'lanacl' },
      { catalog: 'pg_foreign_data_wrapper', column: 'fdwacl' },
      { catalog: 'pg_foreign_server', column: 'srvacl' },
      {
        catalog: 'pg_attribute',
        column: 'attacl',
        address: "'pg_class'::regclass, attrelid, attnum",
        key: "format('attrelid = %s AND attnum = %s', attrelid, attnum)",
      },
      { catalog: 'pg_largeobject_metadata', column: 'lomacl', address: "'pg_largeobject'::regclass, oid, 0" },
      { catalog: 'pg_default_acl', column: 'defaclacl' },
      {
        catalog: 'pg_init_privs',
        column: 'initprivs',
        address: 'classoid, objoid, objsubid',
        key: "format('classoid = %s AND objoid = %s AND objsubid = %s', classoid, objoid, objsubid)",
      },
    ]),
  },
  {
    id: 'information-schema-privileges',
    title: 'Changed privileges in information_schema',
    expected: 'No privilege was changed in information_schema',
    why: 'pg_dump leaves out what was granted or revoked there. After the upgrade, everybody can read its views again.',
    severity: 'warning',
    shows: 'never',
    advice: 'Grant or revoke the same after the upgrade. The commands reset the privileges to what they were at first.',
    // What initdb grants there is in no catalog: everybody may read all but a few.
    database: `
WITH o AS (
  SELECT c.oid::regclass::text AS object, 'TABLE' AS kind, coalesce(relacl, acldefault('r', relowner)) AS acl,
    CASE WHEN relname LIKE '\\_pg\\_%' OR relname IN ('sql_parts', 'transforms') THEN acldefault('r', relowner) ELSE acldefault('r', relowner) || makeaclitem(0, relowner, 'SELECT', false) END AS first
    FROM pg_class c WHERE relnamespace = 'information_schema'::regnamespace AND c.oid < 16384 AND relkind IN ('r', 'v')
  UNION ALL SELECT 'information_schema', 'SCHEMA', coalesce(nspacl, acldefault('n', nspowner)), acldefault('n', nspowner) || makeaclitem(0, nspowner, 'USAGE', false)
    FROM pg_namespace WHERE nspname = 'information_schema')
SELECT object, 'privileges are ' || acl::text || ', at first ' || first::text,
  (SELECT coalesce(string_agg(format('REVOKE %s ON %s %s FROM %s;', privilege_type, kind, object, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END), ' '), '')
    FROM (SELECT grantee, privilege_type FROM aclexplode(acl) EXCEPT SELECT grantee, privilege_type FROM aclexplode(first)) extra)
  || (SELECT coalesce(string_agg(format('GRANT %s ON %s %s TO %s;', privilege_type, kind, object, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END), ' '), '')
    FROM (SELECT grantee, privilege_type FROM aclexplode(first) EXCEPT SELECT grantee, privilege_type FROM aclexplode(acl)) lost)
FROM o WHERE NOT (acl @> first AND first @> acl)`,
  },
  {
    id: 'security-labels',
    title: 'Security labels',
    expected: 'No object has a security label',
    why: 'PostgreSQL 14 accepts a label only if the library of its provider is loaded there.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'security label provider "anon" is not loaded',
    advice: 'Remove the labels and set them again after the upgrade. Or have the library preloaded in the new server.',
    server: `
SELECT format('%s with OID %s', classoid::regclass, objoid), 'label of provider ' || provider, format('DELETE FROM pg_catalog.pg_shseclabel WHERE classoid = %s AND objoid = %s AND provider = %L;', classoid, objoid, provider)
FROM pg_shseclabel`,
    database: `
SELECT coalesce(pg_describe_object(classoid, objoid, objsubid), 'OID ' || objoid), 'label of provider ' || provider,
  format('DELETE FROM pg_catalog.pg_seclabel WHERE classoid = %s AND objoid = %s AND objsubid = %s AND provider = %L;', classoid, objoid, objsubid, provider)
FROM pg_seclabel`,
  },
  {
    id: 'dangling-owners',
    title: 'Owners of objects',
    expected: 'Every object has an owner that exists',
    why: 'An object whose owner was dropped belongs to the superuser after the upgrade.',
    severity: 'warning',
    shows: 'never',
    says: 'pg_dump: warning: owner of table "t" appears to be invalid',
    advice: 'Give the object an owner, with the command or ALTER … OWNER TO.',
    onlyIfExists: [orphanedObjects],
    database: `
SELECT object, 'its owner has OID ' || owner || ', which is no role', format('UPDATE pg_catalog.%s SET %s = 10 WHERE oid = %s;', catalog, col, oid)
FROM (SELECT oid, oid::regclass::text AS object, relowner AS owner, 'pg_class' AS catalog, 'relowner' AS col FROM pg_class
  UNION ALL SELECT oid, oid::regprocedure::text, proowner, 'pg_proc', 'proowner' FROM pg_proc
  UNION ALL SELECT oid, format('schema %I', nspname), nspowner, 'pg_namespace', 'nspowner' FROM pg_namespace
  UNION ALL SELECT oid, oid::regtype::text, typowner, 'pg_type', 'typowner' FROM pg_type) owned
WHERE owner NOT IN (SELECT oid FROM pg_roles)`,
  },
  {
    id: 'dangling-schemas',
    title: 'Schemas of objects',
    expected: 'Every object is in a schema that exists',
    why: 'pg_dump stops at an object whose schema does not exist.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'pg_dump: error: schema with OID 16385 does not exist',
    advice:
      'Move the object to a schema that exists. Only a change of the catalog can do that, so back up the database first.',
    onlyIfExists: [orphanedObjects],
    database: `
SELECT kind || ' ' || quote_ident(name), 'its schema has OID ' || namespace || ', which does not exist', format('UPDATE pg_catalog.%s SET %s = ''public''::pg_catalog.regnamespace WHERE oid = %s;', catalog, col, oid)
FROM (SELECT 'relation' AS kind, oid, relname AS name, relnamespace AS namespace, 'pg_class' AS catalog, 'relnamespace' AS col FROM pg_class
  UNION ALL SELECT 'function', oid, proname, pronamespace, 'pg_proc', 'pronamespace' FROM pg_proc
  UNION ALL SELECT 'type', oid, typname, typnamespace, 'pg_type', 'typnamespace' FROM pg_type) placed
WHERE namespace NOT IN (SELECT oid FROM pg_namespace)`,
  },
];
