import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { ownerLabel } from '../../../src/objects/pod.ts';
import { probeLabel } from '../../../src/probes/probe.ts';
import { sweepProbes } from '../../../src/probes/sweep-probes.ts';
import { FakeLog } from '../fake-runner.ts';
import { cluster, namespace } from '../objects.ts';

const name = 'postgres-upgrade-probe-upgrade-1';

/** A namespace with one more pod; how long ago it ended, in seconds. */
async function sweep(pod: Partial<V1Pod>, ended: number, change = (from: ReturnType<typeof cluster>) => from) {
  const from = change(cluster());
  const finishedAt = new Date((await from.now()).getTime() - ended * 1000);
  const state = { terminated: { exitCode: 0, finishedAt } };
  const status = { name: 'probe', image: '', imageID: '', ready: false, restartCount: 0, state };
  from.put('pods', {
    metadata: { name, namespace, labels: { ...ownerLabel, ...probeLabel } },
    spec: { activeDeadlineSeconds: 900, containers: [] },
    status: { phase: 'Succeeded', containerStatuses: [status] },
    ...pod,
  });
  const log = new FakeLog();
  await sweepProbes({ cluster: from, log }, namespace);
  return { isThere: from.peek('pods', name, namespace) !== undefined, log };
}

describe('probes of runs that were killed', () => {
  test('are removed when they have ended, which is logged', async () => {
    const { isThere, log } = await sweep({}, 120);
    expect(isThere).toBe(false);
    expect(log.text).toContain('Removed pod postgres-upgrade-probe-upgrade-1, which a killed run had left');
  });

  test.each<[string, Partial<V1Pod>, number]>([
    ['ended just now: a run that lives may want its log', {}, 5],
    ['runs: it may be of a run that lives', { status: { phase: 'Running' } }, 120],
    ['is of somebody else', { metadata: { name, namespace, labels: { ...probeLabel } } }, 120],
  ])('are left alone where one %s', async (_which, pod, ended) => {
    expect((await sweep(pod, ended)).isThere).toBe(true);
  });

  test('that can not be removed are logged, and end nothing', async () => {
    const { log } = await sweep({}, 120, (from) => from.refuse('delete', 'pods', 403, 'pods is forbidden'));
    expect(log.text).toContain('Could not look for probes of earlier runs: ');
    expect(log.text).toContain('pods is forbidden');
  });
});
