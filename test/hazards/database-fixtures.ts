import type { Fixture } from './fixture.ts';

const database = (
  check: string,
  fails: string,
  evidence: RegExp,
  more: Omit<Fixture, 'check' | 'where' | 'fails' | 'evidence'> = {},
): Fixture => ({ check, where: 'database', fails, evidence, ...more });

const missing = (message: string) => new RegExp(`${message}.*does not exist`);

export const databaseFixtures: readonly Fixture[] = [
  database(
    'reg-type-columns',
    `CREATE SCHEMA "Od d"; CREATE TABLE "Od d"."T 1" (id int, "the proc" regproc); CREATE DOMAIN conf AS regconfig; CREATE TABLE docs (c conf[]);`,
    /"Od d"\."T 1"\."the proc": type regproc/,
    {
      passes:
        'CREATE TABLE allowed (a regclass, b regtype, c oid, d name); CREATE VIEW of_regproc AS SELECT oid::regproc FROM pg_proc;',
      dies: /reg\* data types/,
    },
  ),
  database(
    'system-row-type-columns',
    'CREATE TABLE snapshots (id int, activity pg_stat_activity);',
    /public\.snapshots\.activity: type/,
    {
      passes: 'CREATE TYPE own_row AS (a int); CREATE TABLE own_rows (r own_row);',
      dies: /system-defined composite type/,
    },
  ),
  database(
    'information-schema-arrays',
    `CREATE TABLE cols AS SELECT array_agg(column_name) AS names FROM information_schema.columns WHERE table_name = 'pg_class';`,
    /public\.cols\.names/,
    {
      passes: `CREATE TABLE plain_cols AS SELECT column_name FROM information_schema.columns LIMIT 1;`,
    },
  ),
  database(
    'inherited-not-null',
    'CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent); ALTER TABLE ONLY parent ALTER a SET NOT NULL;',
    /public\.child\.a: its parent public\.parent/,
    {
      passes: 'CREATE TABLE parent_nn (a int NOT NULL); CREATE TABLE child_nn () INHERITS (parent_nn);',
      dies: /inconsistent NOT NULL/,
      restoring: /child table must be marked NOT NULL/,
    },
  ),
  database(
    'postfix-operators',
    `CREATE FUNCTION fac(int) RETURNS int LANGUAGE sql AS 'SELECT $1'; CREATE OPERATOR #! (LEFTARG = int, PROCEDURE = fac);`,
    /#!\(integer,NONE\)/,
    {
      passes: `CREATE FUNCTION neg(int) RETURNS int LANGUAGE sql AS 'SELECT -$1'; CREATE OPERATOR #! (RIGHTARG = int, PROCEDURE = neg);`,
      dies: /postfix operators/,
      restoring: /Postfix operators are not supported/,
    },
  ),
  database(
    'encoding-conversions',
    `CREATE CONVERSION mine FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;`,
    /public\.mine/,
    { passes: '', dies: /encoding conversions/ },
  ),
  database(
    'polymorphic-functions',
    `CREATE AGGREGATE collect (anyelement) (SFUNC = array_append, STYPE = anyarray, INITCOND = '{}'); CREATE OPERATOR @+@ (LEFTARG = anyarray, RIGHTARG = anyelement, PROCEDURE = array_append);`,
    /aggregate public\.collect\(anyelement\)/,
    {
      passes: `CREATE AGGREGATE collect_int (int) (SFUNC = array_append, STYPE = int[], INITCOND = '{}');`,
      dies: /objects that refer to internal/,
      restoring: /array_append\(anyarray, anyelement\) does not exist/,
    },
  ),
  database(
    'opaque-functions',
    `CREATE FUNCTION old_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; UPDATE pg_proc SET prorettype = 2282 WHERE proname = 'old_trigger';`,
    /public\.old_trigger\(\)/,
    {
      passes: `CREATE FUNCTION new_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';`,
      dies: missing('type "opaque"'),
    },
  ),
  database(
    'internal-functions',
    `CREATE FUNCTION my_split(text, text, int) RETURNS text LANGUAGE internal STRICT AS 'split_text';`,
    /names split_text/,
    {
      passes: `CREATE FUNCTION my_length(text) RETURNS int LANGUAGE internal STRICT AS 'textlen';`,
      dies: /no built-in function named "split_text"/,
    },
  ),
  database(
    'function-settings',
    `CREATE FUNCTION careful() RETURNS int LANGUAGE sql SET operator_precedence_warning = on AS 'SELECT 1'; CREATE FUNCTION named() RETURNS int LANGUAGE sql SET "my-app.user" = 'x' AS 'SELECT 1';`,
    /public\.careful\(\): operator_precedence_warning/,
    {
      passes: `CREATE FUNCTION quick() RETURNS int LANGUAGE sql SET work_mem = '1MB' SET my_app.who = 'x' AS 'SELECT 1';`,
      dies: /configuration parameter/,
    },
  ),
  database(
    'function-environment-settings',
    `CREATE FUNCTION local_time() RETURNS int LANGUAGE sql SET timezone = 'Europe/Berlin' AS 'SELECT 1';`,
    /TimeZone = Europe\/Berlin/i,
    {
      passes: `CREATE FUNCTION world_time() RETURNS int LANGUAGE sql SET timezone = 'UTC' AS 'SELECT 1';`,
    },
  ),
  database(
    'inlined-functions',
    `CREATE FUNCTION inner_f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'; CREATE FUNCTION outer_f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT inner_f($1)'; CREATE TABLE inlined (a int); CREATE INDEX inlined_i ON inlined (outer_f(a)); REVOKE CREATE ON SCHEMA public FROM PUBLIC;`,
    /index public\.inlined_i: function inner_f\(integer\) does not exist/,
    {
      passes: `CREATE FUNCTION inner_q(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'; CREATE FUNCTION outer_q(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.inner_q($1)'; CREATE TABLE qualified (a int CHECK (outer_q(a) > 0)); CREATE INDEX ON qualified (outer_q(a));`,
      dies: missing('function inner_f'),
    },
  ),
  database(
    'shadowed-functions',
    `CREATE FUNCTION gcd(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1';`,
    /public\.gcd/,
    {
      passes: `CREATE FUNCTION my_gcd(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1';`,
      cure: 'DROP FUNCTION gcd(int, int);',
    },
  ),
  database(
    'removed-operators',
    `CREATE VIEW factorials AS SELECT n ! AS f FROM generate_series(1, 3) n; CREATE TABLE boxes (b box, CHECK (b ~ box '((0,0),(1,1))')); CREATE TABLE prefix (n bigint DEFAULT !! 5); CREATE INDEX ON boxes ((b @ box '((0,0),(1,1))'));`,
    /view public\.factorials: uses !\(bigint,NONE\)/,
    {
      passes: `CREATE VIEW factorials AS SELECT factorial(n) AS f FROM generate_series(1, 3) n; CREATE TABLE boxes (b box, CHECK (b @> box '((0,0),(1,1))'));`,
      dies: /syntax error at or near|operator does not exist/,
    },
  ),
  database(
    'removed-functions',
    `CREATE VIEW numeric_factorials AS SELECT numeric_fac(5);
CREATE VIEW conversions AS SELECT 1 AS one WHERE utf8_to_iso8859_1(6, 8, 'a'::cstring, internal_in('x'), 1) IS NULL;`,
    /conversions: uses utf8_to_iso8859_1.*numeric_factorials: uses numeric_fac\(bigint\)/s,
    { passes: '', dies: missing('function (numeric_fac|utf8_to_iso8859_1)') },
  ),
  database(
    'removed-columns',
    `CREATE VIEW ssl AS SELECT * FROM pg_stat_ssl; CREATE VIEW templates AS SELECT tmplname FROM pg_pltemplate;`,
    /public\.ssl: uses column pg_stat_ssl\.compression/,
    {
      passes:
        'CREATE VIEW ssl_pids AS SELECT pid, ssl FROM pg_stat_ssl; CREATE VIEW activities AS SELECT * FROM pg_stat_activity;',
      dies: missing('compression|pg_pltemplate'),
    },
  ),
  database(
    'system-function-privileges',
    `REVOKE EXECUTE ON FUNCTION pg_terminate_backend(int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION pg_terminate_backend(int) TO pg_monitor;`,
    /pg_terminate_backend\(integer\): privileges are/,
    {
      passes: 'REVOKE EXECUTE ON FUNCTION pg_cancel_backend(int) FROM PUBLIC;',
      dies: missing('function pg_catalog.pg_terminate_backend'),
    },
  ),
  database(
    'dangling-privileges',
    `CREATE TABLE shared (a int); GRANT SELECT ON shared TO pg_monitor; UPDATE pg_class SET relacl = array_append(relacl, makeaclitem(99999, 10, 'SELECT', false)) WHERE relname = 'shared'; INSERT INTO pg_init_privs SELECT oid, 'pg_class'::regclass, 0, 'e', ARRAY[makeaclitem(99998, 10, 'SELECT', false)] FROM pg_class WHERE relname = 'shared';`,
    /public\.shared: its privileges name/,
    {
      passes: 'CREATE TABLE granted (a int); GRANT SELECT ON granted TO pg_monitor;',
      dies: /role "9999[89]" does not exist/,
    },
  ),
  database(
    'information-schema-privileges',
    `REVOKE SELECT ON information_schema.columns FROM PUBLIC; GRANT UPDATE ON information_schema.sql_features TO pg_monitor; REVOKE USAGE ON SCHEMA information_schema FROM PUBLIC;`,
    /information_schema\.columns: privileges are/,
    { passes: 'REVOKE SELECT ON pg_catalog.pg_stat_ssl FROM PUBLIC;' },
  ),
  database(
    'security-labels',
    `CREATE TABLE secret (a int); INSERT INTO pg_seclabel SELECT oid, 'pg_class'::regclass, 0, 'anon', 'MASKED' FROM pg_class WHERE relname = 'secret';`,
    /table (public\.)?secret: label of provider anon/,
    { passes: '', dies: /provider "anon" is not loaded/ },
  ),
  database(
    'dangling-owners',
    `CREATE TABLE orphan (a int); UPDATE pg_class SET relowner = 99999 WHERE relname = 'orphan';`,
    /public\.orphan: its owner/,
    { passes: '' },
  ),
  database(
    'dangling-schemas',
    `CREATE FUNCTION lost() RETURNS int LANGUAGE sql AS 'SELECT 1'; UPDATE pg_proc SET pronamespace = 99999 WHERE proname = 'lost';`,
    /function lost: its schema has OID 99999/,
    { passes: '', dies: /schema with OID 99999/ },
  ),
  database(
    'system-schemas',
    `CREATE TABLE information_schema.mine (a serial); CREATE SCHEMA binary_upgrade; SET allow_system_table_mods = on;`,
    /table information_schema\.mine/,
    { passes: 'CREATE SCHEMA information; CREATE TABLE information.mine (a serial);' },
  ),
  database(
    'multirange-names',
    `CREATE TYPE multirange AS ENUM ('a'); ALTER TYPE multirange RENAME TO mymultirange; CREATE TYPE myrange AS RANGE (subtype = int);`,
    /public\.myrange: PostgreSQL 14 will create the type mymultirange/,
    {
      passes: `CREATE TYPE freerange AS RANGE (subtype = int); CREATE TYPE multi AS ENUM ('a');`,
      dies: /type "mymultirange" already exists/,
    },
  ),
  database(
    'collations',
    `CREATE COLLATION mine (locale = 'C.utf8'); CREATE TABLE sorted (a text COLLATE mine);`,
    /public\.mine: locale C\.utf8 of the operating system, used by/,
    {
      passes: `CREATE COLLATION bytes (locale = 'C'); CREATE TABLE by_bytes (a text COLLATE bytes, b text COLLATE "C");`,
      cure: 'DROP TABLE sorted; DROP COLLATION mine;',
    },
  ),
  database(
    'text-search-files',
    `CREATE TEXT SEARCH DICTIONARY company (TEMPLATE = synonym, SYNONYMS = company);
CREATE TEXT SEARCH DICTIONARY half (TEMPLATE = ispell, DictFile = ispell_sample, AffFile = ispell_sample, StopWords = company);`,
    /public\.company: synonyms = 'company'.*public\.half: dictfile = 'ispell_sample'/s,
    {
      passes: `CREATE TEXT SEARCH DICTIONARY stem (TEMPLATE = snowball, language = english, stopwords = english);
CREATE TEXT SEARCH DICTIONARY synonyms (TEMPLATE = synonym, SYNONYMS = synonym_sample, CaseSensitive = true);
CREATE TEXT SEARCH DICTIONARY ispell (TEMPLATE = ispell, DictFile = ispell_sample, AffFile = hunspell_sample, StopWords = english);
CREATE TEXT SEARCH DICTIONARY long (TEMPLATE = ispell, DictFile = hunspell_sample_long, AffFile = hunspell_sample_long);
CREATE TEXT SEARCH DICTIONARY num (TEMPLATE = ispell, DictFile = hunspell_sample_num, AffFile = hunspell_sample_num);
CREATE TEXT SEARCH DICTIONARY thesaurus (TEMPLATE = thesaurus, DictFile = thesaurus_sample, Dictionary = english_stem);
CREATE TEXT SEARCH DICTIONARY accents (TEMPLATE = unaccent, RULES = unaccent);
CREATE TEXT SEARCH DICTIONARY extended (TEMPLATE = xsyn_template, RULES = xsyn_sample, MatchOrig = false);`,
      dies: /could not open synonym file/,
    },
  ),
  database(
    'missing-files',
    `CREATE TABLE files (a int PRIMARY KEY); CHECKPOINT; \\set command 'rm ' :data '/' SELECT pg_relation_filepath('files_pkey') AS path \\gset
\\set command 'rm ' :data '/' :path
COPY (SELECT 1) TO PROGRAM :'command';`.replace("\\set command 'rm ' :data '/' SELECT", 'SELECT'),
    /public\.files_pkey: has no file base\//,
    {
      passes: 'CREATE TABLE whole (a int PRIMARY KEY);',
      dies: /files_pkey.*No such file/s,
    },
  ),
  database(
    'missing-init-forks',
    `CREATE UNLOGGED TABLE forks (a int); CHECKPOINT; SELECT pg_relation_filepath('forks') AS path \\gset
\\set command 'rm ' :data '/' :path '_init'
COPY (SELECT 1) TO PROGRAM :'command';`,
    /public\.forks: has no file/,
    { passes: '' },
  ),
  database('publications', 'CREATE PUBLICATION all_tables FOR ALL TABLES;', /publication all_tables/, {
    passes: '',
  }),
  database(
    'invalid-indexes',
    `CREATE TABLE twice (a int); INSERT INTO twice VALUES (1), (2); CREATE INDEX twice_i ON twice (a); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'twice_i'::regclass;`,
    /public\.twice_i: is invalid/,
    {
      passes: 'CREATE TABLE once (a int); CREATE INDEX once_i ON once (a);',
    },
  ),
  database('unlogged-tables', 'CREATE UNLOGGED TABLE cache (a int);', /public\.cache: is unlogged/, {
    passes: 'CREATE TABLE logged (a int); CREATE TEMP TABLE temporary (a int);',
  }),
  database('large-objects', 'SELECT count(lo_create(0)) FROM generate_series(1, 100001);', /100001/, {
    passes: 'SELECT lo_create(0);',
    cure: 'DELETE FROM pg_largeobject_metadata;',
  }),
  database(
    'lock-table',
    `CREATE VIEW many AS SELECT 1 AS a; CREATE TEMP TABLE rows AS SELECT c.*, n FROM pg_class c, generate_series(1, 80001) n WHERE relname = 'many';
UPDATE rows SET oid = 1000000 + n, relname = 'many_' || n; ALTER TABLE rows DROP COLUMN n; INSERT INTO pg_class SELECT * FROM rows;`,
    /relations: 8000\d/,
    {
      passes: '',
      cure: 'DELETE FROM pg_class WHERE oid > 1000000;',
    },
  ),
];
