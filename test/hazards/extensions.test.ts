// Extensions of several versions, pure SQL, in the installations of real servers.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { updateExtensions } from '../../src/upgrade/steps/extensions.ts';
import type { Context } from '../../src/upgrade/contract/step.ts';
import { inputs } from '../unit/objects.ts';
import { FakeLog } from '../unit/fake-runner.ts';
import { pgUpgrade } from './pg-upgrade.ts';
import { runRestoreTest } from './restore-test-run.ts';
import { Installations, Server, type Major } from './server.ts';

jest.setTimeout(300_000);

const directories: Readonly<Record<Major, string>> = { 12: '12/share/postgresql/extension', 14: '14/share/extension' };

let installations: Installations;

beforeAll(() => {
  installations = new Installations();
});

afterAll(() => {
  installations.remove();
});

/** @param scripts by version or step (`1.0--1.1`), SQL */
function ship(major: Major, name: string, defaultVersion: string, scripts: Readonly<Record<string, string>>): void {
  const directory = join(installations.directory, directories[major]);
  writeFileSync(join(directory, `${name}.control`), `default_version = '${defaultVersion}'\nrelocatable = true\n`);
  for (const [of, sql] of Object.entries(scripts)) writeFileSync(join(directory, `${name}--${of}.sql`), sql);
}

describe('the update of extensions in a real 14', () => {
  let server: Server;
  const warnings: string[] = [];

  beforeAll(async () => {
    const first = "CREATE FUNCTION made() RETURNS text LANGUAGE sql AS 'SELECT 1::text';";
    const next = 'SELECT 1;';
    ship(14, 'minor', '1.10', { '1.9': first.replace('made', 'minor_made'), '1.9--1.10': next });
    ship(14, 'partman', '5.0.1', {
      '4.5.1': first.replace('made', 'partman_made'),
      '4.5.1--4.6.0': next,
      '4.6.0--4.10.0': next,
      '4.10.0--5.0.1': 'DROP FUNCTION partman_made();',
    });
    ship(14, 'jump', '3.0', { '2.3': first.replace('made', 'jump_made'), '2.3--3.0': next });
    ship(14, 'odd', '2.0next', { '2.0dev': first.replace('made', 'odd_made'), '2.0dev--2.0next': next });
    server = new Server(installations, 'new', 14);
    server.initialise();
    server.start();
    server.createLogin();
    server.sql('postgres', 'CREATE DATABASE circle');
    server.sql(
      'circle',
      ['minor 1.9', 'partman 4.5.1', 'jump 2.3', 'odd 2.0dev']
        .map((text) => text.split(' '))
        .map(([name = '', version = '']) => `CREATE EXTENSION ${name} VERSION '${version}';`)
        .join('\n'),
    );
    await update(warnings);
  });

  async function update(told: string[], given: Readonly<Record<string, string>> = {}): Promise<void> {
    const context = {
      database: server.database(),
      settings: { jobs: 2 },
      results: { warnings: told },
      log: new FakeLog(),
      inputs: inputs(given),
    };
    await updateExtensions.run(context as unknown as Context);
  }

  afterAll(() => {
    server.stop();
  });

  test('goes to the newest version of the same major, and never across', () => {
    const versions = server.sql('circle', 'SELECT extname, extversion FROM pg_extension ORDER BY extname');
    expect(versions.trim().split('\n')).toEqual([
      'jump|2.3',
      'minor|1.10',
      'odd|2.0dev',
      'partman|4.10.0',
      'plpgsql|1.0',
    ]);
  });

  test('leaves what the next major would have dropped', () => {
    expect(server.sql('circle', 'SELECT partman_made()')).toBe('1\n');
  });

  test('has the command for the rest, which works', () => {
    expect(warnings.map((text) => /^circle: extension (\S+) stays at ([^ ]+)\. /.exec(text)?.slice(1))).toEqual([
      ['jump', '2.3'],
      ['odd', '2.0dev'],
      ['partman', '4.10.0'],
    ]);
    for (const text of warnings) server.sql('circle', /`([^`]+)`/.exec(text)?.[1] ?? 'no command');
    const versions = server.sql(
      'circle',
      "SELECT extversion FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY extname",
    );
    expect(versions.trim().split('\n')).toEqual(['3.0', '1.10', '2.0next', '5.0.1']);
  });

  test('tells one that fails and one that takes too long with their reasons, and updates all others', async () => {
    const scripts = { broken: 'SELECT 1 / 0;', late: 'SELECT pg_sleep(60);', well: 'SELECT 1;' };
    for (const [name, script] of Object.entries(scripts))
      ship(14, name, '1.1', { '1.0': `CREATE TABLE ${name}_made (a int);`, '1.0--1.1': script });
    server.sql('postgres', 'CREATE DATABASE vms');
    for (const name of Object.keys(scripts)) server.sql('vms', `CREATE EXTENSION ${name} VERSION '1.0';`);
    const told: string[] = [];
    await update(told, { 'start-timeout': '2s' });
    expect(told).toEqual([
      'vms: extension broken stays at version 1.0: division by zero',
      'vms: extension late stays at version 1.0: canceling statement due to statement timeout',
    ]);
    const versions = server.sql(
      'vms',
      "SELECT extversion FROM pg_extension WHERE extname IN ('broken', 'late', 'well') ORDER BY extname",
    );
    expect(versions.trim().split('\n')).toEqual(['1.0', '1.0', '1.1']);
  });
});

test('an extension of which the upgrade image has nothing is restored, and taken by pg_upgrade', async () => {
  ship(12, 'only_old', '1.0', {
    '1.0':
      "CREATE TABLE only_old_settings (a int); CREATE FUNCTION only_old_made() RETURNS text LANGUAGE sql AS 'SELECT 1::text';",
  });
  expect(readdirSync(join(installations.directory, directories[14])).filter((f) => f.startsWith('only_old'))).toEqual(
    [],
  );
  const server = new Server(installations, 'old');
  server.initialise();
  server.start();
  server.createLogin();
  server.sql('postgres', 'CREATE EXTENSION only_old; CREATE VIEW uses AS SELECT only_old_made()');
  expect((await runRestoreTest(server)).answer).toMatchObject({ status: 'passed' });
  server.stop();
  expect(pgUpgrade(server, 'only-old')).toMatchObject({ status: 0 });
});
