// Code of a role without rights that a restore would run as the superuser: what the check finds, and what the Job's sessions keep from running.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { upgradeOptions } from '../../src/database/session-options.ts';
import { readDatabases } from '../../src/database/server.ts';
import { findingsOf, gatherHazards } from '../hazards/findings.ts';
import { pgUpgrade } from '../hazards/pg-upgrade.ts';
import { runRestoreTest } from '../hazards/restore-test-run.ts';
import { Installations, Server } from '../hazards/server.ts';
import { hostileRole, importedObject, makeRole, restoredDatabases } from './hostile-role.ts';

jest.setTimeout(600_000);

let installations: Installations;
let server: Server;
let file: string;
/** Evidence of the check `restored-code`. */
let found: readonly string[];

/** Which databases' code ran as a superuser since this was asked last. */
function ran(): string[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  rmSync(file);
  return [...new Set(lines)].sort();
}

beforeAll(async () => {
  installations = new Installations();
  server = new Server(installations, 'restored');
  server.initialise();
  server.start();
  server.createLogin();
  file = join(server.place, 'ran');
  server.sql('postgres', makeRole);
  for (const [name, sql] of Object.entries(restoredDatabases(file))) {
    server.sql('postgres', `CREATE DATABASE ${name} OWNER ${hostileRole};`);
    server.sql(name, `SET SESSION AUTHORIZATION ${hostileRole}; ${sql}`);
  }
  const answer = (await findingsOf(server))['restored-code'];
  expect(answer?.status).toBe('failed');
  found = answer?.evidence ?? [];
});

afterAll(() => {
  installations.remove();
});

test.each([
  ['chain', 'type public.d: of role mallory: its constraint d_check has an expression of kind COERCETODOMAIN'],
  ['rewrite', 'type public.d: of role mallory: its constraint d_check calls ts_rewrite(tsquery,text) of role boss'],
  ['missing', 'type public.d: of role mallory: its constraint d_check calls public.ran() of role mallory'],
  ['bounds', 'type public.d: of role mallory: its constraint d_check calls public.ran() of role mallory'],
  ['builtin', 'calls ts_rewrite(tsquery,text) of role boss'],
])('the check restored-code finds what a restore would run in the database %s', (database, evidence) => {
  expect(found.filter((line) => line.startsWith(`${database}: `)).join('\n')).toContain(evidence);
});

test('a precheck runs nothing of it, and the restore test does not dump these databases', async () => {
  const list = await readDatabases(server.database());
  const { facts } = await runRestoreTest(server, {}, await gatherHazards(server, list));
  expect(facts.places.map(({ database }) => database)).toEqual([undefined, 'exclusion', 'postgres', 'template1']);
  expect(ran()).toEqual([]);
});

test('the restore test runs nothing of a database whose owner lets the planner read constraints', async () => {
  const list = (await readDatabases(server.database())).filter(({ name }) => name === 'exclusion');
  const { facts } = await runRestoreTest(server, {}, await gatherHazards(server, list));
  expect(facts.places.find(({ database }) => database === 'exclusion')?.seconds).toBeDefined();
  expect(ran()).toEqual([]);
});

test('pg_upgrade in the sessions of the Job runs nothing of it either, but of the others', () => {
  server.stop();
  const { status, fresh } = pgUpgrade(server, 'new', { settings: { PGOPTIONS: upgradeOptions } });
  expect(status).toBe(0);
  expect(ran()).toEqual(['bounds in 14', 'chain in 14', 'missing in 14', 'rewrite in 14']);
  fresh.start();
  const imported = fresh.sql(
    'builtin',
    `SELECT count(*) FROM pg_largeobject_metadata WHERE oid = ${String(importedObject)}`,
  );
  fresh.stop();
  expect(imported.trim()).toBe('1');
});
