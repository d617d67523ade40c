// Which tables a real PostgreSQL 12 counts, and that the same ones are counted again.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { fingerprintOf, fingerprintScript, type Fingerprint } from '../../src/database/fingerprint.ts';
import { Installations, Server } from './server.ts';

jest.setTimeout(120_000);

const page = 8192;
let installations: Installations;
let server: Server;

beforeAll(() => {
  installations = new Installations();
  server = new Server(installations, 'measured');
  server.initialise();
  server.start();
  server.createLogin();
  for (const name of ['one', 'other']) server.sql('template1', `CREATE DATABASE ${name};`);
  const filled = (table: string, pages: number) =>
    `CREATE TABLE public.${table} (t text); ALTER TABLE public.${table} ALTER t SET STORAGE PLAIN; INSERT INTO public.${table} SELECT repeat('x', 7000) FROM generate_series(1, ${String(pages)});`;
  server.sql(
    'one',
    [filled('a', 1), filled('"it\'s ""so"""', 2), filled('c', 9), 'CREATE SEQUENCE public.s;'].join('\n'),
  );
  server.sql('other', [filled('a', 3), filled('b', 4), filled('c', 30)].join('\n'));
});

afterAll(() => {
  server.stop();
  installations.remove();
});

const measured = async (what: Parameters<typeof fingerprintScript>[0]): Promise<Fingerprint> =>
  fingerprintOf(await server.database().readEach(['one', 'other'], fingerprintScript(what)));
const relations = ({ databases }: Fingerprint) =>
  Object.fromEntries(Object.entries(databases).map(([name, { relations: of }]) => [name, of]));

test('the smallest tables are counted, and what a database leaves is for the next one', async () => {
  // Half of it is 5 pages, of which the first database takes 3: the second one has 7.
  expect(relations(await measured({ databases: 2, bytes: 10 * page }))).toEqual({
    one: {
      'public.a': '1 rows',
      'public."it\'s ""so"""': '2 rows',
      'public.c': `${String(9 * page)} bytes`,
      'public.s': '1 next_value',
    },
    other: { 'public.a': '3 rows', 'public.b': '4 rows', 'public.c': `${String(30 * page)} bytes` },
  });
});

test('what was counted is counted again, and nothing else, whatever its size is by now', async () => {
  const before = await measured({ databases: 2, bytes: 3 * page });
  expect(relations(before)['other']).toMatchObject({ 'public.a': `${String(3 * page)} bytes` });
  server.sql('one', "INSERT INTO public.a SELECT repeat('x', 7000) FROM generate_series(1, 50);");
  server.sql('other', 'DELETE FROM public.a; VACUUM public.a;');
  expect(relations(await measured(before))).toEqual({
    one: { ...relations(before)['one'], 'public.a': '51 rows' },
    other: { ...relations(before)['other'], 'public.a': '0 bytes' },
  });
});
