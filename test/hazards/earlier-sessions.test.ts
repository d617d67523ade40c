// What a run that died has left at work in the server's pod is ended before the next run goes on, on a real PostgreSQL 14.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { endEarlierSessions } from '../../src/database/clients.ts';
import { Installations, Server } from './server.ts';

jest.setTimeout(60_000);

let installations: Installations;
let server: Server;

beforeAll(() => {
  installations = new Installations();
  server = new Server(installations, 'earlier-sessions', 14);
  server.initialise();
  server.start();
  server.createLogin();
});

afterAll(() => {
  server.stop();
  installations.remove();
});

const long = 'SELECT pg_sleep(50)';
const atWork = () =>
  server.sql('template1', `SELECT application_name FROM pg_stat_activity WHERE query LIKE '%pg_sleep(50)%' ORDER BY 1`);

async function untilBothAreAtWork(): Promise<void> {
  const end = Date.now() + 20_000;
  while (!/postgresql-upgrade\n.*theirs/s.test(atWork())) {
    if (Date.now() > end) throw new Error(`not at work: ${atWork()}`);
    await setTimeout(20);
  }
}

test('sessions of ours are ended, those of others are left', async () => {
  const ours = server.database().runScript('postgres', `${long};\nCREATE TABLE public.after ();`, 50_000);
  const theirs = spawn('psql', ['-XAtq', '-U', 'postgres', '-d', 'postgres', '-c', `/* theirs */ ${long}`], {
    env: { ...server.environment, PGAPPNAME: 'theirs' },
  });
  await untilBothAreAtWork();
  await endEarlierSessions(server.database());
  const { exitCode, stderr } = await ours;
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('terminating connection')]);
  expect(server.sql('postgres', "SELECT to_regclass('public.after') IS NULL")).toBe('t\n');
  expect(atWork()).toContain('theirs');
  const gone = once(theirs, 'close');
  theirs.kill();
  await gone;
});

test('nothing is to end where there is none', async () => {
  await expect(endEarlierSessions(server.database())).resolves.toBeUndefined();
});
