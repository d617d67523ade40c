// What restore-test.sh does in a pod, done on real servers of both majors: a sample of the hazards; all of them in npm run test:all.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { isWhole } from '../choice.ts';
import { databaseFixtures } from './database-fixtures.ts';
import { commandsOf, databaseOf, findingsOf } from './findings.ts';
import { runRestoreTest, type RestoreTestRun } from './restore-test-run.ts';
import { pgUpgrade } from './pg-upgrade.ts';
import { Installations, Server } from './server.ts';
import { serverFixtures } from './server-fixtures.ts';

jest.setTimeout(300_000);

/** What pg_upgrade finds by looking, and no dump or restore shows. */
const unseen = ['reg-type-columns', 'system-row-type-columns', 'encoding-conversions', 'missing-files', 'lock-table'];
/** What keeps the restore test from the roles, or from a database: each by itself. */
const alone = ['database-connections', 'invalid-databases', 'database-names', 'name-encodings', 'bootstrap-superuser'];
const deadly = [...databaseFixtures, ...serverFixtures].filter((f) => f.dies !== undefined && !alone.includes(f.check));
const sample = ['inherited-not-null', 'inlined-functions', 'removed-operators', 'role-names', 'stored-settings'];
const seen = deadly.filter((f) => !unseen.includes(f.check) && (isWhole || sample.includes(f.check)));
const chosenAlone = isWhole ? alone : ['invalid-databases', 'name-encodings'];

let installations: Installations;

beforeAll(() => {
  installations = new Installations();
});

afterAll(() => {
  installations.remove();
});

function begin(name: string, ...settings: string[]): Server {
  const server = new Server(installations, name);
  server.initialise();
  server.configure(...settings);
  server.start();
  server.createLogin();
  return server;
}

describe('a server', () => {
  let server: Server;
  beforeAll(() => {
    server = begin('old');
  });
  afterAll(() => {
    server.stop();
  });

  test('without hazards, with every extension and all that only looks like a hazard, passes', async () => {
    server.sql('postgres', `CREATE DATABASE "ordi'na\\ry"`);
    const database = "ordi'na\\ry";
    const escaped = "ordi\\'na\\\\ry";
    server.sql(
      escaped,
      `SELECT format('CREATE EXTENSION %I CASCADE', name) FROM pg_available_extensions WHERE installed_version IS NULL AND name !~ 'pl(perl|python|tcl)' AND name <> 'uuid-ossp' \\gexec`,
    );
    for (const f of [...databaseFixtures, ...serverFixtures])
      server.sql(f.where === 'server' ? 'postgres' : escaped, f.passes ?? '');
    const { answer, facts } = await runRestoreTest(server);
    expect(answer).toMatchObject({ status: 'passed' });
    expect(facts.places.map((p) => p.database)).toContain(database);
    expect(facts.places.every((p) => p.seconds !== undefined && p.seconds.dump > 0 && p.seconds.restore > 0)).toBe(
      true,
    );
    server.sql('postgres', `DROP DATABASE "ordi'na\\ry"`);
  });

  test.each(seen.map((f) => f.check))('%s: is made', (check) => {
    const fixture = seen.find((f) => f.check === check);
    if (fixture?.where === 'database') server.sql('postgres', `CREATE DATABASE "at ${check}"`);
    server.sql(fixture === undefined ? '' : databaseOf(fixture), fixture?.fails ?? '');
  });

  describe('with all that pg_upgrade fails on', () => {
    let all: RestoreTestRun;
    beforeAll(async () => {
      all = await runRestoreTest(server);
    });

    test.each(seen.map((f) => f.check))('%s is reported with what pg_upgrade would say', (check) => {
      const fixture = seen.find((f) => f.check === check);
      const where = fixture?.where === 'database' ? [`at ${check}: `] : ['roles and settings: ', 'postgres: '];
      const lines = all.answer.evidence.filter((line) => where.some((w) => line.startsWith(w)));
      expect(all.answer.status).toBe('failed');
      expect(lines.join('\n')).toMatch(fixture?.restoring ?? fixture?.dies ?? /never/);
    });

    test('of an object that failed only the first failure is reported', () => {
      expect(all.answer.evidence.filter((line) => line.includes('OWNER TO'))).toEqual([]);
    });

    test('the same server gives the same bytes', async () => {
      expect((await runRestoreTest(server)).answer).toEqual(all.answer);
    });

    test('passes after the remedies', async () => {
      const found = await findingsOf(server);
      for (const fixture of seen) {
        server.sql('postgres', commandsOf(found[fixture.check]));
        server.sql(databaseOf(fixture), fixture.cure ?? '');
      }
      expect((await runRestoreTest(server)).answer.status).toBe('passed');
    });
  });

  test('is only read, and no secret of a role is asked for', () => {
    const ours = readFileSync(server.logFile, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('[postgresql-upgrade] LOG:  statement: '))
      .map((line) => line.replace('[postgresql-upgrade] LOG:  statement: ', ''));
    const verbs = new Set(ours.map((line) => line.split(/[\s;]/)[0]));
    expect([...verbs].sort()).toEqual(['BEGIN', 'DO', 'LOCK', 'SELECT', 'SET']);
    const locks = ours.filter((line) => line.startsWith('LOCK'));
    expect(locks.length).toBeGreaterThan(0);
    expect(locks.filter((line) => !line.endsWith(' IN ACCESS SHARE MODE'))).toEqual([]);
    expect(ours.filter((line) => /FROM (pg_catalog\.)?pg_(authid|shadow)\b/.test(line))).toEqual([]);
  });
});

