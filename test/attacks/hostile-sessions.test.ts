// Every session of ours in a real PostgreSQL 12 and a real PostgreSQL 14, where a role without rights has left what it could.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readClients } from '../../src/database/clients.ts';
import { readConfiguration, readMd5Roles } from '../../src/database/configuration.ts';
import { librariesQuestions } from '../../src/database/libraries.ts';
import { measure } from '../../src/database/measurement.ts';
import { jsonLines } from '../../src/database/script.ts';
import { readObstacles } from '../../src/database/obstacles.ts';
import { compareFingerprints } from '../../src/database/compare-fingerprints.ts';
import { readPages } from '../../src/database/relation-files.ts';
import { readWhatIsLeft } from '../../src/database/what-is-left.ts';
import { extensionsQuestion, listedBy, listedIn, readDatabases, readServer } from '../../src/database/server.ts';
import { reindexSql, sortOrdersQuestion } from '../../src/database/sort-order.ts';
import { askDatabases } from '../../src/database/ask-databases.ts';
import { fullStatistics, quickStatistics } from '../../src/database/statistics.ts';
import { outdatedIn, outdatedQuestion } from '../../src/database/extension-updates.ts';
import { updateAll } from '../../src/upgrade/steps/extensions.ts';
import { positionInWal } from '../../src/upgrade/steps/loss.ts';
import { jobSettings } from '../../src/objects/job-settings.ts';
import type { Results } from '../../src/upgrade/contract/step.ts';
import { expectNoUsersCode, usersCodeQuestions } from '../../src/upgrade/steps/users-code.ts';
import { commandsOf, findingsOf, gatherHazards } from '../hazards/findings.ts';
import { runRestoreTest } from '../hazards/restore-test-run.ts';
import { Installations, Server, type Major } from '../hazards/server.ts';
import { FakeLog } from '../unit/fake-runner.ts';
import { inputs } from '../unit/objects.ts';
import { thrownBy } from '../unit/thrown.ts';
import {
  hostileDatabase,
  hostileMark,
  hostileRole,
  makeDatabase,
  makeRole,
  mentionedNames,
  ownScript,
  restoredKeys,
  restoredObjects,
  shadowScript,
} from './hostile-role.ts';

jest.setTimeout(600_000);

const limit = 120_000;
let installations: Installations;

beforeAll(() => {
  installations = new Installations();
});

afterAll(() => {
  installations.remove();
});

/** What the role's code did with rights that are not its own. */
function harm(server: Server): string[] {
  const log = readFileSync(server.logFile, 'utf8').split('\n');
  const ran = log
    .filter((line) => line.includes(`LOG:  ${hostileMark} `))
    .map((line) => line.slice(line.indexOf(hostileMark)));
  const isSuperuser =
    server.sql('template1', `SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = '${hostileRole}'`).trim() === 't';
  const stolen = existsSync(join(server.place, 'stolen'));
  return [
    ...new Set(ran),
    ...(isSuperuser ? ['the role is superuser'] : []),
    ...(stolen ? ['the role has learnt secrets'] : []),
  ];
}

test('the names of our SQL are many, and those that it surely has are among them', () => {
  const { words, operators } = mentionedNames();
  expect(words).toEqual(
    expect.arrayContaining(['json_build_object', 'format', 'count', 'pg_class', 'current_setting', 'unnest']),
  );
  expect(operators).toEqual(expect.arrayContaining(['=', '||', '<>', '~', '@>']));
});

