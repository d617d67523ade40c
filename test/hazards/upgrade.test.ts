// A real pg_upgrade dies of the hazard, and succeeds after the remedy was run as it is printed. A choice; all of them in npm run test:all.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Answer } from '../../src/findings/finding.ts';
import { isWhole } from '../choice.ts';
import { databaseFixtures } from './database-fixtures.ts';
import { commandsOf, databaseOf, findingsOf } from './findings.ts';
import type { Fixture } from './fixture.ts';
import { pgUpgrade } from './pg-upgrade.ts';
import { Installations, Server } from './server.ts';
import { serverFixtures } from './server-fixtures.ts';

jest.setTimeout(600_000);

const sample = ['reg-type-columns', 'stored-settings'];
const deadly = [...databaseFixtures, ...serverFixtures].filter((f) => f.dies !== undefined);
const chosen = isWhole ? deadly : deadly.filter((f) => sample.includes(f.check));

let installations: Installations;
let golden: Server;

beforeAll(() => {
  installations = new Installations();
  golden = new Server(installations, 'golden');
  golden.initialise();
  golden.start();
  golden.createLogin();
  golden.stop();
});

afterAll(() => {
  installations.remove();
});

/** A server that runs with the hazard; it is cured, where it is, before it ever was stopped. */
async function withHazard(fixture: Fixture, name: string): Promise<{ server: Server; answer: Answer | undefined }> {
  const server = new Server(installations, `${fixture.check}-${name}`);
  server.copyFrom(golden);
  server.start();
  if (fixture.where === 'database') server.sql('postgres', `CREATE DATABASE "${databaseOf(fixture)}"`);
  server.sql(databaseOf(fixture), fixture.fails);
  return { server, answer: (await findingsOf(server))[fixture.check] };
}

test('there is a sample', () => {
  expect(chosen.length).toBeGreaterThanOrEqual(sample.length);
});

test.each(chosen.map((f) => [f.check, f] as const))(
  '%s: pg_upgrade fails on it, and passes after the remedy',
  async (check, fixture) => {
    const stricken = await withHazard(fixture, 'stricken');
    stricken.server.stop();
    const before = pgUpgrade(stricken.server, `${check}-before`);
    expect(before.output).toMatch(fixture.dies ?? /never/);
    expect(before.status).not.toBe(0);

    const cured = await withHazard(fixture, 'cured');
    cured.server.sql('postgres', commandsOf(cured.answer));
    cured.server.sql(databaseOf(fixture), fixture.cure ?? '');
    cured.server.stop();
    const after = pgUpgrade(cured.server, `${check}-after`);
    expect(after.output).toContain('Upgrade Complete');
    expect(after.status).toBe(0);
  },
);