test.each(chosenAlone)('%s: what could not be tested is not passed', async (check) => {
  const fixture = serverFixtures.find((f) => f.check === check);
  const server = begin(check);
  server.sql('postgres', fixture?.fails ?? '');
  const { answer } = await runRestoreTest(server);
  expect(['failed', 'unknown']).toContain(answer.status);
  expect(answer.evidence.join('\n')).not.toBe('');
  server.stop();
});

test('an object that no row of the table knows is reported, and pg_upgrade fails on it', async () => {
  const server = begin('unknown');
  // 14 makes a multirange type with each range type, and functions of its name.
  server.sql(
    'postgres',
    `CREATE TYPE price_range AS RANGE (subtype = numeric); CREATE FUNCTION price_multirange() RETURNS int LANGUAGE sql AS 'SELECT 1';`,
  );
  const found = await findingsOf(server);
  expect(Object.entries(found).filter(([, answer]) => answer.status !== 'passed')).toEqual([]);
  const { answer } = await runRestoreTest(server);
  const message = 'function "price_multirange" already exists with same argument types';
  expect(answer).toMatchObject({
    status: 'failed',
    remedy: { text: expect.stringMatching(/^Rename the object/) as unknown },
  });
  expect(answer.evidence[0]).toContain(`postgres: FUNCTION price_multirange(): ERROR:  ${message}`);
  server.stop();
  const before = pgUpgrade(server, 'unknown-before');
  expect(before.status).not.toBe(0);
  expect(before.output).toContain(message);
  server.start();
  server.sql('postgres', 'DROP FUNCTION price_multirange()');
  expect((await runRestoreTest(server)).answer.status).toBe('passed');
  server.stop();
  expect(pgUpgrade(server, 'unknown-after').status).toBe(0);
});

test('literals are not reported, though the statement fails', async () => {
  const server = begin('secrets');
  server.sql(
    'postgres',
    `CREATE ROLE app LOGIN PASSWORD 'geheim-1'; ALTER ROLE app SET "my-app.token" = 'geheim-2';
CREATE FUNCTION careful() RETURNS text LANGUAGE sql SET operator_precedence_warning = on AS $$ SELECT 'geheim-3
geheim-4' $$;
CREATE TABLE t (a text DEFAULT 'geheim-5', b text DEFAULT E'it\\'s geheim-6 \\\\', "c'd" bigint DEFAULT !! 5, e text DEFAULT 'geheim-7');`,
  );
  const { answer, log } = await runRestoreTest(server);
  expect(answer.evidence.join('\n')).toMatch(/my-app\.token[^]*FUNCTION careful[^]*TABLE t: .*!! bigint.*"c'd" bigint/);
  expect(log).not.toMatch(/geheim|md5[0-9a-f]{5}|SCRAM-SHA/);
  server.stop();
});

