// What a script of questions does on a real server where one of them fails, and what it leaves in the server's statistics.
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { readClients } from '../../src/database/clients.ts';
import { readAll } from '../../src/database/measurement.ts';
import { firstUnanswered, questionsScript } from '../../src/database/questions.ts';
import { readDatabases } from '../../src/database/server.ts';
import { readWhatIsLeft } from '../../src/database/what-is-left.ts';
import { sortOrdersOf, sortOrdersQuestion } from '../../src/database/sort-order.ts';
import { findingsOf } from './findings.ts';
import { Installations, Server } from './server.ts';

jest.setTimeout(300_000);

let installations: Installations;
let server: Server;

beforeAll(() => {
  installations = new Installations();
  server = new Server(installations, 'questions');
  server.initialise();
  server.configure("shared_preload_libraries = 'pg_stat_statements'");
  server.start();
  server.createLogin();
  server.sql('postgres', 'CREATE EXTENSION pg_stat_statements; CREATE DATABASE other');
});

afterAll(() => {
  server.stop();
  installations.remove();
});

test('a statement that fails ends its question alone, in its database alone', async () => {
  server.sql('other', 'CREATE TABLE divisor AS SELECT 0 AS by; GRANT SELECT ON divisor TO PUBLIC');
  server.sql('postgres', 'CREATE TABLE divisor AS SELECT 2 AS by');
  const script = questionsScript([
    {
      id: 'divided',
      statements: [
        'SELECT 10 / by AS result FROM public.divisor\n\\gset',
        'SELECT 1 AS more\n\\gset',
        'SELECT json_build_object(:more, :result);',
      ],
    },
    { id: 'last', statements: ["SELECT json_build_object('still', 'asked');"] },
  ]);
  const database = server.database();
  const list = (await readDatabases(database)).filter(({ name }) => name === 'postgres' || name === 'other');
  const rows = await readAll(database, list, script, 1);
  const last = [{ still: 'asked' }, { question: 'last', answered: true }];
  expect(Object.fromEntries(rows)).toEqual({
    postgres: [{ 1: 5 }, { question: 'divided', answered: true }, ...last],
    other: [{ question: 'divided', error: 'division by zero' }, ...last],
  });
  expect([firstUnanswered(rows, 'divided'), firstUnanswered(rows, 'last')]).toEqual([
    'database "other": division by zero',
    undefined,
  ]);
});

test('a question of which nothing is said, not even why it failed, is not answered', async () => {
  const statements = ['BEGIN;\nSELECT 1 / 0;'];
  const after = { id: 'after', statements: ['ROLLBACK;', "SELECT json_build_object('still', 'asked');"] };
  const script = questionsScript([{ id: 'in an aborted transaction', statements }, after]);
  const database = server.database();
  const list = (await readDatabases(database)).filter(({ name }) => name === 'postgres');
  const rows = await readAll(database, list, script, 1);
  expect(rows.get('postgres')).toEqual([{ still: 'asked' }, { question: 'after', answered: true }]);
  expect(firstUnanswered(rows, 'in an aborted transaction')).toBe('database "postgres": psql left out the answer');
});

test('a question about what a database has none of is not asked; where that is unknown, it is asked', async () => {
  const onlyIf = (select: string) => ({ selects: [select], nothing: [{ found: 0 }] });
  const ask = (id: string, select: string) => ({
    id,
    statements: ["SELECT json_build_object('asked', current_database());"],
    onlyIfExists: onlyIf(select),
  });
  const database = server.database();
  const list = (await readDatabases(database)).filter(({ name }) => name === 'postgres' || name === 'other');
  const rows = async (...selects: string[]) =>
    Object.fromEntries(await readAll(database, list, questionsScript(selects.map((select) => ask(select, select))), 1));
  const divided = 'SELECT 1 FROM public.divisor WHERE 10 / by = 5';
  const none = 'SELECT 1 WHERE false';
  const end = (question: string) => ({ question, answered: true });
  // In "other" the division fails, and what the database before had is not believed.
  expect(await rows(divided, none)).toEqual({
    postgres: [{ asked: 'postgres' }, end(divided), { found: 0 }, end(none)],
    other: [{ asked: 'other' }, end(divided), { asked: 'other' }, end(none)],
  });
});

