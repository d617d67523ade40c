import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';

const directory = path.resolve(import.meta.dirname, '../../../src/job');

/** A line of the log is shown up to here. */
const longest = 4096;

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

/** The lines whose secret begins at each of these places of a line, with words before it: some are cut in the middle of it. */
function aroundTheCut(before: string, secret: string, after: string): string {
  return Array.from({ length: 130 }, (_, place) => {
    const begun = `LOG:  ${String(place)} `;
    const filled = longest - 100 + place - begun.length - before.length;
    return `${begun}${'some words '.repeat(400).slice(0, filled - 1)} ${before}${secret}${after}`;
  }).join('\n');
}

test.each([
  ['password=', 'S3cretS3cretS3cretS3cret', ' port=5432'],
  ['password = ', 'S3cretS3cretS3cretS3cret', ''],
  [`PASSWORD '`, 'S3cret S3cret S3cret S3cret', `' VALID UNTIL 'infinity';`],
  [`PASSWORD E'`, `S3cret\\'S3cret S3cret`, `' VALID`],
  [`PASSWORD '`, 'S3cret\nS3cret S3cret\nS3cret', `' VALID`],
  ['md5', '53f48b7c4b76a86ce72276c5755f217d', ' and more'],
  ['SCRAM-SHA-256$4096:', 'S3cretS3cret==$S3cret=:S3cret=', ' and more'],
  ['https://app:', 'S3cretS3cretS3cretS3cret', '@db:5432/x'],
  ['STATEMENT:  SELECT f($a$', 'S3cret S3cret\nS3cret', '$a$)'],
])('no part of a secret is left where a line is cut: %s', (before, secret, after) => {
  const left = redact(aroundTheCut(before, secret, after));
  expect(left.split('LOG:  ')).toHaveLength(131);
  expect(left).toContain('left out');
  for (let at = 0; at + 5 <= secret.length; at++) expect(left).not.toContain(secret.slice(at, at + 5));
});

test('what belongs to a line that is cut is left out, up to the next message', () => {
  const long = 'x, '.repeat(longest);
  const text = `ERROR:  one\n${long}PASSWORD 'S3cret\nS3cret\nOPTIONS (\nFATAL:  two\nthree`;
  expect(redact(text)).toMatch(
    /^ERROR: {2}one\n(x, )+… \(the rest of this line, and what belongs to it, is left out\)\nFATAL: {2}two\nthree$/,
  );
});

test('what stands behind a carriage return is a line of its own', () => {
  const files = Array.from({ length: 1000 }, (_, n) => `  /data/base/16384/${String(n)}`).join('\r');
  expect(redact(`Linking user relation files\n${files}\rerror while creating link`).split('\n').slice(-2)).toEqual([
    '  /data/base/16384/999',
    'error while creating link',
  ]);
});

test.each([
  ['DETAIL:  ', `'a',`],
  ['LOG:  ', `password='a' `],
  ['LOG:  ', `password=a `],
  ['STATEMENT:  ', `"a" `],
  ['pg_restore: ', '://a '],
  ['', 'a'],
])('lines of any length are read in a time that grows with their length: %s%s', (begun, words) => {
  const started = performance.now();
  redact(`${begun}${words.repeat(480_000 / words.length)}\n`.repeat(20) + 'end');
  expect(performance.now() - started).toBeLessThan(10_000);
});

test('a log that takes too long is not taken for a whole one', () => {
  const script = `source ${path.join(directory, 'report.sh')}; { echo one; sleep 4; } | redact 1`;
  const { stdout, status } = spawnSync('bash', ['-uo', 'pipefail', '-c', script], {
    encoding: 'utf8',
  });
  expect(['', 'one\n']).toContain(stdout);
  expect(status).not.toBe(0);
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

describe('the literals of a statement', () => {
  const rule = path.resolve('src/job/literals.awk');

  /** What is left of the lines of one statement. */
  function left(text: string, most = 1000): string[] {
    const program = `${readFileSync(rule, 'utf8')}\nNR == 1 { begin_statement() } { print without_literals($0, ${String(most)}) }`;
    const run = spawnSync('awk', [program], {
      input: `${text}\n`,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    });
    expect([run.status, run.stderr]).toEqual([0, '']);
    return run.stdout.slice(0, -1).split('\n');
  }

  test.each([
    [`SELECT 'it''s', "a'b", 1`, [`SELECT '…''…', "a'b", 1`]],
    [`SELECT 'x -- y' -- don't`, [`SELECT '…' `]],
    ['SELECT $$a$b$$, $q$ $$ $ $qq$ $q$;', ['SELECT $$…$$, $q$…$q$;']],
    ['SELECT $1, $a$x$b$a$, a$', ['SELECT $1, $a$…$a$, a$']],
    [`SELECT 'one\ntwo', $_$\n'three' $$\n$_$ AS "a\nb"`, [`SELECT '`, `…', $_$`, '', '…$_$ AS "a', 'b"']],
    ['', ['']],
  ])('are left out of %j', (text, expected) => {
    expect(left(text)).toEqual(expected);
  });

  test.each([
    ['many literals', `'a', `],
    ['many names', `"a", `],
    ['many tags', '$a$b$a$ '],
    ['tags that end none', '$a$'],
    ['signs that begin none', "$a b -'' "],
  ])('are told in a time that grows with the length: %s', (_what, words) => {
    const took = (bytes: number) => {
      const started = performance.now();
      left(`SELECT $ab$ ${words.repeat(bytes / words.length)}`, 400);
      left(`SELECT ${words.repeat(bytes / words.length)}`, 400);
      return performance.now() - started;
    };
    took(1000);
    // With the square of it, 4 MB would take minutes.
    expect(took(4_000_000)).toBeLessThan(30_000);
  });

  test('are told by one rule in the Job and in the restore test', () => {
    for (const file of ['job/report.sh', 'probes/restore-test.sh']) {
      const text = readFileSync(path.resolve('src', file), 'utf8');
      expect(text).toMatch(/"\$LITERALS\$/);
      expect(text).not.toContain('function without_literals');
    }
  });
});
