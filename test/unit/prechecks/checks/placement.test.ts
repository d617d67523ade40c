import { describe, expect, test } from '@jest/globals';
import type { V1Node, V1NodeSelectorTerm, V1PodDisruptionBudget, V1PodSpec } from '@kubernetes/client-node';
import { node, persistentVolume, serverPod, statefulSet, target } from '../../objects.ts';
import { answerOf, known, unread } from '../facts.ts';

interface Given {
  readonly nodes: readonly V1Node[];
  readonly budgets?: readonly V1PodDisruptionBudget[];
  readonly podSpec?: Partial<V1PodSpec>;
  readonly volumeGoes?: V1NodeSelectorTerm[];
}

async function placement({ nodes, budgets = [], podSpec = {}, volumeGoes }: Given) {
  const found = await target(statefulSet(podSpec));
  const volume = persistentVolume();
  const nodeAffinity =
    volumeGoes === undefined ? {} : { nodeAffinity: { required: { nodeSelectorTerms: volumeGoes } } };
  const bound = { ...volume, spec: { ...volume.spec, ...nodeAffinity } };
  const pod = { ...serverPod(), metadata: { ...serverPod().metadata, labels: { app: 'postgresql' } } };
  return await answerOf('placement', {
    nodes: known(nodes),
    budgets: known(budgets),
    target: { ...found, pod, volume: { ...found.volume, persistentVolume: bound } },
  });
}

const tainted = (key: string, effect = 'NoSchedule', value?: string) =>
  node({ taints: [{ key, effect, ...(value === undefined ? {} : { value }) }] });
const other = (zone = 'a', spec = {}) => node(spec, { name: 'node-2', labels: { zone } });
const zone = (value: string): V1NodeSelectorTerm => ({
  matchExpressions: [{ key: 'zone', operator: 'In', values: [value] }],
});

function budget(matchLabels: Record<string, string>, disruptionsAllowed: number): V1PodDisruptionBudget {
  const status = { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed };
  return { metadata: { name: 'keep' }, spec: { selector: { matchLabels } }, status };
}

describe('placement', () => {
  test('passes where the node of the server accepts pods, and names the budget that makes a drain wait', async () => {
    const answer = await placement({
      nodes: [node()],
      budgets: [budget({ app: 'postgresql' }, 0), budget({ app: 'x' }, 0)],
    });
    expect(answer.status).toBe('passed');
    expect(answer.evidence).toEqual([
      '1 of 1 nodes that can attach the volume accept the Job',
      "PodDisruptionBudget keep makes a drain wait for the server's pod; it does not cover the Job's pod",
    ]);
  });

  test.each([
    ['cordoned', node({ unschedulable: true }), 'node node-1: it is cordoned'],
    ['tainted', tainted('dedicated', 'NoExecute'), 'node node-1: taint dedicated:NoExecute'],
    [
      'about to be removed',
      tainted('ToBeDeletedByClusterAutoscaler'),
      'node node-1: the cluster autoscaler is removing it',
    ],
  ])('fails where the only node is %s', async (_what, only, evidence) => {
    const answer = await placement({ nodes: [only] });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('0 of 1 nodes that can attach the volume accept the Job');
    expect(answer.text).toContain(evidence);
    expect(answer.remedy?.text).toContain('`kubectl uncordon NODE`');
  });

  test('counts only nodes where the volume can go', async () => {
    const nodes = [node({ unschedulable: true }, { labels: { zone: 'a' } }), other('b')];
    expect((await placement({ nodes, volumeGoes: [zone('a')] })).status).toBe('failed');
    expect((await placement({ nodes, volumeGoes: [zone('a'), zone('b')] })).status).toBe('warning');
    const byName = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }] };
    expect((await placement({ nodes: [node(), other()], volumeGoes: [byName] })).text).toContain('1 of 1 nodes');
    expect((await placement({ nodes, volumeGoes: [{}] })).text).toContain('no node matches the volume');
  });

  test("goes by the server's node selector and tolerations, as the scheduler does", async () => {
    const disk = [tainted('dedicated', 'NoSchedule', 'db')];
    const tolerating = async (...tolerations: NonNullable<V1PodSpec['tolerations']>) =>
      (await placement({ nodes: disk, podSpec: { tolerations } })).status;
    expect(await tolerating({ key: 'dedicated', value: 'db' })).toBe('passed');
    expect(await tolerating({ operator: 'Exists' })).toBe('passed');
    expect(await tolerating({ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' })).toBe('passed');
    expect(await tolerating({ key: 'dedicated', value: 'web' })).toBe('failed');
    expect(await tolerating({ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' })).toBe('failed');
    const selecting = await placement({ nodes: [node(), other()], podSpec: { nodeSelector: { zone: 'c' } } });
    expect(selecting.status).toBe('failed');
  });

  test('warns where the node is to go, and the Job has another', async () => {
    const answer = await placement({ nodes: [node({ unschedulable: true }), other()], budgets: [budget({}, 0)] });
    expect(answer.status).toBe('warning');
    expect(answer.text).toContain('node node-1 of postgresql-0: it is cordoned');
    expect(answer.text).toContain('makes a drain wait');
    expect(answer.remedy?.text).toContain('`kubectl uncordon node-1`');
  });

  test('warns of a candidate of the autoscaler, which still takes the Job', async () => {
    const answer = await placement({ nodes: [tainted('DeletionCandidateOfClusterAutoscaler', 'PreferNoSchedule')] });
    expect(answer.status).toBe('warning');
    expect(answer.text).toContain('1 of 1 nodes');
  });

  test('says both reasons where neither may be read', async () => {
    const answer = await answerOf('placement', { nodes: unread('nodes is forbidden'), budgets: unread('budgets too') });
    expect(answer).toMatchObject({ status: 'warning', evidence: ['nodes is forbidden', 'budgets too'] });
    expect(answer.remedy?.text).toContain('`kubectl get node node-1 -o wide`');
  });
});
