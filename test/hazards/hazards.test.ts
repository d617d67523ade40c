import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { hazards } from '../../src/hazards/table.ts';
import type { Answer } from '../../src/findings/finding.ts';
import { codeFixtures } from './code-fixtures.ts';
import { databaseFixtures } from './database-fixtures.ts';
import { readServer } from '../../src/database/server.ts';
import { rowLimit } from '../../src/hazards/script.ts';
import { databaseFacts } from '../unit/prechecks/facts.ts';
import { answersTo, commandsOf, databaseOf, findingsOf, gatherHazards } from './findings.ts';
import type { Fixture } from './fixture.ts';
import { Installations, Server } from './server.ts';
import { serverFixtures } from './server-fixtures.ts';
import {
  backgroundWorkerFixture,
  lockFixture,
  standbyFixture,
  transactionFixture,
  type LiveFixture,
} from './live-fixtures.ts';

jest.setTimeout(300_000);

const live: readonly LiveFixture[] = [standbyFixture, transactionFixture, backgroundWorkerFixture];
const fixtures: readonly Fixture[] = [...databaseFixtures, ...codeFixtures, ...serverFixtures];
const together = fixtures.filter((f) => f.alone !== true);
const alone = fixtures.filter((f) => f.alone === true);
const ids = hazards.map((h) => h.id);

let installations: Installations;
let server: Server;

/** Runs a script; the server's words where it refuses. */
function attempt(database: string, script: string): string[] {
  try {
    server.sql(database, script);
    return [];
  } catch (error) {
    return [String(error)];
  }
}

function unknownIn(found: Record<string, Answer>): string[] {
  return Object.entries(found).flatMap(([id, { status }]) => (status === 'unknown' ? [id] : []));
}

/** Databases with objects of roles that are no superusers have expressions that are not planned. */
const isNotPlanned = (line: string) => line.includes(': not planned here, because a role');

function isHazard([id, { status, evidence }]: [string, Answer]): boolean {
  return status !== 'passed' && !(id === 'inlined-functions' && status === 'warning' && evidence.every(isNotPlanned));
}

function severityOf(id: string) {
  return hazards.find((h) => h.id === id)?.severity;
}

beforeAll(() => {
  installations = new Installations();
  server = new Server(installations, 'old');
  server.initialise();
  server.start();
  server.createLogin();
});

afterAll(() => {
  server.stop();
  installations.remove();
});

test('each hazard has its fixture', () => {
  expect([...fixtures, ...live].map((f) => f.check).sort()).toEqual([...ids].sort());
});

describe('a server without hazards', () => {
  test('that has every extension, and what only looks like a hazard, only passes', async () => {
    server.sql('postgres', 'CREATE DATABASE ordinary');
    server.sql(
      'ordinary',
      `SELECT format('CREATE EXTENSION %I CASCADE', name) FROM pg_available_extensions WHERE installed_version IS NULL AND name !~ 'pl(perl|python|tcl)' AND name <> 'uuid-ossp' \\gexec`,
    );
    const refused = fixtures.flatMap((f) => attempt(f.where === 'server' ? 'postgres' : 'ordinary', f.passes ?? ''));
    expect(refused).toEqual([]);
    const found = await findingsOf(server);
    expect(Object.entries(found).filter(isHazard)).toEqual([]);
    expect(Object.keys(found)).toHaveLength(ids.length);
  });
});

describe('a server with all hazards at once', () => {
  let found: Record<string, Answer>;
  const refused = new Map<string, string[]>();
  beforeAll(async () => {
    for (const fixture of together) {
      if (fixture.where === 'database') server.sql('postgres', `CREATE DATABASE "${databaseOf(fixture)}"`);
      refused.set(fixture.check, attempt(databaseOf(fixture), fixture.fails));
    }
    found = await findingsOf(server);
  });

  test.each(together.map((f) => [f.check, f] as const))(
    '%s is found, in its place and nowhere else',
    (check, fixture) => {
      expect(found[check]?.status).toBe(severityOf(check));
      expect(found[check]?.evidence.join('\n')).toMatch(fixture.evidence);
      if (fixture.where === 'database') {
        const others = together.filter((f) => f.where === 'database' && f.check !== check).map((f) => `at ${f.check}:`);
        expect(
          found[check]?.evidence.filter((line) => others.some((o) => line.startsWith(o)) && !isNeighbour(check, line)),
        ).toEqual([]);
      }
    },
  );

  test('the remedies, run as they are printed, leave nothing to be found', async () => {
    const unfixed = together.flatMap((fixture) => {
      const commands = commandsOf(found[fixture.check]);
      if (commands + (fixture.cure ?? '') === '') return [`${fixture.check} has no commands`];
      return [...attempt('postgres', commands), ...attempt(databaseOf(fixture), fixture.cure ?? '')];
    });
    expect(unfixed).toEqual([]);
    const after = await findingsOf(server);
    expect(Object.entries(after).filter(isHazard)).toEqual([]);
  });
});

/** An unlogged table without its init fork is unlogged, too; and a function that can't be inlined in an index can't be called there either. */
function isNeighbour(check: string, line: string): boolean {
  return (
    (check === 'inlined-functions' && isNotPlanned(line)) ||
    (check === 'unlogged-tables' && line.startsWith('at missing-init-forks:')) ||
    (check === 'index-functions' && line.startsWith('at inlined-functions:'))
  );
}

describe('a server that keeps us out of a database', () => {
  test.each(alone.map((f) => [f.check, f] as const))(
    '%s is found; what could not be asked there is unknown',
    async (check, fixture) => {
      server.sql('postgres', fixture.fails);
      const found = await findingsOf(server);
      expect(found[check]?.status).toBe('failed');
      expect(found[check]?.evidence.join('\n')).toMatch(fixture.evidence);
      expect(found['reg-type-columns']?.status).toBe('unknown');
      expect(found['stored-settings']?.status).toBe('passed');
      server.sql('postgres', commandsOf(found[check]));
      expect((await findingsOf(server))[check]?.status).toBe('passed');
    },
  );
});

