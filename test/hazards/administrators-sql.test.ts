// What psql makes of SQL that the administrator gives (before-applications-sql), on a real server.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Installations, Server } from './server.ts';

jest.setTimeout(300_000);

let installations: Installations;
let server: Server;

beforeAll(() => {
  installations = new Installations();
  server = new Server(installations, 'administrators-sql');
  server.initialise();
  server.start();
  server.createLogin();
  server.sql('postgres', 'CREATE DATABASE other');
});

afterAll(() => {
  server.stop();
  installations.remove();
});

const limit = 20_000;
const session = (sql: string) => server.database().runScript('postgres', sql, limit);
const run = async (sql: string) => (await session(sql)).stdout;

test('a last statement without a semicolon runs', async () => {
  expect(await run("CREATE TABLE public.one ();\nSELECT to_regclass('public.one')")).toBe('public.one\n');
});

test('\\connect as its first command goes to another database, in a session of the same kind', async () => {
  const show = "SELECT current_database(), current_setting('search_path'), current_setting('statement_timeout')";
  expect(await run(`\\connect other\n${show}`)).toBe('other|pg_catalog,pg_temp|18s\n');
});

test.each([
  ['an error', 'CREATE TABLE public.before ();\nSELECT 1 / 0;\nCREATE TABLE public.after ();', 'division by zero'],
  ['a quote that is not closed', "SELECT 'open;\nSELECT 2;", 'unterminated quoted string'],
  ['a comment that is not closed', 'SELECT 1; /* open', 'unterminated /* comment'],
])('%s ends it, soon and with the words of PostgreSQL', async (_what, sql, says) => {
  const begun = performance.now();
  const { exitCode, stderr } = await session(sql);
  expect([exitCode, stderr]).toEqual([3, expect.stringContaining(says)]);
  expect(performance.now() - begun).toBeLessThan(limit / 2);
});

test('nothing runs after an error, whose line is that of the SQL', async () => {
  const { stderr } = await session('SELECT 1;\nSELECT 1 / 0;\nCREATE TABLE public.after ();');
  expect(stderr).toContain('<stdin>:2:');
  expect(await run("SELECT to_regclass('public.after') IS NULL")).toBe('t\n');
});
