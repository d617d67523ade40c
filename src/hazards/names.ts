import { orphanedObjects } from './orphaned-objects.ts';
import type { Hazard } from './hazard.ts';

/** A shared name's bytes (in hex) that are valid UTF-8: shared names are stored in the encoding of whichever database they were made in. */
const utf8 =
  "'^([0-7][0-9a-f]|(c[2-9a-f]|d[0-9a-f])[89ab][0-9a-f]|e[0-9a-f]([89ab][0-9a-f]){2}|f[0-4]([89ab][0-9a-f]){3})*$'";

export const nameHazards: readonly Hazard[] = [
  {
    id: 'database-connections',
    title: 'Databases that accept no connections',
    expected: 'Every database but template0 accepts connections',
    why: "pg_upgrade connects to each database, and requires that template0 accepts no connections. The action can't check a database that accepts none either.",
    severity: 'failed',
    shows: 'check',
    says: 'All non-template0 databases must allow connections, i.e. their pg_database.datallowconn must be true',
    advice: 'Let the database accept connections, or drop it if nobody needs it. Let template0 accept none.',
    server: `
SELECT format('database %I', datname), CASE datname WHEN 'template0' THEN 'accepts connections' ELSE 'accepts no connections' END,
  format('ALTER DATABASE %I ALLOW_CONNECTIONS %s;', datname, CASE datname WHEN 'template0' THEN 'false' ELSE 'true' END)
FROM pg_database WHERE datallowconn = (datname = 'template0') AND datconnlimit <> -2`,
  },
  {
    id: 'invalid-databases',
    title: 'Leftovers of an interrupted DROP DATABASE',
    expected: 'No database is left over from an interrupted DROP DATABASE',
    why: 'Nobody can connect to such a database, not even pg_upgrade.',
    severity: 'failed',
    shows: 'check',
    says: 'FATAL: cannot connect to invalid database "half"',
    advice: 'Drop the database: PostgreSQL allows nothing else with it.',
    server: `
SELECT format('database %I', datname), 'its DROP DATABASE was interrupted', format('DROP DATABASE %I;', datname) FROM pg_database WHERE datconnlimit = -2`,
  },
  {
    id: 'database-names',
    title: 'Line breaks in names of databases',
    expected: 'No database has a line break in its name',
    why: 'pg_upgrade calls other programs with the name, and refuses to pass on a line break.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'shell command argument contains a newline or carriage return',
    advice: 'Rename the database.',
    server: `
SELECT 'database ' || quote_literal(datname), 'its name has a line break', format('ALTER DATABASE U&"%s" RENAME TO %I;',
  replace(replace(replace(replace(datname, '\\', '\\\\'), '"', '""'), E'\\n', '\\000a'), E'\\r', '\\000d'), translate(datname, E'\\n\\r', '__'))
FROM pg_database WHERE datname ~ E'[\\n\\r]'`,
  },
  {
    id: 'name-encodings',
    title: 'Encoding of the names of roles, databases and tablespaces',
    expected: 'The names of roles, databases and tablespaces are in the encoding of template1',
    why: 'PostgreSQL stores such a name in the encoding of the database in which it was given. It writes the name unchanged into the dump, which is in UTF8.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'pg_dumpall: error: query failed: ERROR: invalid byte sequence for encoding "UTF8"',
    advice:
      'Give it a name that is valid in every encoding. A role with a password stored as md5 then needs a new password.',
    server: `
SELECT kind || ' with OID ' || oid, 'its name is no UTF8: bytes ' || bytes, format('UPDATE pg_catalog.%s SET %s = %L WHERE oid = %s;', catalog, col, kind || '_' || oid, oid)
FROM (SELECT 'role' AS kind, oid, encode(textsend(rolname::text), 'hex') AS bytes, 'pg_authid' AS catalog, 'rolname' AS col FROM pg_roles
  UNION ALL SELECT 'database', oid, encode(textsend(datname::text), 'hex'), 'pg_database', 'datname' FROM pg_database
  UNION ALL SELECT 'tablespace', oid, encode(textsend(spcname::text), 'hex'), 'pg_tablespace', 'spcname' FROM pg_tablespace) names
WHERE current_setting('server_encoding') = 'UTF8' AND bytes !~ ${utf8}`,
  },
  {
    id: 'role-names',
    title: 'User-defined roles with the prefix pg_',
    expected: 'No user-defined role has a name that begins with pg_',
    why: "PostgreSQL reserves this prefix for its own roles. pg_dumpall leaves the role out. Then the restore can't give it what it owns.",
    severity: 'failed',
    shows: 'upgrade',
    says: 'ERROR: role "pg_monitoring" does not exist',
    advice: 'Rename the role. ALTER ROLE refuses such a name, so the command changes the catalog.',
    server: `
SELECT 'role ' || quote_ident(rolname), 'its name begins with pg_', format('UPDATE pg_catalog.pg_authid SET rolname = %L WHERE oid = %s;', 'my' || substr(rolname, 3), oid)
FROM pg_roles WHERE rolname ~ '^pg_' AND oid >= 16384`,
  },
  {
    id: 'bootstrap-superuser',
    title: 'Rights of the role that initdb made',
    expected: 'The role that initdb made can log in and is a superuser',
    why: 'pg_upgrade connects as this role, in both clusters.',
    severity: 'failed',
    shows: 'check',
    says: 'role "postgres" is not permitted to log in; must be superuser to connect in binary upgrade mode',
    advice: 'Give the role LOGIN and SUPERUSER again, with the command.',
    server: `
SELECT 'role ' || quote_ident(rolname), concat_ws(' and ', CASE WHEN NOT rolsuper THEN 'is no superuser' END, CASE WHEN NOT rolcanlogin THEN 'may not log in' END), format('ALTER ROLE %I LOGIN SUPERUSER;', rolname)
FROM pg_roles WHERE oid = 10 AND NOT (rolsuper AND rolcanlogin)`,
  },
  {
    id: 'system-schemas',
    title: 'User-defined objects in system schemas',
    expected: 'No user-defined object is in a system schema',
    why: "pg_dump leaves out what is in pg_catalog and information_schema. It is lost in the upgrade without an error, and the restore can't create what uses it. In a schema called binary_upgrade, the tables stay empty.",
    severity: 'failed',
    shows: 'never',
    says: 'ERROR: relation "information_schema.mine" does not exist',
    advice: 'Move the object to a schema of your own, with the command. Rename a schema called binary_upgrade.',
    onlyIfExists: [orphanedObjects],
    database: `
SELECT format('%s %s', CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'table' END, c.oid::regclass), 'is in schema ' || n.nspname,
  format('ALTER %s %s SET SCHEMA public;', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE c.oid >= 16384 AND relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND (n.nspname IN ('pg_catalog', 'information_schema') OR (n.nspname = 'pg_toast' AND relkind = 'r'))
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'a', 'i'))
UNION ALL
SELECT kind || ' ' || name, 'is in schema ' || namespace, format('ALTER %s %s SET SCHEMA public;', upper(kind), name)
FROM (SELECT 'routine' AS kind, oid, oid::regprocedure::text AS name, pronamespace::regnamespace::text AS namespace, 'pg_proc'::regclass AS catalog FROM pg_proc
  UNION ALL SELECT 'operator', oid, oid::regoperator::text, oprnamespace::regnamespace::text, 'pg_operator' FROM pg_operator
  UNION ALL SELECT CASE typtype WHEN 'd' THEN 'domain' ELSE 'type' END, oid, oid::regtype::text, typnamespace::regnamespace::text, 'pg_type' FROM pg_type WHERE typtype <> 'c' AND typelem = 0
  UNION ALL SELECT 'text search configuration', oid, oid::regconfig::text, cfgnamespace::regnamespace::text, 'pg_ts_config' FROM pg_ts_config
  UNION ALL SELECT 'text search dictionary', oid, oid::regdictionary::text, dictnamespace::regnamespace::text, 'pg_ts_dict' FROM pg_ts_dict
  UNION ALL SELECT 'collation', oid, format('%I.%I', collnamespace::regnamespace, collname), collnamespace::regnamespace::text, 'pg_collation' FROM pg_collation) objects
WHERE oid >= 16384 AND namespace IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = catalog AND d.objid = objects.oid AND d.deptype IN ('e', 'i'))
UNION ALL
SELECT 'schema binary_upgrade', 'the name is that of a schema of pg_upgrade''s', 'ALTER SCHEMA binary_upgrade RENAME TO binary_upgrade_of_ours;'
FROM pg_namespace WHERE nspname = 'binary_upgrade'`,
  },
  {
    id: 'multirange-names',
    title: 'Names of the multirange types of PostgreSQL 14',
    expected: 'The names of the multirange types that PostgreSQL 14 creates are free',
    why: 'With each range type, PostgreSQL 14 also creates a multirange type. Its name follows from that of the range type.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'type "mymultirange" already exists',
    advice: 'Rename the type or relation that has this name.',
    onlyIfExists: ['SELECT 1 FROM pg_range WHERE rngtypid >= 16384'],
    // ALTER TABLE renames relations of every kind but composite types.
    database: `
SELECT t.oid::regtype::text, 'PostgreSQL 14 will create the type ' || m || ', and that name is taken',
  format('ALTER %s %s RENAME TO %I;', CASE WHEN (SELECT relkind FROM pg_class c WHERE c.oid = taken.typrelid) <> 'c' THEN 'TABLE' ELSE 'TYPE' END, taken.oid::regtype, left(m, 58) || '_mine')
FROM pg_range r JOIN pg_type t ON t.oid = r.rngtypid,
  LATERAL (SELECT CASE WHEN strpos(t.typname, 'range') > 0 THEN overlay(t.typname PLACING 'multirange' FROM strpos(t.typname, 'range') FOR 5) ELSE t.typname || '_multirange' END AS m) x
  JOIN pg_type taken ON taken.typname = left(m, 63)::name
WHERE t.oid >= 16384 AND taken.typnamespace = t.typnamespace AND NOT (taken.typelem <> 0 AND taken.typlen = -1 AND taken.typname LIKE '\\_%')`,
  },
];
