import type { Fixture } from './fixture.ts';

const server = (
  check: string,
  fails: string,
  evidence: RegExp,
  more: Omit<Fixture, 'check' | 'where' | 'fails' | 'evidence'> = {},
): Fixture => ({ check, where: 'server', fails, evidence, ...more });

const touch = (path: string) =>
  `\\set command 'touch ' :data '/${path}'\nCOPY (SELECT 1 WHERE false) TO PROGRAM :'command';`;
const append = (line: string, file: string) =>
  `\\set command 'echo "${line}" >> ' :data '/${file}'\nCOPY (SELECT 1 WHERE false) TO PROGRAM :'command';`;
const restore = (file: string) =>
  `\\set command 'sed -i "/certain line/d" ' :data '/${file}'\nCOPY (SELECT 1 WHERE false) TO PROGRAM :'command'; SELECT pg_reload_conf();`;
const datfrozenxid = (database: string, age: number) =>
  `CREATE DATABASE ${database}; UPDATE pg_database SET datfrozenxid = ((txid_current() - ${String(age)} + 4294967296) % 4294967296)::text::xid WHERE datname = '${database}';`;

export const serverFixtures: readonly Fixture[] = [
  server(
    'database-connections',
    'CREATE DATABASE "closed ""one"""; ALTER DATABASE "closed ""one""" ALLOW_CONNECTIONS false; ALTER DATABASE template0 ALLOW_CONNECTIONS true;',
    /database "closed ""one""": accepts no connections/,
    { alone: true, dies: /must allow connections|must not allow connections/ },
  ),
  server(
    'invalid-databases',
    `CREATE DATABASE half; UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half';`,
    /database half: its DROP DATABASE was interrupted/,
    { alone: true, dies: /cannot connect to invalid database "half"/ },
  ),
  server('database-names', `CREATE DATABASE U&"two\\000alines";`, /its name has a line break/, {
    passes: `CREATE DATABASE "o'dd = \\ ""name""";`,
    dies: /newline or carriage return/,
  }),
  server(
    'name-encodings',
    'CREATE DATABASE latin TEMPLATE template0 ENCODING \'LATIN1\';\n\\connect latin\nCREATE ROLE "l\u00e4tin";',
    /role with OID \d+: its name is no UTF8: bytes 6ce474696e/,
    { passes: 'CREATE ROLE "\u00fcber";', dies: /invalid byte sequence/ },
  ),
  server(
    'role-names',
    `CREATE ROLE monitoring; UPDATE pg_authid SET rolname = 'pg_monitoring' WHERE rolname = 'monitoring'; CREATE TABLE of_it (a int); GRANT SELECT ON of_it TO "pg_monitoring";`,
    /role pg_monitoring/,
    { dies: /role "pg_monitoring" does not exist/ },
  ),
  server('bootstrap-superuser', 'ALTER ROLE boss NOLOGIN;', /role boss: may not log in/, {
    dies: /role "boss" is not permitted to log in/,
  }),
  server(
    'stored-settings',
    `CREATE ROLE "Odd role"; ALTER ROLE "Odd role" SET operator_precedence_warning = on; ALTER DATABASE postgres SET "my-app.user" = 'x'; ALTER ROLE "Odd role" IN DATABASE postgres SET password_encryption = 'on';`,
    /role "Odd role": operator_precedence_warning/,
    {
      passes: `CREATE ROLE plain; ALTER ROLE plain SET work_mem = '1MB'; ALTER ROLE plain SET my_app.who = 'x'; ALTER ROLE plain SET timezone = 'UTC';`,
      dies: /configuration parameter/,
    },
  ),
  server(
    'stored-environment-settings',
    `CREATE ROLE berliner; ALTER ROLE berliner SET timezone = 'Europe/Berlin';`,
    /role berliner: TimeZone = Europe\/Berlin/i,
  ),
  server(
    'configuration-files',
    `ALTER SYSTEM SET max_files_per_process = 30;\n${append('vacuum_cleanup_index_scale_factor = 0.2 # certain line', 'postgresql.conf')}`,
    /vacuum_cleanup_index_scale_factor/,
    { cure: restore('postgresql.conf') },
  ),
  server('system-files', `ALTER SYSTEM SET log_directory = '/nowhere';`, /log_directory: \/nowhere/),
  server(
    'client-certificates',
    append('hostssl all all 10.0.0.0/8 cert clientcert=1 # certain line', 'pg_hba.conf'),
    /clientcert/,
    { cure: restore('pg_hba.conf') },
  ),
  server(
    'password-methods',
    `CREATE ROLE app LOGIN PASSWORD 'md50123456789abcdef0123456789abcdef'; ${append('host all app 10.0.0.0/8 scram-sha-256 # certain line', 'pg_hba.conf')}`,
    /app: its password is stored as md5/,
    { cure: restore('pg_hba.conf') },
  ),
  server('signal-files', touch('standby.signal'), /standby\.signal/),
  server('exclusive-backup', `SELECT pg_start_backup('x', true);`, /exclusive backup/),
  server(
    'tablespaces',
    `\\set command 'mkdir ' :work '/space'\nCOPY (SELECT 1 WHERE false) TO PROGRAM :'command';\n\\set place :work '/space'\nCREATE TABLESPACE "Sp ace" LOCATION :'place';
CREATE DATABASE spacious TABLESPACE "Sp ace"; CREATE DATABASE "par tly";\n\\connect "par tly"
CREATE TABLE placed (a int PRIMARY KEY USING INDEX TABLESPACE "Sp ace") TABLESPACE "Sp ace"; CREATE MATERIALIZED VIEW seen TABLESPACE "Sp ace" AS SELECT 1 AS one;`,
    /tablespace "Sp ace": at/,
  ),
  server(
    'tablespace-directories',
    `\\set command 'mkdir -p ' :work '/left/PG_14_202107181 ' :data '/inside'\nCOPY (SELECT 1 WHERE false) TO PROGRAM :'command';\n\\set place :data '/inside'\nCREATE TABLESPACE inside LOCATION :'place';
\\set place :work '/left'\nCREATE TABLESPACE leftover LOCATION :'place'; CREATE TABLE there (a int) TABLESPACE inside;`,
    /tablespace inside: is inside of the data directory/,
  ),
  server(
    'checksum-failures',
    `CREATE DATABASE damaged;
\\connect damaged
\\set command 'mkdir ' :work '/elsewhere'
COPY (SELECT 1 WHERE false) TO PROGRAM :'command';
\\set place :work '/elsewhere'
CREATE TABLESPACE elsewhere LOCATION :'place';
CREATE TABLE bad AS SELECT n FROM generate_series(1, 1000) n; CHECKPOINT;
SELECT pg_relation_filepath('bad') AS path \\gset
\\set command 'printf XXXX | dd conv=notrunc bs=1 seek=5000 of=' :data '/' :path
COPY (SELECT 1 WHERE false) TO PROGRAM :'command';
\\set ON_ERROR_STOP 0
ALTER TABLE bad SET TABLESPACE elsewhere;
\\set ON_ERROR_STOP 1
DROP TABLE bad; DROP TABLESPACE elsewhere; SELECT pg_sleep(1.2);`,
    /database damaged: \d+ pages/,
  ),
  server(
    'subscriptions',
    `CREATE SUBSCRIPTION elsewhere CONNECTION 'dbname=none' PUBLICATION p WITH (connect = false);`,
    /subscription elsewhere/,
  ),
  server(
    'archiving',
    `ALTER SYSTEM SET archive_command = 'false'; SELECT pg_reload_conf(); SELECT pg_sleep(0.5);`,
    /archive_command/,
    { cure: 'ALTER SYSTEM RESET archive_command; SELECT pg_reload_conf(); SELECT pg_sleep(0.5);' },
  ),
  server('wraparound', datfrozenxid('nearly_over', 2_144_500_000), /database nearly_over: 21445\d+ transactions old/),
  server(
    'wraparound-distance',
    datfrozenxid('rather_old', 1_600_000_000),
    /database rather_old: 16000\d+ transactions/,
  ),
];
