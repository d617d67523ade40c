import { describe, expect, test } from '@jest/globals';
import { updateExtensions } from '../../../../src/upgrade/steps/extensions.ts';
import { databaseState } from '../../fake-database.ts';
import { setUp, type Setting } from '../context.ts';

describe('extensions', () => {
  test('each outdated extension is updated, by its quoted name', async () => {
    const { context, state } = await setUp();
    const extensions = { 'uuid-ossp': '1.0', plpgsql: '1.0' };
    state.databases = { circle: databaseState({ extensions, available: { 'uuid-ossp': '1.1', plpgsql: '1.0' } }) };
    await updateExtensions.run(context);
    expect(state.statements.filter((s) => s.includes(': ALTER'))).toEqual([
      `circle: ALTER EXTENSION "uuid-ossp" UPDATE TO '1.1';`,
    ]);
    expect(context.results.warnings).toEqual([]);
  });

  test('one that has no way to the new version is a warning, and stops nothing', async () => {
    const { context, state } = await setUp();
    const extensions = { pg_cron: '1.0', pgcrypto: '1.2' };
    state.databases = { circle: databaseState({ extensions, available: { pg_cron: '1.6', pgcrypto: '1.3' } }) };
    state.refuse = [{ statement: /pg_cron/, message: 'extension "pg_cron" has no update path' }];
    await updateExtensions.run(context);
    expect(context.results.warnings).toHaveLength(1);
    expect(context.results.warnings[0]).toContain('circle: extension pg_cron');
    expect(context.results.warnings[0]).toContain('no update path');
    expect(state.statements).toContainEqual(expect.stringContaining('"pgcrypto" UPDATE'));
  });

  test('one of which the image ships another major goes to the newest of its own; the rest is left to do, with the command', async () => {
    const { context, state } = await setUp();
    const extensions = { pg_partman: '4.5.1', other: '2.3' };
    const reachable = { pg_partman: ['4.6.0', '4.7.4', '5.0.1'], other: ['3.0'] };
    state.databases = {
      circle: databaseState({ extensions, available: { pg_partman: '5.0.1', other: '3.0' }, reachable }),
    };
    await updateExtensions.run(context);
    expect(state.statements.filter((s) => s.includes(': ALTER'))).toEqual([
      `circle: ALTER EXTENSION "pg_partman" UPDATE TO '4.7.4';`,
    ]);
    expect(context.results.warnings).toEqual([
      expect.stringMatching(
        /^circle: extension pg_partman stays at 4\.7\.4\. .*`ALTER EXTENSION "pg_partman" UPDATE TO '5\.0\.1';`/,
      ),
      expect.stringMatching(/^circle: extension other stays at 2\.3\. .*`ALTER EXTENSION "other" UPDATE TO '3\.0';`/),
    ]);
  });

  const shadow = 'function public.lower(character varying) of role mallory';

  test.each([
    ['in whose way a role has put code', 140022, { pg_cron: [shadow] }, shadow],
    ['which an old minor lets take over objects of others', 140004, {}, 'CVE-2022-2625'],
  ])('one %s is not updated; the reason and the command are told', async (_what, newVersionNumber, shadows, reason) => {
    const { context, state } = await setUp();
    const [extensions, available] = [{ pg_cron: '1.0' }, { pg_cron: '1.6' }];
    state.newVersionNumber = newVersionNumber;
    state.databases = { circle: databaseState({ extensions, available, shadows }) };
    await updateExtensions.run(context);
    expect(state.statements.filter((s) => s.includes(': ALTER'))).toEqual([]);
    expect(context.results.warnings).toEqual([
      expect.stringMatching(
        /^circle: extension pg_cron stays at 1\.0\. .*`ALTER EXTENSION "pg_cron" UPDATE TO '1\.6';`/,
      ),
    ]);
    expect(context.results.warnings[0]).toContain(reason);
  });

  /** How many commands in the pod it takes. */
  async function execs(setting: Setting): Promise<number> {
    setting.cluster.calls.length = 0;
    await updateExtensions.run(setting.context);
    return setting.cluster.calls.filter(({ method }) => method === 'exec').length;
  }

  test('are updated in one session, however many there are; none is begun where all have their version', async () => {
    const setting = await setUp(undefined, { jobs: '1' });
    const names = ['citext', 'hstore', 'pg_trgm', 'pgcrypto'];
    const versions = (version: string) => Object.fromEntries(names.map((name) => [name, version]));
    const outdated = () => databaseState({ extensions: versions('1.0'), available: versions('1.1') });
    setting.state.databases = { circle: outdated(), vms: outdated() };
    // One lists the databases, and one asks what is outdated.
    expect(await execs(setting)).toBe(3);
    expect(setting.state.statements.filter((s) => s.includes(': ALTER'))).toHaveLength(8);
    expect(await execs(setting)).toBe(2);
    expect(setting.context.results.warnings).toEqual([]);
  });

  test('of the databases beside one that can not be reached are updated all the same', async () => {
    const { context, cluster, state } = await setUp(undefined, { jobs: '1' });
    const outdated = () => databaseState({ extensions: { citext: '1.0' }, available: { citext: '1.1' } });
    state.databases = { circle: outdated(), vms: outdated() };
    const answer = cluster.onExec;
    cluster.onExec = (command, stdin) =>
      stdin.includes('ALTER EXTENSION') && stdin.includes("dbname=''circle''")
        ? { exitCode: 2, stdout: '', stderr: 'connection to server failed\n' }
        : answer(command, stdin);
    await updateExtensions.run(context);
    expect(context.results.warnings).toEqual([
      expect.stringMatching(/^circle: extension citext stays at version 1\.0: .*connection to server failed/),
    ]);
    expect(state.databases['vms']?.extensions).toEqual({ citext: '1.1' });
  });
});
