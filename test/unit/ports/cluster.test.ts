import { expect, test } from '@jest/globals';
import { withoutLease, type Cluster, type LeasedCluster, type UnleasedCluster } from '../../../src/ports/cluster.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { configMap, namespace } from '../objects.ts';

test('without the Lease nothing can be changed, and a dry run keeps nothing', async () => {
  const connection = new FakeCluster();
  const cluster = withoutLease(connection);
  expect(Object.keys(cluster)).not.toContain('patch');
  await cluster.dryRun('configmaps', configMap('tried', {}), namespace);
  expect(connection.peek('configmaps', 'tried', namespace)).toBeUndefined();
  await cluster.create('pods', { metadata: { name: 'probe' } }, { namespace });
  expect(connection.peek('pods', 'probe', namespace)).toBeDefined();
  await cluster.interruptedBy(new AbortController().signal).delete('pods', 'probe', namespace);
  expect(connection.peek('pods', 'probe', namespace)).toBeUndefined();
});

// What follows is held by tsc: each line marked so must not compile.
test('neither cluster passes for the other, and the connection for none of them', () => {
  const forbidden = (connection: Cluster, leased: LeasedCluster, unleased: UnleasedCluster): unknown[] => {
    // @ts-expect-error a run without the Lease changes nothing of the server's
    const one: LeasedCluster = unleased;
    // @ts-expect-error what a run with the Lease does is tied to it
    const two: UnleasedCluster = leased;
    // @ts-expect-error the connection knows nothing of the Lease
    const three: LeasedCluster = connection;
    // @ts-expect-error the connection may change everything
    const four: UnleasedCluster = connection;
    // @ts-expect-error it makes nothing that stays
    void unleased.create('configmaps', configMap('x', {}), { namespace });
    // @ts-expect-error it deletes nothing but pods
    void unleased.delete('statefulsets', 'postgresql', namespace);
    return [one, two, three, four];
  };
  expect(forbidden).toBeInstanceOf(Function);
});
