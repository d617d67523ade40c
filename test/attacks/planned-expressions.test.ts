// The check that plans the expressions of tables, where a role without rights may have made them or may change them meanwhile.
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { findingsOf } from '../hazards/findings.ts';
import { runRestoreTest } from '../hazards/restore-test-run.ts';
import { Installations, Server } from '../hazards/server.ts';
import { hostileDatabase as own, hostileRole as role } from './hostile-role.ts';
import { begin, evil, harm, hasLooked, untilAwaited, untilItWaits } from './races.ts';

jest.setTimeout(300_000);

let installations: Installations;
let server: Server;

beforeAll(() => {
  installations = new Installations();
  server = new Server(installations, 'planned');
  server.initialise();
  server.start();
  server.createLogin();
  server.sql('template1', `CREATE ROLE ${role} LOGIN;`);
});

beforeEach(() => {
  server.sql('template1', `ALTER ROLE ${role} LOGIN; DROP DATABASE IF EXISTS ${own};`);
  server.sql('template1', `CREATE DATABASE ${own};`);
});

afterAll(() => {
  server.stop();
  installations.remove();
});

const asRole = (sql: string) => server.sql(own, `SET SESSION AUTHORIZATION ${role}; ${sql}`).trim();
const finding = async () => (await findingsOf(server, undefined, own))['inlined-functions'];

const inlined = `CREATE FUNCTION public.inner_f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION public.outer_f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT inner_f($1)'; CREATE TABLE public.t (a int); CREATE INDEX i ON public.t (public.outer_f(a));`;
const missing = `${own}: index public.i: function inner_f(integer) does not exist`;
const notPlanned = expect.stringContaining(
  `${own}: index public.i: not planned here, because a role without SUPERUSER`,
);

/** A built-in function that runs the text of a query: no object of the role is in pg_depend. */
const rewriting = `ts_rewrite('a'::tsquery, $q$SELECT 'a'::tsquery, 'b'::tsquery WHERE public.evil()$q$) IS NOT NULL`;

test.each([
  [
    'a constant of an array, which the check of a domain sees when it is read',
    `CREATE DOMAIN public.d AS int CHECK (${rewriting}); CREATE TABLE public.t (c public.d[], CHECK (c <> '{1}'::public.d[]));`,
    'constraint t_c_check of public.t',
  ],
  [
    'a constant of a composite type',
    `CREATE DOMAIN public.d AS int CHECK (${rewriting}); CREATE TYPE public.pair AS (a public.d); CREATE TABLE public.t (c public.pair); CREATE INDEX i ON public.t ((c = '(1)'::public.pair));`,
    'index public.i',
  ],
  [
    'a call that the planner computes',
    `CREATE TABLE public.t (a int); CREATE INDEX i ON public.t ((a + public.evil_constant(1)));`,
    'index public.i',
  ],
])('no check runs %s', async (_what, sql, object) => {
  asRole(`${evil} ${sql}`);
  const done = harm(server).length;
  expect(await finding()).toMatchObject({
    status: 'warning',
    evidence: [expect.stringContaining(`${own}: ${object}: not planned here`)],
  });
  expect(harm(server)).toHaveLength(done);
});

test('no check runs what the role makes while it keeps the check waiting', async () => {
  asRole(
    `${evil} CREATE TABLE public.canary (x text); CREATE INDEX ON public.canary (lower(x)); CREATE TABLE public.t (x text); CREATE INDEX ON public.t (lower(x));`,
  );
  const done = harm(server).length;
  const oid = asRole("SELECT 'public.t'::regclass::oid");
  const attack = begin(
    server,
    `BEGIN; LOCK TABLE public.t; ${untilAwaited(oid)} CREATE INDEX ON public.t ((public.evil_constant(1))); COMMIT;`,
  );
  await untilItWaits(server);
  // Built-in functions alone: there is nothing to be found, whoever owns the table.
  const ours = finding();
  await hasLooked(server, ours);
  expect((await ours)?.status).toBe('passed');
  expect(await attack).toBe('');
  expect(harm(server)).toHaveLength(done);
});

test('what only superusers can have made is planned, in each way to tell so', async () => {
  server.sql(own, inlined);
  expect(await finding()).toMatchObject({ status: 'warning', evidence: [notPlanned] });
  const planned = { status: 'failed', evidence: [missing] };
  server.sql(own, `ALTER ROLE ${role} NOLOGIN;`);
  expect(await finding()).toMatchObject(planned);
  server.sql(own, `ALTER ROLE ${role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;`);
  expect(await finding()).toMatchObject(planned);
  for (const [sql, back] of [
    [`GRANT CREATE ON DATABASE ${own} TO ${role};`, `REVOKE CREATE ON DATABASE ${own} FROM ${role};`],
    [`GRANT CREATE ON SCHEMA public TO ${role};`, `REVOKE CREATE ON SCHEMA public FROM ${role};`],
    [`CREATE SCHEMA s AUTHORIZATION ${role};`, 'DROP SCHEMA s;'],
    [`ALTER DATABASE ${own} OWNER TO ${role};`, `ALTER DATABASE ${own} OWNER TO postgres;`],
    [`CREATE DOMAIN d AS int; ALTER DOMAIN d OWNER TO ${role};`, 'DROP DOMAIN d;'],
  ] as const) {
    server.sql(own, sql);
    expect(await finding()).toMatchObject({ status: 'warning', evidence: [notPlanned] });
    server.sql(own, back);
    expect(await finding()).toMatchObject(planned);
  }
});

test('what names its schemas passes where it is planned', async () => {
  server.sql(
    own,
    `${inlined} REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE OR REPLACE FUNCTION public.outer_f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.inner_f($1)';`,
  );
  expect((await finding())?.status).toBe('passed');
});

test('the role that may no longer log in still counts while it has a session', async () => {
  server.sql(own, inlined);
  const session = begin(server, 'SELECT pg_sleep(5);');
  await setTimeout(500);
  server.sql(own, `ALTER ROLE ${role} NOLOGIN;`);
  expect(await finding()).toMatchObject({ status: 'warning', evidence: [notPlanned] });
  await session;
  expect((await finding())?.status).toBe('failed');
});

test('what is not planned is found by the restore test', async () => {
  server.sql(own, inlined);
  expect((await finding())?.status).toBe('warning');
  const { answer } = await runRestoreTest(server);
  expect(answer.status).toBe('failed');
  expect(answer.evidence.join('\n')).toContain('function inner_f(integer) does not exist');
});
