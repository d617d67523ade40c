// Libraries of a role's choice: `local_preload_libraries` stored for a role or a database loads them into each session, from $libdir/plugins alone.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { measure } from '../../src/database/measurement.ts';
import { readDatabases, readServer } from '../../src/database/server.ts';
import { upgradeOptions } from '../../src/database/session-options.ts';
import { reindexSql } from '../../src/database/sort-order.ts';
import { librariesFor } from '../../src/probes/probe.ts';
import { fullStatistics, quickStatistics } from '../../src/database/statistics.ts';
import { findingsOf } from '../hazards/findings.ts';
import { pgUpgrade } from '../hazards/pg-upgrade.ts';
import { probeFor, readLibraries } from '../hazards/probe-run.ts';
import { runRestoreTest } from '../hazards/restore-test-run.ts';
import { Installations, Server, type Major } from '../hazards/server.ts';

jest.setTimeout(300_000);

const limit = 60_000;
let installations: Installations;
let server: Server;
/** Whatever loads the library leaves it. */
let trace: string;

beforeAll(() => {
  installations = new Installations();
  trace = join(installations.directoryOf('traces'), 'loaded');
  const source = join(installations.directory, 'chosen.c');
  writeFileSync(
    source,
    `#include <fcntl.h>\n__attribute__((constructor)) static void load(void) { open("${trace}", O_CREAT | O_WRONLY, 0666); }\n`,
  );
  const compile = (place: string) => execFileSync('gcc', ['-shared', '-fPIC', '-o', place, source]);
  compile(join(installations.directory, 'elsewhere.so'));
  for (const major of [12, 14] as const) {
    const directory = join(installations.directory, String(major), major === 12 ? 'lib/postgresql' : 'lib');
    mkdirSync(join(directory, 'plugins'), { recursive: true });
    compile(join(directory, 'plugins/chosen.so'));
    compile(join(directory, 'beside.so'));
  }
  server = new Server(installations, 'old');
  server.initialise();
  server.start();
  server.createLogin();
  server.sql('template1', 'CREATE ROLE neighbour LOGIN; CREATE DATABASE owned OWNER neighbour;');
});

afterAll(() => {
  installations.remove();
});

beforeEach(() => {
  rmSync(trace, { force: true });
});

function asNeighbour(sql: string): void {
  server.sql('template1', `SET SESSION AUTHORIZATION neighbour; ${sql}`);
}

describe('a name that PostgreSQL refuses to a role', () => {
  test.each([
    ['by its path', () => join(installations.directory, 'elsewhere')],
    ['beside the plugins', () => '$libdir/beside'],
    ['by a way out of the plugins', () => '$libdir/plugins/../beside'],
    ['by a way out of the library directory', () => `$libdir/../../../elsewhere`],
  ])('(%s) is loaded by no probe', async (_how, name) => {
    asNeighbour(`ALTER ROLE neighbour SET local_preload_libraries = '${name()}';`);
    const told = [await probeFor(server, 'upgrade'), await probeFor(server, 'serving')];
    expect(existsSync(trace)).toBe(false);
    expect(told.map(({ libraries }) => libraries)).toEqual([{}, {}]);
    asNeighbour('ALTER ROLE neighbour RESET local_preload_libraries;');
  });
});

test('a name that looks like the end of what asks for it is asked for like any other', async () => {
  const name = `it$do$ "s \\ $1 %L`;
  asNeighbour(`ALTER ROLE neighbour SET local_preload_libraries = '${name}', plain;`);
  const library = `$libdir/plugins/${name}`;
  const asked = librariesFor('serving', await readLibraries(server)).load;
  expect(asked).toEqual(expect.arrayContaining([library, '$libdir/plugins/plain']));
  const { libraries } = await probeFor(server, 'serving');
  expect(libraries[library]).toContain('could not access file');
  expect(libraries['$libdir/plugins/plain']).toContain('could not access file');
  asNeighbour('ALTER ROLE neighbour RESET local_preload_libraries;');
});

describe("a plugin that a database's owner chooses", () => {
  beforeAll(() => {
    asNeighbour('ALTER DATABASE owned SET local_preload_libraries = chosen;');
  });

  /** All that the action does in sessions of its own with a live server. */
  async function everySession(of: Server, major: Major): Promise<void> {
    const database = of.database();
    await readServer(database);
    const names = (await readDatabases(database)).filter((d) => d.allowsConnections).map(({ name }) => name);
    expect(names).toContain('owned');
    if (major === 12) await findingsOf(of);
    await measure(database, 2, limit);
    for (const sql of [quickStatistics, fullStatistics, reindexSql(['default'])])
      await database.writeEach(names, sql, limit);
  }

  test('is loaded into the sessions of others', () => {
    server.installations.run(server.installations.bin(14, 'psql'), [
      '-h',
      server.place,
      '-U',
      'postgres',
      '-d',
      'owned',
      '-c',
      '',
    ]);
    expect(existsSync(trace)).toBe(true);
  });

  test('is loaded into no session with the running server, by no dump and no restore', async () => {
    await everySession(server, 12);
    const { facts } = await runRestoreTest(server);
    expect(facts.places.map(({ database, seconds }) => [database, seconds !== undefined])).toContainEqual([
      'owned',
      true,
    ]);
    expect(existsSync(trace)).toBe(false);
  });

  test('is loaded neither by pg_upgrade nor into a session with PostgreSQL 14', async () => {
    server.stop();
    const { output, status, fresh } = pgUpgrade(server, 'new', { settings: { PGOPTIONS: upgradeOptions } });
    expect(output).toContain('Upgrade Complete');
    expect([status, existsSync(trace)]).toEqual([0, false]);
    fresh.start();
    await everySession(fresh, 14);
    expect(existsSync(trace)).toBe(false);
    expect(fresh.sql('template1', 'SELECT setconfig FROM pg_db_role_setting;')).toContain(
      'local_preload_libraries=chosen',
    );
    fresh.stop();
  });
});
