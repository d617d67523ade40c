import { describe, expect, test } from '@jest/globals';
import type { V1ContainerState, V1Pod } from '@kubernetes/client-node';
import { answerError } from '../../../../src/adapters/api-error.ts';
import { anchorName } from '../../../../src/objects/anchor.ts';
import { keepAttached } from '../../../../src/upgrade/steps/anchor.ts';
import { job, namespace } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp, type Setting } from '../context.ts';
import { controlJobs } from '../job-controller.ts';

const without = 'The upgrade goes on without the anchor: the volume will be detached in the downtime';

async function begin(state: V1ContainerState = { running: {} }, given = {}): Promise<Setting> {
  const setting = await setUp(undefined, given);
  controlJobs(setting, { [anchorName]: state });
  return setting;
}

const run = ({ context }: Setting) => keepAttached.run(context);
const made = ({ cluster }: Setting) => cluster.peek('jobs', anchorName, namespace);
const podOf = ({ cluster }: Setting) => cluster.all('pods').find((pod) => pod.metadata?.name?.startsWith(anchorName));

/** Goes on without, says why, and leaves nothing. */
async function expectWithout(setting: Setting, why: string): Promise<void> {
  setting.context.timeline.expect({ 'stop-postgresql': 2 });
  await run(setting);
  expect(setting.log.text).toContain(why);
  expect(setting.log.text).toContain(without);
  expect(setting.context.results.anchor).toBeUndefined();
  expect(setting.context.results.warnings).toEqual([]);
  expect(made(setting)).toBeUndefined();
  // The storage detaches the volume now, and nothing tells how long that takes.
  expect(setting.context.timeline.expectedTime('stop-postgresql')).toBeUndefined();
}

