/** A hazard beside what is none, and what has to be there when its remedy was applied. */
export interface RemedyCase {
  readonly check: string;
  readonly keeps: string;
  readonly fails: string;
  /** Asks for what is there. */
  readonly look: string;
  readonly left: readonly string[];
}

/** Puts an item of a role that is gone between the first of a list and the others. */
const spoilt = (catalog: string, column: string, where: string) =>
  `UPDATE ${catalog} SET ${column} = ${column}[1:1] || makeaclitem(99999, 10, 'SELECT', false) || ${column}[2:] WHERE ${where};`;

/** Lists of privileges by the kind of what has them: what makes it, what grants on it, and where its list is. */
const lists: readonly (readonly [kind: string, sql: string, catalog: string, column: string, where: string])[] = [
  ['database', 'GRANT ALL ON DATABASE remedied TO', 'pg_database', 'datacl', `datname = 'remedied'`],
  ['tablespace', 'GRANT ALL ON TABLESPACE pg_default TO', 'pg_tablespace', 'spcacl', `spcname = 'pg_default'`],
  ['table', 'CREATE TABLE t (a int, b int); GRANT ALL ON t TO', 'pg_class', 'relacl', `relname = 't'`],
  [
    'column',
    'CREATE TABLE t (a int, b int); GRANT SELECT (b), UPDATE (b), INSERT (b) ON t TO',
    'pg_attribute',
    'attacl',
    `attrelid = 't'::regclass AND attname = 'b'`,
  ],
  [
    'function',
    `CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT ALL ON FUNCTION f() TO`,
    'pg_proc',
    'proacl',
    `proname = 'f'`,
  ],
  ['schema', 'CREATE SCHEMA s; GRANT ALL ON SCHEMA s TO', 'pg_namespace', 'nspacl', `nspname = 's'`],
  ['type', `CREATE TYPE e AS ENUM ('a'); GRANT ALL ON TYPE e TO`, 'pg_type', 'typacl', `typname = 'e'`],
  ['language', 'GRANT ALL ON LANGUAGE sql TO', 'pg_language', 'lanacl', `lanname = 'sql'`],
  [
    'foreign data wrapper',
    'CREATE FOREIGN DATA WRAPPER w; GRANT ALL ON FOREIGN DATA WRAPPER w TO',
    'pg_foreign_data_wrapper',
    'fdwacl',
    `fdwname = 'w'`,
  ],
  [
    'foreign server',
    'CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; GRANT ALL ON FOREIGN SERVER s TO',
    'pg_foreign_server',
    'srvacl',
    `srvname = 's'`,
  ],
  [
    'large object',
    'DO $$ BEGIN PERFORM lo_create(4711); END $$; GRANT ALL ON LARGE OBJECT 4711 TO',
    'pg_largeobject_metadata',
    'lomacl',
    'oid = 4711',
  ],
  [
    'default privileges',
    'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO',
    'pg_default_acl',
    'defaclacl',
    `defaclobjtype = 'r'`,
  ],
  [
    'initial privileges',
    `CREATE TABLE t (a int); INSERT INTO pg_init_privs SELECT oid, 'pg_class'::regclass, 0, 'e',
  '{reader=arw/postgres,writer=arw/postgres}' FROM pg_class WHERE relname = 't'; GRANT SELECT ON t TO`,
    'pg_init_privs',
    'initprivs',
    `objoid = 't'::regclass`,
  ],
];

const privilegeCases: readonly RemedyCase[] = lists.map(([kind, sql, catalog, column, where]) => ({
  check: 'dangling-privileges',
  keeps: `the other privileges of a ${kind}`,
  fails: `${sql} reader, writer; SELECT ${column} AS acl FROM ${catalog} WHERE ${where} \\gset
CREATE TABLE was AS SELECT :'acl' AS acl; ${spoilt(catalog, column, where)}`,
  look: `SELECT ${column}::text = acl, ${column}::text LIKE '%reader=%,%writer=%' FROM ${catalog}, was WHERE ${where}`,
  left: ['t|t'],
}));