test("somebody's lock is not waited for: what is behind it is unknown, all else is tested", async () => {
  const server = begin('locked');
  server.sql('postgres', 'CREATE TABLE busy (a int); CREATE DATABASE free');
  const holder = spawn('psql', ['-Xq', '-U', 'postgres', '-d', 'postgres'], { env: server.environment });
  holder.stdin.write('BEGIN; LOCK TABLE busy IN ACCESS EXCLUSIVE MODE;\n\\echo locked\n');
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const begun = Date.now();
  const { answer } = await runRestoreTest(server, { LOCK_WAIT: '1' });
  expect(Date.now() - begun).toBeLessThan(20_000);
  expect(answer.status).toBe('unknown');
  expect(answer.evidence.join('\n')).toMatch(/postgres: .*canceling statement due to statement timeout/);
  expect(answer.evidence.join('\n')).toMatch(/restored without an error: roles and settings, free, template1/);
  holder.stdin.end('ROLLBACK;\n');
  await new Promise((resolve) => holder.once('close', resolve));
  server.stop();
});

test('without the roles no database is restored: what failed is their dump, and no object', async () => {
  const server = begin('roles');
  server.sql(
    'postgres',
    'CREATE ROLE app; CREATE DATABASE circle OWNER app; CREATE TABLE t (a int); ALTER TABLE t OWNER TO app',
  );
  const programs = installations.directoryOf('programs');
  for (const name of readdirSync(installations.bin(14, '')))
    symlinkSync(installations.bin(14, name), join(programs, name));
  const said = 'pg_dumpall: error: connection to server at "10.1.2.3", port 5432 failed: timeout expired';
  rmSync(join(programs, 'pg_dumpall'));
  writeFileSync(join(programs, 'pg_dumpall'), `#!/bin/sh\necho '${said}' >&2\nexit 1\n`, { mode: 0o755 });
  const { answer, facts } = await runRestoreTest(server, { PGBINNEW: programs });
  expect(answer.status).toBe('unknown');
  expect(answer.evidence).toEqual([`roles and settings: ${said} pg_dumpall ended with 1`]);
  expect(facts.places.flatMap(({ failures }) => failures)).toEqual([]);
  server.stop();
});

test('a database that would take the locks away from others is left alone', async () => {
  const server = begin('locks', 'max_locks_per_transaction = 10', 'max_connections = 10');
  server.sql('postgres', "SELECT format('CREATE TABLE t%s (a int)', n) FROM generate_series(1, 60) n \\gexec");
  const { answer } = await runRestoreTest(server);
  expect(answer.status).toBe('unknown');
  expect(answer.evidence[0]).toMatch(/^postgres: a dump would take more than half of .*60 of 100 locks/);
  expect(readFileSync(server.logFile, 'utf8')).not.toContain('LOCK TABLE public.t1 ');
  server.stop();
});

test('a server that refuses the login is unknown, and no NetworkPolicy is blamed', async () => {
  const server = begin('refusing');
  const { answer, facts } = await runRestoreTest(server, { LOGIN: 'nobody' });
  expect(facts.unreachable).toBeUndefined();
  expect(answer.status).toBe('unknown');
  expect(answer.evidence[0]).toMatch(/can't be reached from a pod: .*FATAL: .*role "nobody" does not exist/);
  server.stop();
});

test('a restore that can not close its network warns, with the reason', async () => {
  const server = begin('open');
  const { answer } = await runRestoreTest(server, { CONFINE: 'print STDERR "no such call\\n"; exit 1' });
  expect(answer.status).toBe('warning');
  expect(answer.evidence.join('\n')).toMatch(
    /^the restore could reach the network: no such call\nrestored without an error: /,
  );
  server.stop();
});

test('a server that does not answer is unknown, with the reason', async () => {
  const server = begin('silent');
  const { answer } = await runRestoreTest(server, { HOST: '127.0.0.1', PORT: '1', CONNECT_WAIT: '1' });
  expect(answer.status).toBe('unknown');
  expect(answer.evidence.join('\n')).toMatch(/no connection from a pod to the running server: .*Connection refused/);
  server.stop();
});
