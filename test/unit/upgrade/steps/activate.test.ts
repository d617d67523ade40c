import { describe, expect, test } from '@jest/globals';
import { activate } from '../../../../src/upgrade/steps/activate.ts';
import { alreadyUpgraded } from '../../../../src/upgrade/steps/already.ts';
import { updateExtensions } from '../../../../src/upgrade/steps/analyze.ts';
import { schedulingGate } from '../../../../src/objects/scheduling-gate.ts';
import { quiesce } from '../../../../src/upgrade/steps/quiesce.ts';
import { databaseState } from '../../fake-database.ts';
import { namespace, newImage, serverContainer, statefulSet, target } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { controlStatefulSet, setUp } from '../context.ts';
import { seal, writesBesidesCounting } from '../sealed.ts';

describe('activate', () => {
  test('starts the new image and asks the server for its version', async () => {
    const setting = await setUp();
    controlStatefulSet(setting);
    await activate.run(setting.context);
    const now = setting.cluster.peek('statefulsets', 'postgresql', namespace);
    expect(now?.spec?.template.spec?.containers[0]?.image).toBe(newImage);
    expect(setting.log.text).toContain('PostgreSQL 14.22 answers');
  });

  test('an image that holds another major than its tag says ends it', async () => {
    const setting = await setUp();
    controlStatefulSet(setting);
    setting.cluster.hooks.push(() => (setting.state.version = '12.16'));
    const error = await thrownBy(() => activate.run(setting.context));
    expect(error.code).toBe('wrong-server');
    expect(error.message).toContain('12.16');
  });

  test('is taken back by stopping it behind the scheduling gate', async () => {
    const setting = await setUp();
    controlStatefulSet(setting);
    await activate.run(setting.context);
    await activate.undo?.(setting.context);
    const now = setting.cluster.peek('statefulsets', 'postgresql', namespace);
    expect(now?.spec?.replicas).toBe(0);
    expect(now?.spec?.template.spec?.schedulingGates).toEqual([{ name: schedulingGate }]);
  });
});

describe('quiesce', () => {
  const client = {
    pid: 42,
    database: 'circle',
    user: 'circle',
    application: 'worker',
    address: '10.0.0.9',
    state: 'idle',
  };

  test('waits for the last client, then measures and writes a checkpoint side by side', async () => {
    const { context, state, clock } = await setUp();
    state.clients = [client];
    clock.meanwhile = () => (state.clients = []);
    await quiesce.run(context);
    expect(context.results.before?.databases['circle']?.relations).toEqual({ 'public.builds': '42 rows' });
    expect(state.statements).toContain('template1: CHECKPOINT;');
    expect(state.statements.findLastIndex((s) => s.includes('pg_stat_activity') && !s.includes('gexec'))).toBe(1);
    expect(state.statements.filter((s) => s.includes('relkind') && s.includes('gexec'))).toHaveLength(3);
    expect(context.journal.noted.sortOrders).toEqual({ postgres: [], template1: [], circle: [] });
  });

  test.each([
    ['measurement', /gexec/],
    ['checkpoint', /CHECKPOINT/],
  ])('a %s that fails ends it, and only once the other has ended too', async (_what, statement) => {
    const { context, state } = await setUp();
    state.refuse = [{ statement, message: 'out of memory' }];
    expect((await thrownBy(() => quiesce.run(context))).message).toContain('out of memory');
    expect(state.statements).toContain('template1: CHECKPOINT;');
    expect(state.statements.some((s) => s.includes('gexec'))).toBe(true);
  });

  test('a client that stays ends it, and is named', async () => {
    const { context, state } = await setUp(undefined, { 'clients-timeout': '10s' });
    state.clients = [client, { ...client, application: '' }];
    const error = await thrownBy(() => quiesce.run(context));
    expect(error.message).toContain('worker (user circle, database circle, from 10.0.0.9, idle)');
    expect(error.message).toContain('a client without a name');
    expect(error.remedy.text).toContain('`clients-timeout`');
    expect(context.results.before).toBeUndefined();
  });
});

describe('extensions', () => {
  test('each outdated extension is updated, by its quoted name', async () => {
    const { context, state } = await setUp();
    const extensions = { 'uuid-ossp': '1.0', plpgsql: '1.0' };
    state.databases = { circle: databaseState({ extensions, available: { 'uuid-ossp': '1.1', plpgsql: '1.0' } }) };
    await updateExtensions.run(context);
    expect(state.statements.filter((s) => s.includes('ALTER'))).toEqual([
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
    expect(state.statements.filter((s) => s.includes('ALTER'))).toEqual([
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
    expect(state.statements.filter((s) => s.includes('ALTER'))).toEqual([]);
    expect(context.results.warnings).toEqual([
      expect.stringMatching(
        /^circle: extension pg_cron stays at 1\.0\. .*`ALTER EXTENSION "pg_cron" UPDATE TO '1\.6';`/,
      ),
    ]);
    expect(context.results.warnings[0]).toContain(reason);
  });
});

describe('an upgrade that is done already', () => {
  async function served(image: string, version = 140022) {
    const setting = await setUp();
    await setting.context.journal.note('outcome', 'upgraded');
    setting.state.versionNumber = version;
    setting.state.version = '14.22';
    const found = await target(statefulSet({ containers: [serverContainer({ image })] }));
    return { ...setting, found };
  }

  test('is told by image, server and journal', async () => {
    const { cluster, found, context } = await served(newImage);
    expect(await alreadyUpgraded(cluster, found, context.database, context.serving, seal)).toBe('14.22');
    expect(writesBesidesCounting(cluster)).toEqual([expect.stringContaining('patch configmaps/')]);
  });

  test.each([
    ['another image is set', 'another:image', 140022],
    ['another major answers', newImage, 120016],
  ])('is not done when %s', async (_what, image, version) => {
    const { cluster, found, context } = await served(image, version);
    expect(await alreadyUpgraded(cluster, found, context.database, context.serving, seal)).toBeUndefined();
  });

  test('is not done while its journal is open, nor when the server does not answer or is not there', async () => {
    const open = await setUp();
    const found = await target(statefulSet({ containers: [serverContainer({ image: newImage })] }));
    open.state.versionNumber = 140022;
    expect(
      await alreadyUpgraded(open.cluster, found, open.context.database, open.context.serving, seal),
    ).toBeUndefined();
    const { cluster, state, context } = await served(newImage);
    state.refuse = [{ statement: /./, message: 'the database system is starting up' }];
    expect(await alreadyUpgraded(cluster, found, context.database, context.serving, seal)).toBeUndefined();
    state.refuse = [];
    const without = { ...found, pod: undefined };
    expect(await alreadyUpgraded(cluster, without, context.database, context.serving, seal)).toBeUndefined();
  });
});