describe('the anchor', () => {
  test("is made on the node of the server's pod, and is known by the UID of its pod", async () => {
    const setting = await begin();
    await run(setting);
    const pod = podOf(setting);
    expect(setting.context.results.anchor).toEqual({
      pod: pod?.metadata?.name,
      uid: pod?.metadata?.uid,
      node: 'node-1',
    });
    expect(setting.log.text).toContain('keeps the volume attached to node node-1');
    expect(setting.cluster.writes).toEqual([`create jobs/${anchorName}`]);
  });

  test('is what the plan says', async () => {
    const setting = await begin();
    const { context } = setting;
    const [move] = keepAttached.plan({ ...context, record: context.journal.record });
    await run(setting);
    const sent = setting.cluster.calls.find(({ method }) => method === 'create')?.body;
    expect(move).toEqual({ does: 'create', resource: 'jobs', object: sent, until: 'PostgreSQL 14 serves' });
  });

  test('takes the place of one that an earlier run left', async () => {
    const setting = await begin();
    await run(setting);
    const before = podOf(setting)?.metadata?.uid;
    await run(setting);
    expect(podOf(setting)?.metadata?.uid).not.toBe(before);
    expect(setting.context.results.anchor?.uid).toBe(podOf(setting)?.metadata?.uid);
  });

  test('is not made in a downtime that another run began, and that of the other run is removed', async () => {
    const setting = await begin();
    await run(setting);
    await setting.context.journal.note('downSince', new Date(0));
    await run(setting);
    expect(made(setting)).toBeUndefined();
    expect(setting.context.results.anchor).toBeUndefined();
  });

  test('is not made for a claim that admits one pod only', async () => {
    const setting = await begin();
    const { volume } = setting.context.target;
    const spec = { ...volume.claim.spec, accessModes: ['ReadWriteOncePod'] };
    const target = { ...setting.context.target, volume: { ...volume, claim: { ...volume.claim, spec } } };
    const context = { ...setting.context, target };
    expect(keepAttached.plan({ ...context, record: context.journal.record })).toEqual([]);
    await keepAttached.run(context);
    expect(setting.log.text).toContain('data-postgresql-0 (ReadWriteOncePod) admits no second pod');
    expect(setting.cluster.writes).toEqual([]);
  });

  test('is not made without a pod of the server', async () => {
    const setting = await begin();
    setting.cluster.remove('pods', 'postgresql-0', namespace);
    await run(setting);
    expect(setting.log.text).toContain('PostgreSQL has no pod');
    expect(setting.cluster.writes).toEqual([]);
  });

  test.each([
    [403, 'exceeded quota: pods'],
    [403, 'admission webhook "policy" denied the request'],
    [422, 'spec.template.spec.containers[0].resources: Invalid value'],
  ])('that the API server refuses (%i %s) is done without', async (status, message) => {
    const setting = await begin();
    setting.cluster.refuse('create', 'jobs', status, message);
    await expectWithout(setting, message);
  });

  test('whose image can not be pulled is done without at once', async () => {
    const setting = await begin({ waiting: { reason: 'ErrImagePull', message: 'not found' } });
    await expectWithout(setting, "can't run: ErrImagePull: not found");
    expect(setting.clock.monotonic()).toBe(0);
  });

  test('whose container ends is done without at once', async () => {
    const setting = await begin({ terminated: { exitCode: 127, reason: 'StartError' } });
    await expectWithout(setting, "can't run: StartError");
  });

  test('that does not run in time is done without, with what holds it up', async () => {
    const setting = await begin({ waiting: { reason: 'ContainerCreating' } });
    await expectWithout(setting, `Timed out after 120 s waiting for the pod of Job ${anchorName} to run`);
  });

  test('whose pod is never made is done without, in the words of its event', async () => {
    const setting = await setUp();
    setting.cluster.put('events', {
      metadata: { name: 'event', namespace },
      involvedObject: { name: anchorName },
      message: 'pods "postgres-upgrade-anchor-" is forbidden: exceeded quota',
    });
    await expectWithout(setting, 'is forbidden: exceeded quota');
  });

  test('that somebody made use the volume is none', async () => {
    const setting = await begin();
    setting.cluster.hooks.push(() => {
      const pod = podOf(setting);
      const ephemeralContainers = [{ name: 'debug', volumeMounts: [{ name: 'data', mountPath: '/data' }] }];
      if (pod?.spec !== undefined && pod.spec.ephemeralContainers === undefined)
        setting.cluster.put('pods', { ...pod, spec: { ...pod.spec, ephemeralContainers } } satisfies V1Pod);
    });
    await expectWithout(setting, 'Timed out');
  });

  test('leaves a Job of somebody else under its name alone', async () => {
    const setting = await setUp();
    setting.cluster.put('jobs', job(anchorName, 1));
    await run(setting);
    expect(setting.log.text).toContain(without);
    await keepAttached.undo?.(setting.context);
    expect(made(setting)).toBeDefined();
    expect(setting.cluster.writes).toEqual([`create jobs/${anchorName}`]);
  });

  test('does not hide that the run has lost its Lease, or was cancelled', async () => {
    const setting = await begin({ waiting: { reason: 'ContainerCreating' } });
    setting.cancelled.abort();
    expect((await thrownBy(() => run(setting))).code).toBe('cancelled');
  });

  test('is removed when the step is taken back', async () => {
    const setting = await begin();
    await run(setting);
    await keepAttached.undo?.(setting.context);
    expect(made(setting)).toBeUndefined();
    expect(setting.context.results.anchor).toBeUndefined();
    await keepAttached.undo?.(setting.context);
    expect(setting.log.lines.slice(-2)).toEqual([
      `Deleted Job ${anchorName}`,
      `Nothing to remove: this action has no Job ${anchorName}`,
    ]);
  });

  test('that can not be removed now is no success of the step being taken back', async () => {
    const setting = await begin();
    await run(setting);
    setting.cluster.hooks.push(({ method }) => {
      if (method === 'delete') throw answerError('delete jobs', 503, '{}');
    });
    expect((await thrownBy(async () => keepAttached.undo?.(setting.context))).code).toBe('server-error');
  });
});
