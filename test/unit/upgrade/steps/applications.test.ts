import { describe, expect, test } from '@jest/globals';
import type { V1Deployment } from '@kubernetes/client-node';
import { CancelledError, ClusterError, UpgradeError, WaitError } from '../../../../src/common/errors.ts';
import { restoreApplications, stopApplications } from '../../../../src/upgrade/steps/applications.ts';
import { applicationPod, deployment, job, namespace } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp, type Setting } from '../context.ts';

function replicasOf({ cluster }: Setting, name: string): number | undefined {
  return cluster.peek('deployments', name, namespace)?.spec?.replicas;
}

function suspendOf({ cluster }: Setting, name: string): boolean | undefined {
  return cluster.peek('cronjobs', name, namespace)?.spec.suspend;
}

/** Does what the Deployment controller does, at each pause. */
function controlDeployments({ cluster, clock }: Setting, ready: (wanted: number) => number = (wanted) => wanted): void {
  clock.meanwhile = () => {
    for (const name of ['frontend', 'insights']) {
      const now = cluster.peek('deployments', name, namespace);
      const replicas = now?.spec?.replicas ?? 0;
      if (now !== undefined)
        cluster.put('deployments', {
          ...now,
          status: { observedGeneration: 1, replicas, readyReplicas: ready(replicas), updatedReplicas: replicas },
        });
    }
  };
}

describe('stopping the applications', () => {
  test('scales each to 0, suspends each CronJob, and begins the downtime', async () => {
    const setting = await setUp();
    await stopApplications.run(setting.context);
    expect([replicasOf(setting, 'frontend'), replicasOf(setting, 'insights')]).toEqual([0, 0]);
    expect([suspendOf(setting, 'nightly'), suspendOf(setting, 'paused')]).toEqual([true, true]);
    setting.context.timeline.downtimeEnds();
    expect(setting.context.timeline.downtimeSeconds).toBeDefined();
    expect(setting.log.text).toContain('deployments/frontend: replicas 0');
  });

  test('has what a rehearsal has made removed before anything is paused, and never in the downtime', async () => {
    const setting = await setUp();
    const before: (readonly unknown[])[] = [];
    const sweepRehearsals = () => {
      before.push([replicasOf(setting, 'frontend'), setting.cluster.writes.length]);
      return Promise.resolve();
    };
    const writes = setting.cluster.writes.length;
    await stopApplications.run({ ...setting.context, sweepRehearsals });
    // As a run that resumes.
    await stopApplications.run({ ...setting.context, sweepRehearsals });
    expect(before).toEqual([[3, writes]]);
  });

  test('waits until their pods are gone, and names those that are not', async () => {
    const setting = await setUp();
    setting.cluster.put('pods', applicationPod('frontend-1', { app: 'frontend', hash: 'x' }));
    setting.clock.meanwhile = (elapsed) => {
      if (elapsed > 3000) setting.cluster.remove('pods', 'frontend-1', namespace);
    };
    await stopApplications.run(setting.context);
    expect(setting.clock.monotonic()).toBeGreaterThan(3000);
    expect(setting.log.text).toContain('frontend-1');
  });

  test('a pod that is still terminating at the limit ends it', async () => {
    const setting = await setUp(undefined, { 'applications-timeout': '20s' });
    setting.cluster.put('pods', applicationPod('frontend-1', { app: 'frontend' }));
    const error = await thrownBy(() => stopApplications.run(setting.context));
    expect(error).toBeInstanceOf(WaitError);
    expect(error.message).toContain('frontend-1');
    expect(error.remedy.text).toContain('`applications-timeout`');
  });

  test('waits for the pods of Jobs that its CronJobs began, and for no others', async () => {
    const setting = await setUp(undefined, { 'applications-timeout': '20s' });
    const ofCronJob = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: 'u' };
    const ofJob = (name: string) => ({ apiVersion: 'batch/v1', kind: 'Job', name, uid: 'u' });
    setting.cluster
      .put('jobs', { metadata: { name: 'nightly-1', namespace, ownerReferences: [ofCronJob] } }, job('backup', 1))
      .put(
        'pods',
        applicationPod(
          'nightly-1-x',
          {},
          { metadata: { name: 'nightly-1-x', namespace, ownerReferences: [ofJob('nightly-1')] } },
        ),
        applicationPod(
          'backup-x',
          {},
          { metadata: { name: 'backup-x', namespace, ownerReferences: [ofJob('backup')] } },
        ),
      );
    const error = await thrownBy(() => stopApplications.run(setting.context));
    expect(error.message).toContain('nightly-1-x');
    expect(error.message).not.toContain('backup-x');
  });

  test('does not wait for pods that have ended, nor for those of others', async () => {
    const setting = await setUp();
    setting.cluster.put(
      'pods',
      applicationPod('frontend-old', { app: 'frontend' }, { status: { phase: 'Succeeded' } }),
      applicationPod('nginx-1', { app: 'nginx' }),
    );
    await stopApplications.run(setting.context);
    expect(setting.clock.monotonic()).toBe(0);
  });

  test('a workload that may not be changed ends it', async () => {
    const setting = await setUp();
    setting.cluster.refuse('patch', 'deployments', 403, 'deployments.apps "frontend" is forbidden');
    await expect(stopApplications.run(setting.context)).rejects.toMatchObject({ code: 'forbidden' });
  });
});