test.each(live.map((f) => [f.check, f] as const))('%s is found while it lasts', async (check, fixture) => {
  const end = await fixture.begin(server);
  try {
    const found = (await findingsOf(server))[check];
    expect(found?.status).toBe('warning');
    expect(found?.evidence.join('\n')).toMatch(fixture.evidence);
  } finally {
    await end();
  }
  expect((await findingsOf(server))[check]?.status).toBe('passed');
});

test('with a role that may read nothing, nothing is known', async () => {
  server.sql(
    'postgres',
    `CREATE ROLE stranger LOGIN; SELECT format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', datname) FROM pg_database \\gexec`,
  );
  const found = await findingsOf(server, 'stranger');
  expect(Object.values(found).map((a) => a.status)).toEqual(ids.map(() => 'unknown'));
  expect(found['reg-type-columns']?.evidence.join('\n')).toContain('permission denied for database');
});

test('a query that is refused leaves only its own check unknown', async () => {
  server.sql(
    'postgres',
    `GRANT CONNECT ON DATABASE template1 TO stranger; REVOKE SELECT ON pg_publication FROM PUBLIC;`,
  );
  server.sql('template1', `REVOKE SELECT ON pg_publication FROM PUBLIC;`);
  const found = await findingsOf(server, 'stranger', 'template1');
  expect(found['publications']).toMatchObject({
    status: 'unknown',
    evidence: ['template1: permission denied for table pg_publication'],
  });
  expect(found['reg-type-columns']?.status).toBe('passed');
});

describe('what could not be read', () => {
  test("for somebody's lock leaves only its own check unknown, soon, with the reason", async () => {
    const end = await lockFixture(server, 'template1', 'pg_catalog.pg_publication');
    try {
      const found = await findingsOf(server);
      expect(unknownIn(found)).toEqual(['publications']);
      expect(found['publications']?.evidence).toContain('template1: canceling statement due to lock timeout');
    } finally {
      await end();
    }
    expect((await findingsOf(server))['publications']?.status).toBe('passed');
  });

  test('in time leaves only its own check unknown, with the reason', async () => {
    server.sql('postgres', 'CREATE DATABASE slow');
    // The expression is planned, and what is immutable computed then.
    server.sql(
      'slow',
      `CREATE FUNCTION slowly(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END'; CREATE TABLE things (a int, CHECK (a > slowly(1)));
CREATE OR REPLACE FUNCTION slowly(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_sleep(60); RETURN $1; END'; REVOKE CREATE ON SCHEMA public FROM PUBLIC;`,
    );
    const found = await findingsOf(server);
    expect(unknownIn(found)).toEqual(['inlined-functions']);
    expect(found['inlined-functions']?.evidence).toContain('slow: canceling statement due to statement timeout');
    server.sql('postgres', 'DROP DATABASE slow');
    expect(unknownIn(await findingsOf(server))).toEqual([]);
  });

  test('beyond the limit of rows is counted, and still found once the commands for the first ones were run', async () => {
    server.sql('postgres', 'CREATE DATABASE crowded');
    server.sql(
      'crowded',
      `SELECT format('CREATE TABLE t%s (a regproc)', to_char(n, 'FM000')) FROM generate_series(1, ${String(rowLimit + 5)}) n \\gexec`,
    );
    const found = (await findingsOf(server))['reg-type-columns'];
    expect(found?.status).toBe('failed');
    expect(found?.evidence).toHaveLength(rowLimit + 1);
    expect(found?.evidence.at(-1)).toBe('crowded: 5 more');
    server.sql('postgres', commandsOf(found));
    const rest = (await findingsOf(server))['reg-type-columns'];
    expect([rest?.status, rest?.evidence.length]).toEqual(['failed', 5]);
    server.sql('postgres', commandsOf(rest));
    expect((await findingsOf(server))['reg-type-columns']?.status).toBe('passed');
    server.sql('postgres', 'DROP DATABASE crowded');
  });

  test('of a server that is down makes every check unknown', async () => {
    server.stop();
    await expect(findingsOf(server)).rejects.toThrow('connection to server');
    const gathered = await gatherHazards(server, [databaseFacts('postgres')]);
    const found = Object.values(await answersTo(gathered));
    expect(found.map((a) => a.status)).toEqual(ids.map(() => 'unknown'));
    expect(found.filter((a) => !a.evidence.join().includes('connection to server'))).toEqual([]);
    server.start();
  });
});

test('whatever search_path the role has, names mean what the system has', async () => {
  server.sql(
    'template1',
    `CREATE SCHEMA deceit; CREATE FUNCTION deceit.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT ''a lie'''; ALTER ROLE postgres SET search_path = deceit, pg_catalog`,
  );
  expect((await readServer(server.database())).dataDirectory).toBe(server.data);
  expect(unknownIn(await findingsOf(server))).toEqual([]);
  server.sql('template1', 'ALTER ROLE postgres RESET search_path; DROP SCHEMA deceit CASCADE');
});

test("the server's log shows that the checks only read", () => {
  const ours = readFileSync(server.logFile, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('[postgresql-upgrade] LOG:  statement: '));
  expect(ours.length).toBeGreaterThan(1000);
  const verbs = new Set(
    ours.map((line) => line.replace('[postgresql-upgrade] LOG:  statement: ', '').split(/[\s;]/)[0]),
  );
  expect([...verbs].sort()).toEqual(['DO', 'SELECT', 'SET']);
});
