// The commands of our findings, run as they are printed by a superuser, in databases of a role that has foreseen them.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { obstacleRemedy, readObstacles } from '../../src/database/obstacles.ts';
import type { Answer } from '../../src/findings/finding.ts';
import { commandsOf, findingsOf } from '../hazards/findings.ts';
import { Installations, Server } from '../hazards/server.ts';
import { hostileGid, hostileRole, makeRole, remediedDatabases } from './hostile-role.ts';

jest.setTimeout(300_000);

let installations: Installations;
let server: Server;
let file: string;

function hasRun(): boolean {
  const has = existsSync(file);
  rmSync(file, { force: true });
  return has;
}

async function findingIn(database: string, check: string): Promise<Answer | undefined> {
  return (await findingsOf(server, undefined, database))[check];
}

beforeAll(() => {
  installations = new Installations();
  server = new Server(installations, 'remedied');
  server.initialise();
  server.configure('max_prepared_transactions = 5');
  server.start();
  server.createLogin();
  file = join(server.place, 'ran');
  server.sql('postgres', makeRole);
  for (const [name, sql] of Object.entries(remediedDatabases(file))) {
    server.sql('postgres', `CREATE DATABASE ${name} OWNER ${hostileRole};`);
    server.sql(name, `SET SESSION AUTHORIZATION ${hostileRole};\n${sql}`);
  }
});

afterAll(() => {
  server.stop();
  installations.remove();
});

test('a name of a prepared transaction ends no literal, whatever the database says of backslashes', async () => {
  const [found] = await readObstacles(server.database());
  expect(found).toMatchObject({ kind: 'prepared transaction', gid: hostileGid, database: 'gids' });
  const command = /In database "gids": `(.*?)` \(or/.exec(
    obstacleRemedy(found === undefined ? [] : [found], 'psql'),
  )?.[1];
  server.sql('gids', `\\set ON_ERROR_STOP off\n${command ?? ''}`);
  expect(server.sql('postgres', `SELECT rolsuper FROM pg_roles WHERE rolname = '${hostileRole}'`).trim()).toBe('f');
  expect(await readObstacles(server.database())).toEqual([]);
});

test('a printed session looks for operators in pg_catalog alone', async () => {
  server.sql('operators', "UPDATE pg_class SET relowner = 99999 WHERE relname = 't';");
  expect(hasRun()).toBe(false);
  const found = await findingIn('operators', 'dangling-owners');
  expect(commandsOf(found)).toContain('UPDATE pg_catalog.pg_class');
  server.sql('postgres', commandsOf(found));
  expect((await findingIn('operators', 'dangling-owners'))?.status).toBe('passed');
  expect(hasRun()).toBe(false);
});

test.each([
  ['columns', 'reg-type-columns', '', 'public.t.r: type regproc; to be altered by role mallory, in a login of its own'],
  [
    'casts',
    'reg-type-columns',
    "CREATE TABLE t (c pair); INSERT INTO t VALUES (ROW('now'::regproc));",
    'public.t.c: type public.pair; to be altered by role mallory, in a login of its own',
  ],
  [
    'children',
    'inherited-not-null',
    '',
    'public.child.a: its parent public.parent has NOT NULL; to be altered by role mallory, in a login of its own',
  ],
])(
  'in the database %s, no command of %s has the superuser alter what is of the role',
  async (database, check, sql, evidence) => {
    server.sql(database, sql);
    const found = await findingIn(database, check);
    expect(found?.status).toBe('failed');
    server.sql('postgres', commandsOf(found));
    expect(hasRun()).toBe(false);
    expect(found?.evidence).toEqual([`${database}: ${evidence}`]);
    expect(commandsOf(found)).toBe('');
  },
);