test('the look that sees no client asks in each database; while one is left, it asks nothing', async () => {
  const database = server.database();
  const databases = ['postgres', 'other', 'template1'];
  const one = {
    id: 'one',
    statements: [`SELECT json_build_object('hazard', current_database());`],
    onlyIfExists: { selects: ["SELECT 1 WHERE current_database() = 'other'"], nothing: [{ hazard: 'none' }] },
  };
  const look = async () => await readWhatIsLeft(database, { databases, questions: [one] });
  const client = database.read('other', 'SELECT pg_sleep(3);');
  let left = await look();
  while (left.clients.length === 0) left = await look();
  expect(left.clients).toMatchObject([{ database: 'other', state: 'active' }]);
  expect(left.answers).toBeUndefined();
  await client;
  left = await look();
  while (left.clients.length > 0) left = await look();
  const end = { question: 'one', answered: true };
  const answer = (hazard: string) => ({ known: true, value: [{ hazard }, end] });
  expect(left.answers).toEqual({ postgres: answer('none'), other: answer('other'), template1: answer('none') });
  expect(left.databases.map(({ name }) => name)).toEqual((await readDatabases(database)).map(({ name }) => name));
  // One that is no more hides nothing of the rest.
  const gone = await readWhatIsLeft(database, { databases: ['gone', ...databases], questions: [one] });
  expect([gone.clients, gone.obstacles, gone.answers]).toEqual([[], [], undefined]);
  expect(gone.databases).toEqual(left.databases);
});

test("a session of the action's own name and role is given a moment to end, and counts if it stays; with another role it counts at once", async () => {
  server.sql('postgres', 'CREATE ROLE enemy LOGIN');
  const database = server.database();
  for (const [role, isAwaited] of [
    ['postgres', true],
    ['enemy', false],
  ] as const) {
    const env = { ...server.environment, PGAPPNAME: 'postgresql-upgrade' };
    const session = spawn('psql', ['-XAtq', '-U', role, '-d', 'other'], { env });
    session.stdin.write('\\echo begun\n');
    await new Promise((resolve) => session.stdout.once('data', resolve));
    const begun = Date.now();
    const found = await readClients(database);
    expect(found).toMatchObject([{ application: 'postgresql-upgrade', user: role, database: 'other' }]);
    if (isAwaited) expect(Date.now() - begun).toBeGreaterThanOrEqual(100);
    session.stdin.end('\\q\n');
    await new Promise((resolve) => session.once('close', resolve));
  }
});

test('sort orders of databases with other encodings, and of many collations, come through one session', async () => {
  server.sql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
  server.sql(
    'other',
    `SELECT format('CREATE COLLATION %I (provider = icu, locale = %L); CREATE TABLE %I (a text COLLATE %I PRIMARY KEY);', name, name, name, name)
FROM (SELECT 'x-' || n AS name FROM generate_series(1, 40) n UNION ALL SELECT '日本') names \\gexec`,
  );
  server.sql('latin', 'CREATE TABLE t (a text COLLATE "en-x-icu" PRIMARY KEY)');
  const database = server.database();
  const rows = await readAll(database, await readDatabases(database), questionsScript([sortOrdersQuestion]), 1);
  expect(firstUnanswered(rows, sortOrdersQuestion.id)).toBeUndefined();
  const orders = sortOrdersOf(rows);
  expect([orders['other']?.length, orders['latin']?.length]).toEqual([41, 1]);
});

test('what is asked of all databases takes no place among the statements that the server remembers', async () => {
  const remembered = () =>
    Number(
      server.sql('postgres', `SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%OVER (ORDER BY object%'`),
    );
  // Who is no superuser may not turn it off, and shows that they would be there.
  server.sql('postgres', 'CREATE ROLE plain LOGIN');
  await findingsOf(server, 'plain');
  expect(remembered()).toBeGreaterThan(0);
  server.sql('postgres', 'SELECT pg_stat_statements_reset()');
  await findingsOf(server);
  expect(remembered()).toBe(0);
});
