// What a hazard is looked for in, and what says that a database has none of it, against a real server.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Question } from '../../../src/database/questions.ts';
import { readDatabases } from '../../../src/database/server.ts';
import { askDatabases } from '../../../src/database/ask-databases.ts';
import { databaseHazards } from '../../../src/hazards/gather.ts';
import { answersOf } from '../../../src/hazards/script.ts';
import type { Answers } from '../../../src/hazards/hazard.ts';
import { mapFact, type Known } from '../../../src/common/known.ts';
import { kinds } from '../kinds.ts';
import { Installations, Server } from '../server.ts';

jest.setTimeout(300_000);

let installations: Installations;
let server: Server;
/** By database: as a precheck asks, and with every question asked. */
let answers: Record<string, Known<Answers>>;
let allAsked: Record<string, Known<Answers>>;
let underSettings: Record<string, Known<Answers>>;

/** Each changes how names, strings or values are read or written, and may be set for a role or a database. */
const settings = {
  array_nulls: 'off',
  backslash_quote: 'on',
  bytea_output: 'escape',
  datestyle: 'German, DMY',
  extra_float_digits: '-15',
  intervalstyle: 'iso_8601',
  operator_precedence_warning: 'on',
  quote_all_identifiers: 'on',
  row_security: 'off',
  standard_conforming_strings: 'off',
  timezone: 'Asia/Kathmandu',
  transform_null_equals: 'on',
  xmloption: 'document',
};

const nameOf = (index: number) => `kind_${String(index)}`;

async function ask(questions: readonly Question[]): Promise<Record<string, Known<Answers>>> {
  const database = server.database();
  const told = await askDatabases(database, await readDatabases(database), questions, 2);
  return Object.fromEntries(Object.entries(told).map(([name, rows]) => [name, mapFact(rows, answersOf)]));
}

beforeAll(async () => {
  installations = new Installations();
  server = new Server(installations, 'only-if-exists');
  server.initialise();
  server.start();
  server.createLogin();
  kinds.forEach(({ sql }, index) => {
    server.sql('postgres', `CREATE DATABASE ${nameOf(index)}`);
    server.sql(nameOf(index), sql);
  });
  answers = await ask(databaseHazards);
  allAsked = await ask(databaseHazards.map(({ id, statements }) => ({ id, statements })));
  for (const [name, value] of Object.entries(settings))
    server.sql('postgres', `ALTER ROLE ALL SET ${name} = '${value}'`);
  underSettings = await ask(databaseHazards);
});

afterAll(() => {
  server.stop();
  installations.remove();
});

test.each(kinds.map(({ check, what }, index) => [check, what, index] as const))(
  '%s is found in %s, where there is nothing else',
  (check, _what, index) => {
    const of = answers[nameOf(index)];
    if (of?.known !== true) throw new Error(JSON.stringify(of));
    expect(of.value[check]).toMatchObject({
      known: true,
      value: { rows: expect.arrayContaining([expect.anything()]) },
    });
  },
);

test('a question is left out only where it would find nothing', () => {
  expect(answers).toEqual(allAsked);
});

test('no setting of a role or a database changes what is found', () => {
  expect(underSettings).toEqual(answers);
});
