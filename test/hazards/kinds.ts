// One object of each kind in which a hazard is looked for.

export interface Kind {
  readonly check: string;
  readonly what: string;
  /** Makes it in a database that has nothing else. */
  readonly sql: string;
}

const table = 'CREATE TABLE t (a int, b box, c text);';
const type = `CREATE TYPE e AS ENUM ('a');`;
const routine = `CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';`;
/** An SQL function whose body is found by the search_path alone. */
const inlined = `CREATE FUNCTION inner_f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION outer_f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT inner_f($1)';`;

/** A function in PL/pgSQL whose body is found by the search_path alone. */
const unqualified = `CREATE FUNCTION g(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN g($1); END';`;
/** A role that is no superuser, and a function of its own. */
const nobody = `SELECT 'CREATE ROLE nobody' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nobody') \\gexec
SET ROLE nobody; CREATE FUNCTION i(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';`;

const sqlOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'removed-operators': {
    'a view': `CREATE VIEW v AS SELECT box '((0,0),(1,1))' ~ box '((0,0),(1,1))' AS x;`,
    'a rule': `${table} CREATE RULE r AS ON UPDATE TO t WHERE old.b @ new.b DO INSTEAD NOTHING;`,
    'a default': 'CREATE TABLE t (n numeric DEFAULT !! 5);',
    'a generated column': 'CREATE TABLE t (n bigint, f numeric GENERATED ALWAYS AS (n !) STORED);',
    'an index': `${table} CREATE INDEX ON t ((b @ b));`,
    'a predicate': `${table} CREATE INDEX ON t (a) WHERE b ~ b;`,
    'a constraint': 'CREATE TABLE t (b box CHECK (b ~ b));',
    'a domain': `CREATE DOMAIN d AS box CHECK (VALUE ~ box '((0,0),(1,1))');`,
    'the default of a domain': 'CREATE DOMAIN d AS numeric DEFAULT !! 5;',
    'a trigger': `${table} CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW WHEN (old.b ~ new.b) EXECUTE FUNCTION suppress_redundant_updates_trigger();`,
    'a policy': `${table} CREATE POLICY p ON t USING (b @ b);`,
    'a default argument': `CREATE FUNCTION f(n numeric DEFAULT !! 5) RETURNS int LANGUAGE sql AS 'SELECT 1';`,
    'a key of partitions': 'CREATE TABLE t (n bigint) PARTITION BY RANGE ((n !));',
  },
  'removed-functions': {
    'a view': 'CREATE VIEW v AS SELECT numeric_fac(5);',
    'a view that asks information_schema': `CREATE VIEW v AS SELECT information_schema._pg_keysequal('{1}', '{1}');`,
    'a view that converts': `CREATE VIEW v AS SELECT 1 AS one WHERE utf8_to_iso8859_1(6, 8, 'a'::cstring, internal_in('x'), 1) IS NULL;`,
    'an operator': 'CREATE OPERATOR public.!!! (PROCEDURE = numeric_fac, RIGHTARG = bigint);',
    'a cast': 'CREATE DOMAIN d AS bigint; CREATE CAST (d AS numeric) WITH FUNCTION numeric_fac(bigint);',
  },
  'inlined-functions': {
    'an index': `${inlined} ${table} CREATE INDEX ON t (outer_f(a));`,
    'a predicate': `${inlined} ${table} CREATE INDEX ON t (a) WHERE outer_f(a) > 1;`,
    'a constraint': `${inlined} CREATE TABLE t (a int CHECK (outer_f(a) > 0));`,
    'a generated column': `${inlined} CREATE TABLE t (a int, b int GENERATED ALWAYS AS (outer_f(a)) STORED);`,
    'a key of partitions': `${inlined} CREATE TABLE t (a int) PARTITION BY RANGE (outer_f(a));`,
  },
  'index-functions': {
    'an index': `${unqualified} ${table} CREATE INDEX ON t (f(a));`,
    'a predicate': `${unqualified} ${table} CREATE INDEX ON t (a) WHERE f(a) > 1;`,
    'a materialized view': `${unqualified} CREATE MATERIALIZED VIEW v AS SELECT 1 AS a; CREATE INDEX ON v (f(a));`,
    'an operator': `${unqualified} ${table} CREATE OPERATOR === (FUNCTION = f, RIGHTARG = int); CREATE INDEX ON t ((=== a));`,
  },
  'restored-code': {
    'the check of a domain': `${nobody} CREATE DOMAIN d AS int CHECK (i(VALUE) > 0);`,
    'an operator in the check of a domain': `${nobody} CREATE OPERATOR === (FUNCTION = i, RIGHTARG = int); CREATE DOMAIN d AS int CHECK ((=== VALUE) > 0);`,
    'the check of a domain of the superuser': `${nobody} RESET ROLE; CREATE DOMAIN d AS int CHECK (i(VALUE) > 0);`,
    'the check of a domain without a function of its own': `${nobody} DROP FUNCTION i; CREATE DOMAIN d AS text CHECK (query_to_xml(VALUE, true, true, '') IS NOT NULL);`,
    'SQL in the check of a domain': `${nobody} CREATE DOMAIN d AS int CHECK (ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery') IS NOT NULL);`,
    'a function of the superuser in the check of a domain': `CREATE FUNCTION j(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END'; ${nobody} CREATE DOMAIN d AS int CHECK (j(VALUE));`,
    'a cast to another domain': `CREATE DOMAIN b AS int; ${nobody} CREATE DOMAIN d AS int CHECK (VALUE::b IS NOT NULL);`,
    'a cast to an array of another domain': `CREATE DOMAIN b AS int; ${nobody} CREATE DOMAIN d AS int[] CHECK (VALUE::b[] IS NOT NULL);`,
    'a cast by text to a row': `CREATE DOMAIN b AS int; CREATE TYPE c AS (a b); ${nobody} CREATE DOMAIN d AS text CHECK (VALUE::c IS NOT NULL);`,
    'a cast of a cast': `CREATE DOMAIN b AS int; CREATE TYPE c AS (a b); ${nobody} CREATE DOMAIN d AS text CHECK (VALUE::varchar::c::text::int > 0);`,
    'a constant of an array': `CREATE DOMAIN b AS int; ${nobody} CREATE DOMAIN d AS int CHECK ('{1}'::b[] IS NOT NULL);`,
    'a range in the check of a domain': `CREATE DOMAIN b AS int; CREATE TYPE g AS RANGE (subtype = b); ${nobody} CREATE DOMAIN d AS int CHECK ('[1,2]'::g IS NOT NULL);`,
    'a row that is made from JSON': `CREATE DOMAIN b AS int; CREATE TYPE c AS (a b); ${nobody} CREATE DOMAIN d AS json CHECK (json_populate_record(NULL::c, VALUE) IS NOT NULL);`,
    'a table that is opened': `${nobody} CREATE TABLE t (a int) PARTITION BY HASH (a); CREATE DOMAIN d AS int CHECK (satisfies_hash_partition('t'::regclass, 1, 0, VALUE));`,
    'a key of partitions': `${nobody} CREATE TABLE t (a int) PARTITION BY RANGE ((a + i(1)));`,
    'a generated column': `${nobody} CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + i(1)) STORED);`,
    'an operator': `${nobody} CREATE OPERATOR === (FUNCTION = i, RIGHTARG = int); CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + (=== 1)) STORED);`,
    'an inherited constraint': `${nobody} CREATE TABLE p (a int CHECK (a > i(1))); CREATE TABLE t () INHERITS (p);`,
    'a constraint of a partition': `${nobody} CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE t PARTITION OF p (CHECK (a > i(1))) FOR VALUES IN (1);`,
    'a constraint of its own table': `${nobody} CREATE TABLE t (a int); CREATE FUNCTION g(t) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END'; ALTER TABLE t ADD CHECK (g(t) AND a > i(1));`,
    'a constraint that leads to its table by a view': `${nobody} CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t; CREATE FUNCTION g(v) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END'; ALTER TABLE t ADD CHECK (g(NULL) AND a > i(1));`,
    'a constraint of its own domain': `${nobody} CREATE DOMAIN o AS int; CREATE FUNCTION g(o) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END'; ALTER DOMAIN o ADD CHECK (g(VALUE) AND VALUE > i(1));`,
    'an index of a table with a foreign key': `${nobody} CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE t (a int REFERENCES p); CREATE INDEX ON t ((a + i(1)));`,
    'an index of a partitioned table': `${nobody} CREATE TABLE t (a int, b int) PARTITION BY LIST (a); CREATE INDEX ON t ((b + i(1)));`,
    'an SQL function': `${nobody} CREATE FUNCTION q(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + public.i(1)'; CREATE TABLE t (a int, b int GENERATED ALWAYS AS (q(a)) STORED);`,
  },
  'dangling-owners': {
    'a table': `${table} UPDATE pg_class SET relowner = 99999 WHERE relname = 't';`,
    'a function': `${routine} UPDATE pg_proc SET proowner = 99999 WHERE proname = 'f';`,
    'a type': `${type} UPDATE pg_type SET typowner = 99999 WHERE typname = 'e';`,
    'a schema': `CREATE SCHEMA s; UPDATE pg_namespace SET nspowner = 99999 WHERE nspname = 's';`,
  },
  'dangling-schemas': {
    'a table': `${table} UPDATE pg_class SET relnamespace = 99999 WHERE relname = 't';`,
    'a function': `${routine} UPDATE pg_proc SET pronamespace = 99999 WHERE proname = 'f';`,
    'a type': `${type} UPDATE pg_type SET typnamespace = 99999 WHERE typname = 'e';`,
  },
  'system-schemas': {
    'a view': 'CREATE VIEW information_schema.mine AS SELECT 1 AS one;',
    'a table of TOAST': `${table} UPDATE pg_class SET relnamespace = 'pg_toast'::regnamespace WHERE relname = 't';`,
    'a function': `CREATE FUNCTION pg_catalog.mine() RETURNS int LANGUAGE sql AS 'SELECT 1';`,
    'an operator': 'CREATE OPERATOR pg_catalog.=== (PROCEDURE = int4eq, LEFTARG = int, RIGHTARG = int);',
    'a domain': 'CREATE DOMAIN information_schema.mine AS int;',
    'a configuration': 'CREATE TEXT SEARCH CONFIGURATION pg_catalog.mine (COPY = english);',
    'a dictionary': 'CREATE TEXT SEARCH DICTIONARY pg_catalog.mine (TEMPLATE = simple);',
    'a collation': `CREATE COLLATION information_schema.mine (locale = 'C');`,
    'a schema': 'CREATE SCHEMA binary_upgrade;',
  },
  collations: {
    'a column': 'CREATE TABLE t (a text COLLATE "en-x-icu");',
    'an index': `${table} CREATE INDEX ON t (a, c COLLATE "en-x-icu");`,
    'a domain': 'CREATE DOMAIN d AS text COLLATE "en-x-icu";',
    'a view': `CREATE VIEW v AS SELECT 'a' < 'b' COLLATE "en-x-icu" AS x;`,
    'a constraint': `CREATE TABLE t (a text CHECK (a > 'b' COLLATE "en-x-icu"));`,
    'an expression of an index': `${table} CREATE INDEX ON t ((c < 'b' COLLATE "en-x-icu"));`,
    'a predicate': `${table} CREATE INDEX ON t (a) WHERE c < 'b' COLLATE "en-x-icu";`,
    'a key of partitions': 'CREATE TABLE t (a text) PARTITION BY RANGE (a COLLATE "en-x-icu");',
    'an expression of partitions': 'CREATE TABLE t (a text) PARTITION BY RANGE (lower(a COLLATE "en-x-icu"));',
    'a range': 'CREATE TYPE r AS RANGE (subtype = text, collation = "en-x-icu");',
    'a default': `CREATE TABLE t (a bool DEFAULT ('a' < 'b' COLLATE "en-x-icu"));`,
    'a generated column': `CREATE TABLE t (a text, b bool GENERATED ALWAYS AS (a < 'b' COLLATE "en-x-icu") STORED);`,
    'a default argument': `CREATE FUNCTION f(a bool DEFAULT ('a' < 'b' COLLATE "en-x-icu")) RETURNS int LANGUAGE sql AS 'SELECT 1';`,
    'a policy': `${table} CREATE POLICY p ON t USING (c < 'b' COLLATE "en-x-icu");`,
    'a trigger': `${table} CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW WHEN (old.c < new.c COLLATE "en-x-icu") EXECUTE FUNCTION suppress_redundant_updates_trigger();`,
    'one of your own': `CREATE COLLATION mine (provider = icu, locale = 'de');`,
  },
  'dangling-privileges': {
    'a column': `${table} GRANT SELECT (a) ON t TO pg_monitor; UPDATE pg_attribute SET attacl = attacl || makeaclitem(99999, 10, 'SELECT', false) WHERE attrelid = 't'::regclass AND attname = 'a';`,
    'a function': `UPDATE pg_proc SET proacl = ARRAY[makeaclitem(0, 99999, 'EXECUTE', false)] WHERE proname = 'pg_sleep';`,
    'default privileges': `ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor; UPDATE pg_default_acl SET defaclacl = defaclacl || makeaclitem(99999, 10, 'SELECT', false);`,
  },
  'system-function-privileges': {
    'a function of a conversion':
      'GRANT EXECUTE ON FUNCTION utf8_to_iso8859_1(int, int, cstring, internal, int) TO pg_monitor;',
    'a column': 'GRANT SELECT (compression) ON pg_stat_ssl TO pg_monitor;',
    'a table': 'GRANT SELECT ON pg_pltemplate TO pg_monitor;',
  },
  'reg-type-columns': {
    'a table': 'CREATE TABLE t (a regclass, b regproc);',
    'an array in a domain': 'CREATE DOMAIN d AS regproc[]; CREATE TABLE t (a d);',
    'a composite type': 'CREATE TYPE c AS (a regproc); CREATE TABLE t (a c);',
  },
};

export const kinds: readonly Kind[] = Object.entries(sqlOf).flatMap(([check, of]) =>
  Object.entries(of).map(([what, sql]) => ({ check, what, sql })),
);