/** What can have the name of a multirange type, and so needs another one. */
const multirangeCases: readonly RemedyCase[] = [
  ['a composite type', 'CREATE TYPE "My multirange" AS (a int);'],
  ['a domain', 'CREATE DOMAIN "My multirange" AS int;'],
  ['an enum', `CREATE TYPE "My multirange" AS ENUM ('a');`],
  ['a range', 'CREATE TYPE "My multirange" AS RANGE (subtype = date);'],
  ['a table', 'CREATE TABLE "My multirange" (a int);'],
  ['a partitioned table', 'CREATE TABLE "My multirange" (a int) PARTITION BY LIST (a);'],
  ['a view', 'CREATE VIEW "My multirange" AS SELECT 1 AS a;'],
  ['a materialized view', 'CREATE MATERIALIZED VIEW "My multirange" AS SELECT 1 AS a;'],
  ['a sequence', 'CREATE SEQUENCE "My multirange";'],
  [
    'a foreign table',
    'CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE "My multirange" () SERVER s;',
  ],
].map(([kind = '', sql = '']) => ({
  check: 'multirange-names',
  keeps: `${kind} by another name`,
  fails: `CREATE SCHEMA "A b"; SET search_path = "A b"; ${sql} CREATE TYPE "My range" AS RANGE (subtype = int);`,
  look: `SELECT typname FROM pg_type WHERE typnamespace = '"A b"'::regnamespace AND typname ~ '^My' ORDER BY 1`,
  left: ['My multirange_mine', 'My range'],
}));

export const remedyCases: readonly RemedyCase[] = [
  ...privilegeCases,
  {
    check: 'dangling-privileges',
    keeps: 'no list where a column had none',
    fails: `CREATE TABLE t (a int); UPDATE pg_attribute SET attacl = ARRAY[makeaclitem(99999, 10, 'SELECT', false)] WHERE attrelid = 't'::regclass AND attname = 'a';`,
    look: `SELECT attacl IS NULL FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a'`,
    left: ['t'],
  },
  {
    check: 'reg-type-columns',
    keeps: 'the indexes that ALTER rebuilds, and drops those that compute such a value',
    fails: `CREATE TABLE t (a regproc PRIMARY KEY, b regproc UNIQUE, c oid, d regproc[], EXCLUDE USING btree (a WITH =), EXCLUDE USING btree ((c::regproc) WITH =));
CREATE INDEX plain ON t (a); CREATE INDEX covering ON t (c) INCLUDE (a); CREATE INDEX sorted ON t (b DESC NULLS LAST, c);
CREATE INDEX arrays ON t (d); CREATE INDEX partial ON t (c) WHERE a IS NOT NULL;
CREATE INDEX computed ON t ((c::regproc)); INSERT INTO t VALUES ('now', 'now', 5, '{now}');
CREATE MATERIALIZED VIEW m AS SELECT oid::regproc AS f FROM pg_proc WHERE proname = 'now'; CREATE INDEX of_view ON m (f);
CREATE TABLE p (c oid) PARTITION BY LIST (c); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE INDEX of_parts ON p ((c::regproc));`,
    look: `SELECT indexrelid::regclass FROM pg_index WHERE indexrelid >= 16384 AND indisvalid AND indrelid::regclass::text !~ 'pg_toast' ORDER BY indexrelid::regclass::text;
SELECT a, b, d, pg_typeof(a) FROM t`,
    left: [
      ...['arrays', 'covering', 'partial', 'plain', 'sorted', 't_a_excl', 't_b_key', 't_pkey'],
      'now|now|{now}|text',
    ],
  },
  {
    check: 'reg-type-columns',
    keeps: 'inherited columns equal to those of the parent',
    fails: `CREATE TABLE z (a regproc, b int); CREATE TABLE m (own int) INHERITS (z); CREATE TABLE a (also regproc) INHERITS (m);
CREATE TABLE merged (b int, a regproc) INHERITS (z); CREATE TABLE aside (a regproc); CREATE TABLE other (c regproc) INHERITS (aside);
CREATE TABLE p (a regproc, b int) PARTITION BY LIST (b); CREATE TABLE o PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (b); CREATE TABLE n PARTITION OF o FOR VALUES IN (1);
INSERT INTO a VALUES ('now', 1, 2, 'now'); INSERT INTO p VALUES ('now', 1);`,
    look: `SELECT attrelid::regclass || '.' || attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE c.oid >= 16384 AND atttypid = 'text'::regtype
  AND relnamespace = 'public'::regnamespace ORDER BY 1; SELECT tableoid::regclass, a FROM z; SELECT tableoid::regclass, a FROM p`,
    left: [
      ...['a.a', 'a.also', 'aside.a', 'm.a', 'merged.a', 'n.a', 'o.a', 'other.a', 'other.c', 'p.a', 'z.a'],
      ...['a|now', 'n|now'],
    ],
  },
  ...multirangeCases,
];