describe('the CHECKPOINT before the downtime', () => {
  const checkpoint = 'template1: CHECKPOINT;';

  test('comes before anything of the applications is changed, and before the downtime', async () => {
    const { context, state, cluster, log } = await setUp();
    await stopApplications.run(context);
    expect(state.statements).toEqual([expect.stringContaining(checkpoint)]);
    // Its session lists the databases for the first look in the downtime.
    expect(context.results.databases).toEqual(['postgres', 'template1', 'circle']);
    const calls = cluster.calls.map(({ method }) => method);
    expect(calls.indexOf('exec')).toBeGreaterThan(-1);
    expect(calls.indexOf('patch')).toBeGreaterThan(calls.indexOf('exec'));
    expect(log.text).toContain('Wrote the data to disk (CHECKPOINT) while the applications serve');
  });

  test('is no part of the time that stopping the applications takes', async () => {
    const { context, clock, cluster } = await setUp();
    cluster.hooks.push(({ method }) => {
      if (method === 'exec') clock.pass(30_000);
    });
    context.timeline.expect({ 'stop-applications': 2 });
    await context.timeline.phase(stopApplications.id, 'Stop', () => stopApplications.run(context));
    const [ahead, stop] = context.timeline.phases;
    expect([ahead?.id, ahead?.expectedSeconds]).toEqual(['write-ahead', undefined]);
    expect(ahead?.seconds).toBeGreaterThanOrEqual(30);
    expect(stop).toMatchObject({ id: 'stop-applications', expectedSeconds: 2 });
    expect(stop?.seconds).toBeLessThan(30);
  });

  test('is not made where an earlier run began the downtime: nobody serves, or PostgreSQL is stopped', async () => {
    const { context, state } = await setUp();
    await context.journal.note('downSince', new Date());
    await stopApplications.run(context);
    expect(state.statements).toEqual([]);
  });

  test('a failure is told, and stops nothing', async () => {
    const setting = await setUp();
    setting.state.refuse = [{ statement: /CHECKPOINT/, message: 'checkpoint request failed' }];
    await stopApplications.run(setting.context);
    expect(replicasOf(setting, 'frontend')).toBe(0);
    expect(setting.log.text).toContain('The CHECKPOINT in the downtime may take longer');
    expect(setting.log.text).toContain('checkpoint request failed');
    expect(setting.context.results.warnings).toEqual([]);
  });

  test('one that does not end within shutdown-timeout stops nothing', async () => {
    const setting = await setUp(undefined, { 'shutdown-timeout': '90s' });
    const limits: number[] = [];
    const exec = setting.cluster.exec.bind(setting.cluster);
    setting.cluster.exec = async (...call) => {
      limits.push(call[5]);
      await exec(...call);
      throw new ClusterError(
        'no-end',
        'A command in pod postgresql-0 did not end within 90 s.',
        'Look at pg_stat_activity.',
      );
    };
    await stopApplications.run(setting.context);
    expect(limits).toEqual([90_000]);
    expect(replicasOf(setting, 'frontend')).toBe(0);
    expect(setting.log.text).toContain('did not end within 90 s.');
  });

  test('a cancellation during it, and a lost Lease, stop nothing of the applications', async () => {
    for (const failure of [
      new CancelledError('trying to run CHECKPOINT'),
      new UpgradeError('lease-lost', 'lost', ''),
    ]) {
      const setting = await setUp();
      setting.cluster.exec = () => Promise.reject(failure);
      await expect(stopApplications.run(setting.context)).rejects.toBe(failure);
      expect(replicasOf(setting, 'frontend')).toBe(3);
      expect(setting.context.journal.noted.downSince).toBeUndefined();
    }
  });
});

