import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const directory = path.resolve(import.meta.dirname, '../../../src/job');

/** What the Job prints of a log. */
function redact(text: string): string {
  const script = `source ${path.join(directory, 'report.sh')}; redact`;
  const { stdout, stderr, status } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    input: `${text}\n`,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout.slice(0, -1);
}

test.each([
  `OPTIONS ("user" 'app', "password" 'S3cret')`,
  `OPTIONS (\n    "user" 'app',\n    "password" 'S3cret\nS3cret, it''s S3cret'\n);`,
  `ALTER ROLE app PASSWORD 'S3cret';`,
  `CREATE SUBSCRIPTION s CONNECTION 'host=db password=S3cret' PUBLICATION p;`,
  `host=db password=S3cret port=5432`,
  `password := 'S3cret';`,
  `password => E'it\\'s S3cret'`,
  `(password=>'S3cret''S3cret')`,
  `ALTER ROLE app PASSWORD 'SCRAM-SHA-256$4096:S3cret==$S3cret=:S3cret='`,
  `rolpassword SCRAM-SHA-256$4096:S3cret==$S3cret=:S3cret=`,
  `could not connect to https://app:S3cret@db:5432/x`,
  `pg_restore: error: could not execute query: ERROR:  type "x" does not exist\nCommand was: CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $_$\n  -- don't tell\n  SELECT 'S3cret'\n$_$;\nCREATE VIEW v AS SELECT 'S3cret';`,
  `2026-11-29 12:00:00 UTC [1] STATEMENT:  SELECT f('S3cret',\n\t'S3cret')`,
  `2026-11-29 12:00:00 UTC [1] DETAIL:  Key (token)=(S3cret) already exists.`,
])('no secret is left of %s', (text) => {
  expect(redact(text)).not.toContain('S3cret');
});

test('what tells why it failed stays', () => {
  const text = [
    'pg_restore: error: could not execute query: ERROR:  type "public.abstime" does not exist',
    `Command was: CREATE TABLE "public"."t" ("a" "abstime" DEFAULT 'S3cret');`,
    '',
    'pg_restore: warning: errors ignored on restore: 1',
    `command: "/usr/lib/postgresql/14/bin/pg_ctl" -w -o "-c unix_socket_directories='/tmp'" start >> "pg_upgrade_server.log" 2>&1`,
    'FATAL:  password authentication failed for user "app"',
  ];
  expect(redact(text.join('\n')).split('\n')).toEqual(text.map((line) => line.replace('S3cret', '…')));
  expect(redact("OPTIONS (password 'x', host 'db')")).toBe("OPTIONS (password '***', host 'db')");
  expect(redact('host=db password=x port=5432')).toBe('host=db password=*** port=5432');
});

test('statements lose their literals by the same rule in both scripts', () => {
  const rule = (name: string) =>
    /readonly WITHOUT_LITERALS='\n(function begin_statement[^]*?\n}\n)(?:'|function tell)/.exec(
      readFileSync(path.join(directory, name), 'utf8'),
    )?.[1];
  expect(rule('report.sh')).toBeDefined();
  expect(rule('report.sh')).toBe(rule('replay.sh'));
});
