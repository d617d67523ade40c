import type { AnyCluster } from '../any-cluster.ts';
import type { FakeCluster } from '../fake-cluster.ts';

/** What a process that was killed would never have seen. */
export class Killed extends Error {}

const calls = [
  'version',
  'serves',
  'now',
  'find',
  'list',
  'create',
  'patch',
  'delete',
  'podLog',
  'watchPod',
  'exec',
] as const;

/**
 * The cluster as a process sees it that is killed at a call: its last one has
 * its effect or not, but no answer, and none comes after it.
 */
export function dyingAt(
  cluster: FakeCluster,
  last: number,
  hasEffect: boolean,
): { cluster: AnyCluster; count: () => number } {
  let count = 0;
  const mortal = Object.fromEntries(
    calls.map((name) => [
      name,
      async (...given: never[]) => {
        const isLast = ++count === last;
        const call = (cluster[name] as (...parameters: never[]) => Promise<unknown>).bind(cluster);
        if (count < last) return await call(...given);
        if (isLast && hasEffect) await call(...given);
        throw new Killed('killed');
      },
    ]),
  ) as unknown as AnyCluster;
  Object.assign(mortal, { address: cluster.address, weaknesses: cluster.weaknesses, interruptedBy: () => mortal });
  return { cluster: mortal, count: () => count };
}
