import type { Hazard } from './hazard.ts';

/** Rows of a catalog whose list of privileges names a role that is gone, with the statement that takes exactly these items out. */
function dangling(catalog: string, column: string, label: string, key: string): string {
  return `
SELECT ${label}, 'its privileges name a role that is gone: ' || ${column}::text,
  format('UPDATE pg_catalog.${catalog} SET ${column} = %L WHERE ', (SELECT coalesce(array_agg(a), '{}') FROM unnest(${column}) a, aclexplode(ARRAY[a]) e
    WHERE (e.grantee = 0 OR e.grantee IN (SELECT oid FROM pg_roles)) AND e.grantor IN (SELECT oid FROM pg_roles))::text) || ${key} || ';'
FROM pg_catalog.${catalog} WHERE cardinality(${column}) > 0 AND EXISTS (SELECT FROM aclexplode(${column}) e
  WHERE (e.grantee <> 0 AND e.grantee NOT IN (SELECT oid FROM pg_roles)) OR e.grantor NOT IN (SELECT oid FROM pg_roles))`;
}

const byOid = "'oid = ' || oid";

export const privilegeHazards: readonly Hazard[] = [
  {
    id: 'dangling-privileges',
    title: 'No list of privileges names a role that is gone',
    why: 'The privilege can not be given again in the new cluster. The usual way there: a superuser makes an extension, and is dropped after REASSIGN OWNED.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'role "16384" does not exist',
    advice:
      'Take the item out of the list. That is possible in the catalog alone, so keep a backup of the database first.',
    server: [
      dangling('pg_database', 'datacl', "format('database %I', datname)", byOid),
      dangling('pg_tablespace', 'spcacl', "format('tablespace %I', spcname)", byOid),
    ].join('\nUNION ALL'),
    database: [
      dangling('pg_class', 'relacl', 'oid::regclass::text', byOid),
      dangling('pg_proc', 'proacl', 'oid::regprocedure::text', byOid),
      dangling('pg_namespace', 'nspacl', "format('schema %I', nspname)", byOid),
      dangling('pg_type', 'typacl', 'oid::regtype::text', byOid),
      dangling('pg_language', 'lanacl', "format('language %I', lanname)", byOid),
      dangling('pg_foreign_data_wrapper', 'fdwacl', "format('foreign data wrapper %I', fdwname)", byOid),
      dangling('pg_foreign_server', 'srvacl', "format('server %I', srvname)", byOid),
      dangling(
        'pg_attribute',
        'attacl',
        "format('%s.%I', attrelid::regclass, attname)",
        "format('attrelid = %s AND attnum = %s', attrelid, attnum)",
      ),
      dangling('pg_largeobject_metadata', 'lomacl', "'large object ' || oid", byOid),
      dangling('pg_default_acl', 'defaclacl', "'default privileges'", byOid),
      dangling(
        'pg_init_privs',
        'initprivs',
        "format('initial privileges of %s', pg_describe_object(classoid, objoid, objsubid))",
        "format('classoid = %s AND objoid = %s AND objsubid = %s', classoid, objoid, objsubid)",
      ),
    ].join('\nUNION ALL'),
  },
  {
    id: 'security-labels',
    title: 'There is no security label',
    why: '14 takes a label only when the library of its provider is loaded there.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'security label provider "anon" is not loaded',
    advice: 'Remove the labels, or have the library preloaded in the new server; give them again after the upgrade.',
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
    title: 'Every object has an owner that exists',
    why: 'An object whose owner is gone belongs to the superuser after the upgrade.',
    severity: 'warning',
    shows: 'never',
    says: 'pg_dump: warning: owner of table "t" appears to be invalid',
    advice: 'Give the object an owner.',
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
    title: 'Every object is in a schema that exists',
    why: 'pg_dump stops at an object whose schema is gone.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'pg_dump: error: schema with OID 16385 does not exist',
    advice:
      'Move the object to a schema. That is possible in the catalog alone, so keep a backup of the database first.',
    database: `
SELECT kind || ' ' || quote_ident(name), 'its schema has OID ' || namespace || ', which is gone', format('UPDATE pg_catalog.%s SET %s = ''public''::pg_catalog.regnamespace WHERE oid = %s;', catalog, col, oid)
FROM (SELECT 'relation' AS kind, oid, relname AS name, relnamespace AS namespace, 'pg_class' AS catalog, 'relnamespace' AS col FROM pg_class
  UNION ALL SELECT 'function', oid, proname, pronamespace, 'pg_proc', 'pronamespace' FROM pg_proc
  UNION ALL SELECT 'type', oid, typname, typnamespace, 'pg_type', 'typnamespace' FROM pg_type) placed
WHERE namespace NOT IN (SELECT oid FROM pg_namespace)`,
  },
];
