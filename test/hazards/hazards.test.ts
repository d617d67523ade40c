import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { hazards } from '../../src/prechecks/hazards/table.ts';
import type { Answer } from '../../src/prechecks/finding.ts';
import { databaseFixtures } from './database-fixtures.ts';
import { commandsOf, databaseOf, findingsOf } from './findings.ts';
import type { Fixture } from './fixture.ts';
import { Installations, Server } from './server.ts';
import { serverFixtures } from './server-fixtures.ts';
import { standbyFixture, transactionFixture, type LiveFixture } from './live-fixtures.ts';

jest.setTimeout(300_000);

const live: readonly LiveFixture[] = [standbyFixture, transactionFixture];
const fixtures: readonly Fixture[] = [...databaseFixtures, ...serverFixtures];
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
    expect(Object.entries(found).filter(([, answer]) => answer.status !== 'passed')).toEqual([]);
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
      const commands = fixture.cure ?? commandsOf(found[fixture.check]);
      if (commands === '') return [`${fixture.check} has no commands`];
      return attempt(fixture.cure === undefined ? 'postgres' : databaseOf(fixture), commands);
    });
    expect(unfixed).toEqual([]);
    const after = await findingsOf(server);
    expect(Object.entries(after).filter(([, answer]) => answer.status !== 'passed')).toEqual([]);
  });
});

/** An unlogged table without its init fork is unlogged, too. */
function isNeighbour(check: string, line: string): boolean {
  return check === 'unlogged-tables' && line.startsWith('at missing-init-forks:');
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
