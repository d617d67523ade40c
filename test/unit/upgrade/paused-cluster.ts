import type { AnyCluster } from '../any-cluster.ts';
import type { FakeCluster } from '../fake-cluster.ts';

const calls = ['version', 'now', 'find', 'list', 'create', 'patch', 'delete', 'podLog', 'watchPod', 'exec'] as const;

/**
 * The cluster as a process sees it that is paused at one of its calls: before
 * it has its effect, or before its answer is read; `meanwhile` happens then.
 * What carries no precondition comes right after a renewal of the Lease, and no
 * pause lets another run in between the two unless it is longer than the
 * Lease's duration: that one is not tried.
 */
export function pausedAt(
  cluster: FakeCluster,
  at: number,
  when: 'before' | 'after',
  meanwhile: () => Promise<void>,
): { cluster: AnyCluster; made: string[] } {
  const made: string[] = [];
  let pause: Promise<void> | undefined;
  const sleep = async () => {
    // What is under way in parallel comes to its end or to its next call.
    pause = new Promise((resolve) => setImmediate(resolve)).then(meanwhile);
    await pause;
  };
  const sleepy = Object.fromEntries(
    calls.map((name) => [
      name,
      async (...given: unknown[]) => {
        const isIt = made.push(`${name} ${JSON.stringify(given).slice(0, 200)}`) === at;
        const call = (cluster[name] as (...parameters: unknown[]) => Promise<unknown>).bind(cluster);
        const isUnconditional = name === 'create' || name === 'exec';
        if (!isUnconditional) await pause;
        if (!isIt) return await call(...given);
        if (when === 'before' && !isUnconditional) await sleep();
        const answer = call(...given);
        await answer.catch(() => undefined);
        if (when === 'after' || isUnconditional) await sleep();
        return await answer;
      },
    ]),
  ) as unknown as AnyCluster;
  Object.assign(sleepy, { address: cluster.address, interruptedBy: () => sleepy });
  return { cluster: sleepy, made };
}
