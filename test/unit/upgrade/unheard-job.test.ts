import { describe, expect, test } from '@jest/globals';
import type { V1ContainerState, V1ContainerStatus, V1JobStatus } from '@kubernetes/client-node';
import { podOfJob } from '../../../src/job/follow-job.ts';
import { jobName, upgradeJob } from '../../../src/objects/upgrade-job.ts';
import { namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import type { Setting } from './context.ts';
import { collectPods, controlJobs, ending, revertName } from './job-controller.ts';
import { run, setUp, undo } from './stopped-server.ts';

describe('an upgrade Job of which little is known', () => {
  const reverted = ending(0, { outcome: 'reverted', message: 'pg_control is back' });
  const made = `create jobs/${revertName}`;
  const removed = `delete jobs/${jobName}`;

  /** The Job of this upgrade as the cluster has it, in the way back of another run. */
  async function left(status: V1JobStatus, note?: 'once' | 'again'): Promise<Setting> {
    const setting = await setUp();
    const { cluster, context } = setting;
    if (note !== undefined) await context.journal.note('upgradeJob', note);
    cluster.put('jobs', {
      ...upgradeJob(context.target, context.settings, 'upgrade', context.scripts),
      status,
    });
    controlJobs(setting, { [revertName]: reverted });
    cluster.calls.length = 0;
    return { ...setting, context: { ...context, isResumed: true } };
  }

  const uidOf = ({ cluster }: Setting) => cluster.peek('jobs', jobName, namespace)?.metadata?.uid ?? '';

  function putPod(
    setting: Setting,
    name: string,
    state: V1ContainerState,
    more: Partial<V1ContainerStatus> = {},
  ): void {
    const { cluster, context } = setting;
    const spec = upgradeJob(context.target, context.settings, 'upgrade', context.scripts).spec?.template.spec;
    const status = { name: 'pg-upgrade', image: '', imageID: '', ready: false, restartCount: 0, state, ...more };
    cluster.put('pods', {
      metadata: { name, namespace, labels: { 'batch.kubernetes.io/controller-uid': uidOf(setting) } },
      ...(spec === undefined ? {} : { spec }),
      status: { containerStatuses: [status] },
    });
  }

  test.each<[string, V1JobStatus]>([
    ['has failed', { failed: 1 }],
    ['is complete', { conditions: [{ type: 'Complete', status: 'True' }] }],
    ['has not been looked at by its controller', {}],
  ])('that %s and has no pod is taken back in a resumed run', async (_what, status) => {
    const setting = await left(status, 'once');
    await undo(setting);
    expect(setting.cluster.writes).toContain(made);
  });

  test('that is gone is taken back in a resumed run', async () => {
    const setting = await left({});
    setting.cluster.remove('jobs', jobName, namespace);
    await undo(setting);
    expect(setting.cluster.writes).toContain(made);
  });

  test('whose active pod can not be found is left to its end', async () => {
    const setting = await left({ active: 1 }, 'once');
    expect((await thrownBy(() => undo(setting))).code).toBe('job-still-runs');
    expect(setting.cluster.writes).toEqual([]);
  });

  test('whose pod has just been deleted is taken back once its controller has counted it', async () => {
    const setting = await left({ active: 1 }, 'once');
    const { cluster, clock } = setting;
    clock.meanwhile = () => {
      const now = cluster.peek('jobs', jobName, namespace);
      if (now !== undefined) cluster.put('jobs', { ...now, status: { failed: 1 } });
    };
    await undo(setting);
    expect(cluster.writes).toContain(made);
    expect(cluster.writes).not.toContain(removed);
  });

  test.each<[string, 'once' | 'again' | undefined, boolean]>([
    ['the only one there has been, needs nothing to be taken back', 'once', false],
    ['the second one, is taken back: the first may have run', 'again', true],
    ['not the only one for all that is known, is taken back', undefined, true],
  ])('that never started and is %s', async (_what, note, isReverted) => {
    const setting = await left({ active: 1 }, note);
    putPod(setting, `${jobName}-a`, { waiting: { reason: 'ErrImagePull' } });
    collectPods(setting);
    await undo(setting);
    expect(setting.cluster.writes).toContain(removed);
    expect(setting.cluster.writes.includes(made)).toBe(isReverted);
  });

  test.each<[string, V1ContainerState, Partial<V1ContainerStatus>]>([
    ['waits again since its node has lost it', { waiting: {} }, { lastState: { terminated: { exitCode: 137 } } }],
    ['is told without its identity', { terminated: { exitCode: 137, startedAt: new Date(1) } }, {}],
  ])('whose container %s has started', async (_what, state, more) => {
    const setting = await left({ active: 1 }, 'once');
    putPod(setting, `${jobName}-a`, state, more);
    collectPods(setting);
    await undo(setting);
    expect(setting.cluster.writes).toContain(made);
  });

  test('is noted as made again where it is', async () => {
    const setting = await setUp();
    controlJobs(setting, { [jobName]: ending(0) });
    await run(setting);
    expect(setting.context.journal.noted.upgradeJob).toBe('once');
    setting.cluster.remove('jobs', jobName, namespace);
    await run(setting);
    expect(setting.context.journal.noted.upgradeJob).toBe('again');
  });

  test('whose creation got no answer, and which is not there, is taken back', async () => {
    const setting = await setUp();
    setting.cluster.refuse('create', 'jobs', 503, 'etcd is away', jobName);
    controlJobs(setting, { [revertName]: reverted });
    await thrownBy(() => run(setting));
    await undo(setting);
    expect(setting.cluster.writes).toContain(made);
  });

  test('whose pod is gone before it was seen ends the wait at once, and is taken back', async () => {
    const setting = await setUp();
    const { cluster, clock } = setting;
    controlJobs(setting, { [revertName]: reverted });
    cluster.hooks.push(({ method }) => {
      const now = cluster.peek('jobs', jobName, namespace);
      if (method === 'list' && now !== undefined && now.status === undefined)
        cluster.put('jobs', { ...now, status: { failed: 1 } });
    });
    expect((await thrownBy(() => run(setting))).code).toBe('job-pod-gone');
    expect(clock.monotonic()).toBeLessThan(5000);
    await undo(setting);
    expect(cluster.writes).toContain(made);
    expect(cluster.writes).not.toContain(removed);
  });

  test('of which one pod says that it went back is taken back all the same where there was another one', async () => {
    const setting = await setUp();
    controlJobs(setting, { [jobName]: ending(1, { reverted: true }), [revertName]: reverted });
    await thrownBy(() => run(setting));
    putPod(setting, `${jobName}-b`, { terminated: { exitCode: 0 } }, { containerID: 'containerd://made' });
    await undo(setting);
    expect(setting.cluster.writes).toContain(made);
  });

  test('is removed while a second pod of it waits to be started', async () => {
    const setting = await left({ active: 1 }, 'once');
    putPod(setting, `${jobName}-a`, { terminated: { exitCode: 0 } }, { containerID: 'containerd://made' });
    putPod(setting, `${jobName}-b`, { waiting: {} });
    collectPods(setting);
    await undo(setting);
    expect(setting.cluster.writes.indexOf(removed)).toBeGreaterThan(-1);
    expect(setting.cluster.writes.indexOf(made)).toBeGreaterThan(setting.cluster.writes.indexOf(removed));
  });
});

describe('the pod of a Job', () => {
  const made = new Date('2026-01-02T03:04:05Z');

  /** A Job, and pods that do its work: how many seconds after it they were made, and of whose Job they say to be. */
  async function among(...pods: readonly [string, number, string][]): Promise<string | undefined> {
    const { cluster, context } = await setUp();
    const wanted = upgradeJob(context.target, context.settings, 'revert', context.scripts);
    cluster.put('jobs', { ...wanted, metadata: { ...wanted.metadata, uid: 'ours', creationTimestamp: made } });
    for (const [name, seconds, uid] of pods)
      cluster.put('pods', {
        metadata: {
          ...{ name, namespace, creationTimestamp: new Date(made.getTime() + seconds * 1000) },
          labels: { 'batch.kubernetes.io/controller-uid': uid },
        },
        ...(wanted.spec?.template.spec === undefined ? {} : { spec: wanted.spec.template.spec }),
      });
    const job = cluster.peek('jobs', revertName, namespace);
    return job && (await podOfJob(context, job))?.metadata?.name;
  }

  test('is the one with its label', async () => {
    expect(await among(['a', 1, 'theirs'], ['b', 1, 'ours'])).toBe('b');
  });

  test('is one without its label, if it is not older', async () => {
    expect(await among(['a', 0, ''])).toBe('a');
    expect(await among(['a', -1, ''])).toBeUndefined();
  });

  test('is not that of an earlier Job which was given its label', async () => {
    expect(await among(['a', -20, 'ours'])).toBeUndefined();
  });

  test('may have been dated by an API server whose clock is behind', async () => {
    expect(await among(['a', -1, 'ours'])).toBe('a');
  });
});
