// Which databases pg_upgrade compares by encoding and locale, and which one it does without: info.c of PostgreSQL 14 lists those with datallowconn only.
import { afterAll, expect, jest, test } from '@jest/globals';
import { pgUpgrade } from './pg-upgrade.ts';
import { Installations, Server } from './server.ts';

jest.setTimeout(300_000);

const installations = new Installations();
afterAll(() => {
  installations.remove();
});

test('a server without template0 is upgraded, and gets another one', () => {
  const server = new Server(installations, 'without-template0');
  server.initialise();
  server.start();
  server.createLogin();
  server.sql('postgres', 'ALTER DATABASE template0 IS_TEMPLATE false; DROP DATABASE template0');
  server.stop();
  const { status, output, fresh } = pgUpgrade(server, 'with-template0');
  expect([status, output]).toEqual([0, expect.stringContaining('Upgrade Complete')]);
  fresh.start();
  expect(fresh.sql('postgres', 'SELECT datname FROM pg_database ORDER BY 1').trim()).toBe(
    'postgres\ntemplate0\ntemplate1',
  );
  fresh.stop();
});

test('a template0 with another locale is not compared', () => {
  const server = new Server(installations, 'other-template0');
  server.initialise();
  server.start();
  server.createLogin();
  server.sql('postgres', "CREATE DATABASE other TEMPLATE template0 LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'");
  server.sql('postgres', 'ALTER DATABASE template0 IS_TEMPLATE false; DROP DATABASE template0');
  server.sql('postgres', 'ALTER DATABASE other RENAME TO template0');
  server.sql('postgres', 'ALTER DATABASE template0 ALLOW_CONNECTIONS false IS_TEMPLATE true');
  server.stop();
  expect(pgUpgrade(server, 'compared')).toMatchObject({ status: 0 });
});
