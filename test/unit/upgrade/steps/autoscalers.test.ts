import { describe, expect, test } from '@jest/globals';
import { restoreApplications, stopApplications } from '../../../../src/upgrade/steps/applications.ts';
import type { Workload } from '../../../../src/target/applications.ts';
import { namespace, scaledObject } from '../../objects.ts';
import { setUp } from '../context.ts';
import { writesBesidesCounting } from '../sealed.ts';

const paused = 'autoscaling.keda.sh/paused';
const pausedReplicas = 'autoscaling.keda.sh/paused-replicas';

async function stopping(before?: Record<string, string>) {
  const frontend: Workload = {
    resource: 'deployments',
    name: 'frontend',
    replicas: 0,
    podSelector: { matchLabels: { app: 'frontend' } },
  };
  const autoscaler: Workload = {
    resource: 'scaledobjects',
    name: 'frontend-scaler',
    paused: before?.[paused] ?? null,
    pausedReplicas: before?.[pausedReplicas] ?? null,
  };
  const setting = await setUp(undefined, {}, { applications: [frontend, autoscaler] });
  const { cluster, clock } = setting;
  cluster.put('scaledobjects', scaledObject('frontend-scaler', 'frontend', before));
  clock.meanwhile = () => {
    const now = cluster.peek('deployments', 'frontend', namespace);
    if (now !== undefined) cluster.put('deployments', { ...now, status: { observedGeneration: 1 } });
  };
  const annotations = () => cluster.peek('scaledobjects', 'frontend-scaler', namespace)?.metadata.annotations ?? {};
  const changed = () => writesBesidesCounting(cluster).filter((write) => !write.includes('configmaps'));
  return { ...setting, annotations, changed };
}

test.each([
  ['scaled', undefined],
  ['was told not to pause', { [paused]: 'false' }],
  ['was paused by the user', { [paused]: 'true' }],
  ['was held at a number, which would win over a pause', { [pausedReplicas]: '3' }],
  ['had annotations of its own', { 'example.com/team': 'edge' }],
])('a ScaledObject that %s is paused before its workload stops, and put back after it starts', async (_how, before) => {
  const { context, annotations, changed } = await stopping(before);
  await stopApplications.run(context);
  const others: Record<string, string> = { ...before };
  Reflect.deleteProperty(others, pausedReplicas);
  expect(annotations()).toEqual({ ...others, [paused]: 'true' });
  expect(changed()).toEqual(['patch scaledobjects/frontend-scaler', 'patch deployments/frontend']);
  await restoreApplications.run(context);
  expect(annotations()).toEqual(before ?? {});
  expect(changed()[2]).toBe('patch deployments/frontend');
});

test('a second run puts it back by the journal, also where the first one did so already', async () => {
  const { context, annotations } = await stopping();
  await stopApplications.run(context);
  await restoreApplications.run(context);
  await restoreApplications.run(context);
  expect(annotations()).toEqual({});
});

test('a ScaledObject that somebody deleted meanwhile does not hold the applications back', async () => {
  const { context, cluster } = await stopping();
  await stopApplications.run(context);
  cluster.remove('scaledobjects', 'frontend-scaler', namespace);
  await expect(restoreApplications.run(context)).resolves.toBeUndefined();
});

describe('KEDA, which has seen the ScaledObject', () => {
  const condition = (status: string) => ({ status: { conditions: [{ type: 'Paused', status }] } });
  const inTheCluster = () => scaledObject('frontend-scaler', 'frontend');

  test('is waited for before anything is stopped', async () => {
    const { context, cluster, clock, changed } = await stopping();
    cluster.put('scaledobjects', { ...inTheCluster(), ...condition('False') });
    let before: string[] | undefined;
    const meanwhile = clock.meanwhile;
    clock.meanwhile = (now) => {
      meanwhile(now);
      before ??= changed();
      const seen = cluster.peek('scaledobjects', 'frontend-scaler', namespace);
      if (seen !== undefined) cluster.put('scaledobjects', { ...seen, ...condition('True') });
    };
    await stopApplications.run(context);
    expect(before).toEqual(['patch scaledobjects/frontend-scaler']);
    expect(changed()).toEqual(['patch scaledobjects/frontend-scaler', 'patch deployments/frontend']);
  });

  test('and does not answer any more holds nothing up for longer than half a minute', async () => {
    const { context, cluster, log } = await stopping();
    cluster.put('scaledobjects', { ...inTheCluster(), ...condition('Unknown') });
    await stopApplications.run(context);
    expect(log.lines.join('\n')).toContain(
      'Timed out after 30 s waiting for KEDA to pause: scaledobjects/frontend-scaler.',
    );
  });
});

test('one that may not be paused ends it before anything is stopped', async () => {
  const { context, cluster } = await stopping();
  cluster.refuse('patch', 'scaledobjects', 403, 'scaledobjects.keda.sh is forbidden');
  await expect(stopApplications.run(context)).rejects.toMatchObject({ code: 'forbidden' });
  expect(cluster.patchesOf('deployments', 'frontend')).toEqual([]);
});
