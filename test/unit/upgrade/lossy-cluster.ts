import { connectionError } from '../../../src/adapters/api-error.ts';
import type { AnyCluster } from '../any-cluster.ts';
import type { FakeCluster } from '../fake-cluster.ts';

const reads = ['version', 'now', 'find', 'list', 'podLog', 'watchPod', 'exec'] as const;

/**
 * The cluster over a network that loses the answer to one of the writes. As the
 * adapter does it, a patch and a deletion are then sent once more, and a creation is not.
 */
export function losingAnswer(cluster: FakeCluster, at: number): { cluster: AnyCluster; writes: string[] } {
  const writes: string[] = [];
  const isIt = (method: string, given: readonly unknown[]) =>
    writes.push(`${method} ${JSON.stringify(given).slice(0, 200)}`) === at;
  const lossy = {
    ...Object.fromEntries(reads.map((name) => [name, (cluster[name] as () => unknown).bind(cluster)])),
    address: cluster.address,
    interruptedBy: () => lossy,
    async create(...given: Parameters<AnyCluster['create']>) {
      const isLost = isIt('create', given);
      const made = await cluster.create(...given);
      if (!isLost) return made;
      throw connectionError('create it', cluster.address, new Error('socket hang up'));
    },
    async patch(...[resource, name, namespace, operations]: Parameters<AnyCluster['patch']>) {
      const patch = () => cluster.patch(resource, name, namespace, operations);
      if (isIt('patch', [resource, name, operations])) await patch();
      return await patch();
    },
    async delete(...given: Parameters<AnyCluster['delete']>) {
      if (isIt('delete', given)) await cluster.delete(...given);
      await cluster.delete(...given);
    },
  } as unknown as AnyCluster;
  return { cluster: lossy, writes };
}
