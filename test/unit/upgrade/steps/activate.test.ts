import { describe, expect, test } from '@jest/globals';
import { activate } from '../../../../src/upgrade/steps/activate.ts';
import { alreadyUpgraded } from '../../../../src/upgrade/steps/already.ts';
import { schedulingGate } from '../../../../src/objects/scheduling-gate.ts';
import { quiesce } from '../../../../src/upgrade/steps/quiesce.ts';
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
