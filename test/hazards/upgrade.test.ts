// A real pg_upgrade dies of the hazard, and succeeds after the remedy was run as it is printed. A sample; all of them with HAZARDS_LONG=1.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { databaseFixtures } from './database-fixtures.ts';
import { commandsOf, databaseOf, findingsOf } from './findings.ts';
import { pgUpgrade } from './pg-upgrade.ts';
import { Installations, Server } from './server.ts';
import { serverFixtures } from './server-fixtures.ts';

jest.setTimeout(600_000);

const sample = ['reg-type-columns', 'stored-settings'];
const deadly = [...databaseFixtures, ...serverFixtures].filter((f) => f.dies !== undefined);
const chosen = process.env['HAZARDS_LONG'] === '1' ? deadly : deadly.filter((f) => sample.includes(f.check));

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

test('there is a sample', () => {
  expect(chosen.length).toBeGreaterThanOrEqual(sample.length);
});

test.each(chosen.map((f) => [f.check, f] as const))(
  '%s: pg_upgrade dies of it, and passes after the remedy',
  async (check, fixture) => {
    const old = new Server(installations, `${check}-12`);
    old.copyFrom(golden);
    old.start();
    if (fixture.where === 'database') old.sql('postgres', `CREATE DATABASE "${databaseOf(fixture)}"`);
    old.sql(databaseOf(fixture), fixture.fails);
    const answer = (await findingsOf(old))[check];
    old.stop();
    const before = pgUpgrade(old, `${check}-before`);
    expect(before.output).toMatch(fixture.dies ?? /never/);
    expect(before.status).not.toBe(0);
    old.start();
    old.sql('postgres', commandsOf(answer));
    old.sql(databaseOf(fixture), fixture.cure ?? '');
    old.stop();
    const after = pgUpgrade(old, `${check}-after`);
    expect(after.output).toContain('Upgrade Complete');
    expect(after.status).toBe(0);
  },
);