describe.each([12, 14] as const)('PostgreSQL %d', (major: Major) => {
  let server: Server;

  beforeAll(() => {
    server = new Server(installations, `hostile-${String(major)}`, major);
    server.initialise();
    server.start();
    server.createLogin();
    server.sql('template1', makeRole);
    server.sql('template1', shadowScript());
    server.sql('template1', makeDatabase);
    server.sql(hostileDatabase, ownScript(restoredObjects, restoredKeys));
  });

  afterAll(() => {
    server.stop();
  });

  test('has thousands of shadows, and settings of all kinds', () => {
    const count = (sql: string) =>
      Number(server.sql('template1', `SET search_path = pg_catalog; SELECT count(*) ${sql}`));
    expect(count("FROM pg_proc WHERE pronamespace = 'public'::regnamespace")).toBeGreaterThan(3000);
    expect(count("FROM pg_operator WHERE oprnamespace = 'public'::regnamespace")).toBeGreaterThan(1000);
    expect(count('FROM pg_db_role_setting, unnest(setconfig)')).toBeGreaterThan(150);
    expect(
      count(
        "FROM pg_proc WHERE proname = 'json_build_object' AND proargtypes = '25 19'::oidvector AND pronamespace = 'public'::regnamespace",
      ),
    ).toBe(1);
  });

  test('no session that reads runs any of it', async () => {
    const database = server.database();
    await readServer(database);
    const list = await readDatabases(database);
    await Promise.all([
      readClients(database),
      readConfiguration(database),
      readMd5Roles(database),
      readObstacles(database),
      readWhatIsLeft(database),
    ]);
    const found = await findingsOf(server);
    if (major === 12) {
      expect(Object.entries(found).filter(([, { status }]) => status === 'unknown')).toEqual([]);
      expect(found['restored-code']?.status).toBe('failed');
      const settings = { ...jobSettings(inputs(), await readServer(database), list), runId: 'test' };
      const questions = usersCodeQuestions({ inputs: inputs() });
      const databases = list.filter((d) => d.allowsConnections).map(({ name }) => name);
      const { answers } = await readWhatIsLeft(database, { databases, questions });
      expect(Object.keys(answers ?? {})).toEqual(databases);
      for (const answered of [undefined, answers]) {
        const again = thrownBy(() => expectNoUsersCode({ database, inputs: inputs(), settings }, list, answered));
        expect((await again).message).toContain(
          `${hostileDatabase}: index public.victims_constant: calls public.constant() of role ${hostileRole}`,
        );
      }
    }
    const told = await askDatabases(database, list, [...librariesQuestions, extensionsQuestion, sortOrdersQuestion], 2);
    expect(Object.values(told).filter(({ known }) => !known)).toEqual([]);
    const { fingerprint } = await measure(database, 2, limit);
    expect(fingerprint.databases[hostileDatabase]?.relations['public.of_domain']).toBe('1 rows');
    const questions = [listedBy(hostileDatabase), outdatedQuestion];
    const again = await measure(database, 2, limit, { before: fingerprint, questions });
    expect(compareFingerprints(fingerprint, again.fingerprint)).toEqual([]);
    expect(listedIn(again.answers).map(({ name }) => name)).toEqual(list.map(({ name }) => name));
    expect(Object.keys(Object.fromEntries(outdatedIn(again.answers) ?? []))).toEqual(
      Object.keys(fingerprint.databases),
    );
    await readPages(database, server.data, { before: fingerprint, after: fingerprint }, limit);
    await positionInWal(database);
    expect(harm(server)).toEqual([]);
  });

  if (major === 12)
    test('the restore test does not dump the database, and says so', async () => {
      const hazards = await gatherHazards(server, await readDatabases(server.database()));
      const { facts, answer } = await runRestoreTest(server, {}, hazards);
      expect(harm(server)).toEqual([]);
      expect(facts.places.map(({ database }) => database)).toEqual([undefined, 'postgres']);
      expect(answer.status).not.toBe('passed');
      expect(answer.evidence).toEqual(
        expect.arrayContaining(
          [hostileDatabase, 'template1'].map(
            (name) =>
              `"${name}": not dumped, because a dump may run, as the superuser, what the check restored-code found there`,
          ),
        ),
      );
    });

  if (major === 12)
    test('what the check tells a person to run as the superuser runs none of it', async () => {
      const database = server.database();
      /** Of one database, without the lines that begin its session. */
      const commands = async (name: string) =>
        commandsOf((await findingsOf(server, undefined, name))['restored-code'])
          .split('\n')
          .filter((line) => /^(ALTER|DROP) /.test(line))
          .join('\n');
      // As long as a partition key calls it, each command on the table would run it.
      expect(await commands(hostileDatabase)).toBe('');
      const [calm, drop] = [
        'ALTER FUNCTION public.constant() OWNER TO CURRENT_USER; ALTER FUNCTION public.constant() VOLATILE SET search_path = pg_catalog;',
        'DROP TABLE public.hostile_key, public.hostile_generated;',
      ];
      expect((await findingsOf(server))['restored-code']?.remedy?.text).toContain(
        'ALTER FUNCTION … OWNER TO CURRENT_USER; ALTER FUNCTION … VOLATILE SET search_path = pg_catalog;',
      );
      await database.write(hostileDatabase, `${calm} ${drop}`, limit);
      expect(await commands(hostileDatabase)).toMatch(/ALTER DOMAIN/);
      // Shadows of types are domains, in both; a finding has the commands for the first ones alone.
      for (const name of ['template1', hostileDatabase])
        for (let given = await commands(name); given !== ''; given = await commands(name))
          await database.write(name, given, limit);
      expect(harm(server)).toEqual([]);
      expect((await findingsOf(server))['restored-code']?.status).toBe('passed');
    });

  test('no session that writes runs any of it but as its owner', async () => {
    await server
      .database()
      .write(
        hostileDatabase,
        `SET ROLE ${hostileRole}; DROP TABLE IF EXISTS public.hostile_key, public.hostile_generated;`,
        limit,
      );
    const names = (await readDatabases(server.database())).filter((d) => d.allowsConnections).map(({ name }) => name);
    const database = server.database();
    await database.write('template1', 'CHECKPOINT;', limit);
    for (const sql of [quickStatistics, fullStatistics]) await database.writeEach(names, sql, limit);
    const rebuilt = await database.writeEach(names, reindexSql(['default']), limit);
    expect(rebuilt.get(hostileDatabase)).toContainEqual({ reindexed: 'public.victims_computed' });
    expect(harm(server)).toEqual([]);
  });

  if (major === 14)
    test('no script of an extension that is updated calls any of it', async () => {
      // As careless as scripts of others may be; PostgreSQL's own name the schema of all that they call.
      const directory = join(installations.directory, '14/share/extension');
      writeFileSync(join(directory, 'careless.control'), "default_version = '1.1'\n");
      writeFileSync(join(directory, 'careless--1.0.sql'), 'CREATE TABLE careless_settings ();\n');
      writeFileSync(
        join(directory, 'careless--1.0--1.1.sql'),
        "SELECT json_build_object('a'::text, current_database());\n",
      );
      const database = server.database();
      const create = "CREATE EXTENSION careless VERSION '1.0'";
      await database.write(hostileDatabase, `${create} SCHEMA public;`, limit);
      await database.write(
        'postgres',
        `CREATE SCHEMA closed; ${create} SCHEMA closed; CREATE EXTENSION pg_trgm VERSION '1.5' SCHEMA closed;`,
        limit,
      );
      const results: Results = { warnings: [] };
      const settings = {
        ...jobSettings(inputs(), await readServer(database), await readDatabases(database)),
        runId: 'test',
      };
      // As the comparison saw it, before the role made its objects.
      const before = {
        ...{ name: 'careless', installed: '1.0', available: '1.1' },
        ...{ reachable: [], shadows: [], serverVersion: 140022 },
      };
      const outdated = new Map([[hostileDatabase, [before]]]);
      const late: Results = { warnings: [], outdated };
      await updateAll({ database, settings, results: late, log: new FakeLog(), inputs: inputs() });
      expect(harm(server)).toEqual([]);
      expect(late.warnings).toEqual([
        expect.stringMatching(/careless stays at version 1\.0: since it was looked at, a role has made an object/),
      ]);
      await updateAll({ database, settings, results, log: new FakeLog(), inputs: inputs() });
      expect(harm(server)).toEqual([]);
      const installed = async (name: string) =>
        jsonLines(
          await database.read(
            name,
            "SELECT json_build_array(extname, extversion) FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY extname;",
          ),
        );
      expect(await installed(hostileDatabase)).toEqual([['careless', '1.0']]);
      expect(await installed('postgres')).toEqual([
        ['careless', '1.1'],
        ['pg_trgm', '1.6'],
      ]);
      expect(results.warnings).toContainEqual(
        expect.stringMatching(
          new RegExp(
            `^${hostileDatabase}: extension careless stays at 1\\.0\\. .*of role ${hostileRole}.*UPDATE TO '1\\.1'`,
          ),
        ),
      );
    });

  test('no limit on idle sessions ends one of ours', async () => {
    if (major === 14)
      server.sql(
        'template1',
        `ALTER DATABASE ${hostileDatabase} SET idle_session_timeout = 500; ALTER ROLE postgres SET idle_session_timeout = 500;`,
      );
    const pause = "SELECT json_build_array('before');\n\\! sleep 1.5\nSELECT json_build_array('after');";
    const told = [['before'], ['after']];
    const database = server.database();
    expect(jsonLines(await database.read(hostileDatabase, pause))).toEqual(told);
    expect(jsonLines(await database.write(hostileDatabase, pause, limit))).toEqual(told);
    const each = [hostileDatabase, 'postgres'];
    expect([...(await database.readEach(each, pause))]).toEqual(each.map((name) => [name, told]));
    expect([...(await database.writeEach(each, pause, limit))]).toEqual(each.map((name) => [name, told]));
    if (major === 14) server.sql('template1', 'ALTER ROLE postgres RESET idle_session_timeout;');
  });

  test('without our settings and names the role is superuser at once', () => {
    server.sql('template1', "SELECT json_build_object('database'::text, current_database());");
    expect(harm(server)).toEqual(
      expect.arrayContaining([
        expect.stringContaining('json_build_object(text, name)'),
        'the role is superuser',
        'the role has learnt secrets',
      ]),
    );
  });
});
