// A real pg_upgrade dies of the hazard, and succeeds after the remedy was run as it is printed. A sample; all of them with HAZARDS_LONG=1.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { databaseFixtures } from './database-fixtures.ts';
import { commandsOf, databaseOf, findingsOf } from './findings.ts';
import { bootstrap, Installations, Server } from './server.ts';
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

/** A fresh cluster of 14, and pg_upgrade into it; its output and logs. */
function upgrade(old: Server, name: string): { status: number | null; output: string } {
  const fresh = new Server(installations, name, 14);
  fresh.initialise();
  const { status, output } = installations.run(
    installations.bin(14, 'pg_upgrade'),
    [
      '-b',
      installations.bin(12, ''),
      '-B',
      installations.bin(14, ''),
      '-d',
      old.data,
      '-D',
      fresh.data,
      '-U',
      bootstrap,
      '-s',
      fresh.place,
    ],
    fresh.place,
  );
  const logs = readdirSync(fresh.place).filter((file) => file.endsWith('.log') || file.endsWith('.txt'));
  return { status, output: [output, ...logs.map((file) => readFileSync(join(fresh.place, file), 'utf8'))].join('\n') };
}

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
    const before = upgrade(old, `${check}-before`);
    expect(before.output).toMatch(fixture.dies ?? /never/);
    expect(before.status).not.toBe(0);
    old.start();
    old.sql(fixture.cure === undefined ? 'postgres' : databaseOf(fixture), fixture.cure ?? commandsOf(answer));
    old.stop();
    const after = upgrade(old, `${check}-after`);
    expect(after.output).toContain('Upgrade Complete');
    expect(after.status).toBe(0);
  },
);