describe('bringing the applications back', () => {
  test.each([
    ['after the upgrade', (setting: Setting) => restoreApplications.run(setting.context)],
    ['on the way back', (setting: Setting) => stopApplications.undo?.(setting.context)],
  ])('%s gives each exactly what it had: 3, 0, scheduled, suspended', async (_when, bringBack) => {
    const setting = await setUp();
    await stopApplications.run(setting.context);
    controlDeployments(setting);
    await bringBack(setting);
    expect([replicasOf(setting, 'frontend'), replicasOf(setting, 'insights')]).toEqual([3, 0]);
    expect([suspendOf(setting, 'nightly'), suspendOf(setting, 'paused')]).toEqual([false, true]);
    expect(setting.context.timeline.downtimeSeconds).toBeGreaterThanOrEqual(0);
  });

  test.each([-10, 0, 10])('a runner whose clock is %d minutes off tells the same downtime', async (minutes) => {
    const setting = await setUp();
    const { cluster, clock, context } = setting;
    cluster.time = () => new Date(Date.UTC(2026, 0, 2, 3, 4, 5) + clock.monotonic());
    clock.now = () => new Date(cluster.time().getTime() + minutes * 60_000);
    // Another run stopped them, on a runner of its own.
    await context.journal.note('downSince', cluster.time());
    clock.pass(60_000);
    controlDeployments(setting);
    await restoreApplications.run(context);
    expect(context.timeline.downtimeSeconds).toBeGreaterThanOrEqual(60);
    expect(context.timeline.downtimeSeconds).toBeLessThan(63);
  });

  test.each([
    ['takes the counts from the journal', 0, 7, ['patch deployments/frontend']],
    ['leaves alone what somebody else has started meanwhile', 2, 2, []],
  ])('%s', async (_what, now, then, writes) => {
    const frontend = {
      resource: 'deployments',
      name: 'frontend',
      replicas: 7,
      podSelector: { matchLabels: { app: 'frontend' } },
    } as const;
    const setting = await setUp(undefined, {}, { applications: [frontend] });
    setting.cluster.put('deployments', deployment('frontend', now));
    controlDeployments(setting);
    await restoreApplications.run(setting.context);
    expect(replicasOf(setting, 'frontend')).toBe(then);
    expect(setting.cluster.writes).toEqual(writes);
  });

  test.each<[string, V1Deployment['status']]>([
    ['whose pods are not ready', { observedGeneration: 1, replicas: 3, readyReplicas: 2 }],
    ['whose old pods are still there', { observedGeneration: 1, replicas: 4, readyReplicas: 3 }],
    ['that the controller has not seen yet', { observedGeneration: 0, replicas: 3, readyReplicas: 3 }],
    ['without a status', {}],
  ])('a Deployment %s is not back, and is named', async (_what, status = {}) => {
    const setting = await setUp(undefined, { 'rollout-timeout': '20s' });
    setting.cluster.put('deployments', deployment('frontend', 3, { status }));
    const error = await thrownBy(() => restoreApplications.run(setting.context));
    expect(error).toBeInstanceOf(WaitError);
    expect(error.message).toContain(`deployments/frontend ${String(status.readyReplicas ?? 0)}/3`);
    expect(error.remedy.text).toContain('`rollout-timeout`');
    expect(setting.context.timeline.downtimeSeconds).toBeUndefined();
  });
});
