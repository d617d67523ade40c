import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { createProbe, probeNames, probePrefix } from '../../../src/objects/probe-names.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';

const prefix = probePrefix('start');
const pod: V1Pod = { metadata: { namespace, generateName: prefix }, spec: { containers: [] } };

describe('a probe', () => {
  test('gets the first of few fixed names that is free, and leaves the pods of others alone', async () => {
    const cluster = new FakeCluster();
    const first = await createProbe(cluster, pod);
    expect(await createProbe(cluster, pod)).toBe(`${prefix}2`);
    cluster.remove('pods', first, namespace);
    expect(await createProbe(cluster, pod)).toBe(first);
    expect(probeNames(prefix)).toEqual(expect.arrayContaining([first, `${prefix}2`]));
    expect(cluster.writes.filter((write) => !write.startsWith('create '))).toEqual([]);
  });

  test('of which no name is free is not made, and the user is told why', async () => {
    const cluster = new FakeCluster();
    for (const name of probeNames(prefix)) expect(await createProbe(cluster, pod)).toBe(name);
    const error = await thrownBy(() => createProbe(cluster, pod));
    expect([error.code, error.message]).toEqual(['probes-at-work', expect.stringContaining('other runs are at work')]);
  });

  test('that the API server refuses for another reason is tried once', async () => {
    const cluster = new FakeCluster().refuse('create', 'pods', 403, 'pods is forbidden');
    expect((await thrownBy(() => createProbe(cluster, pod))).code).toBe('forbidden');
    expect(cluster.writes).toHaveLength(1);
  });
});
