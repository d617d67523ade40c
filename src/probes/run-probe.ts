import { CancelledError, ClusterError, describe } from '../common/errors.ts';
import type { UnleasedCluster } from '../ports/cluster.ts';
import type { Deps } from '../ports/context.ts';
import type { V1Pod } from '@kubernetes/client-node';
import { waitFor } from '../ports/wait.ts';
import { podProgress } from '../job/follow-pod.ts';
import { probeContainer } from './probe.ts';
import { createProbe } from '../objects/probe-names.ts';
import { unusableImage } from './server-pulls.ts';

/**
 * Runs a probe pod to its end, and removes it whatever happens.
 * @param limit milliseconds for its image to be pulled and for it to end
 * @param title of what the pod does, for people
 * @param parse reads its log and the pod as it ended; undefined when the log is not complete
 * @throws ClusterError when it can't run or does not finish
 */
export async function runProbe<T>(
  { cluster, clock, log, signal }: Deps<UnleasedCluster>,
  pod: V1Pod,
  limit: number,
  title: string,
  parse: (log: string, pod: V1Pod | undefined) => T | undefined,
): Promise<T> {
  const namespace = pod.metadata?.namespace ?? '';
  const image = pod.spec?.containers[0]?.image ?? '';
  const name = await createProbe(cluster, pod);
  const remove = async () => {
    try {
      await cluster.delete('pods', name, namespace);
    } catch (error) {
      log.annotate(
        'warning',
        'probe',
        `Pod ${name} could not be removed: ${describe(error)}. It ends by itself at its deadline.`,
      );
    }
  };
  let last: V1Pod | undefined;
  try {
    const ended = await waitFor(
      {
        what: `the ${title} of image ${image} (pod ${name})`,
        limit,
        limitInput: 'job-start-timeout',
        clock,
        log,
        signal,
      },
      async () => {
        const now = await cluster.find('pods', name, namespace);
        last = now;
        if (now === undefined)
          throw new ClusterError('probe-gone', `Somebody else removed pod ${name}.`, 'Run the checks again.');
        const progress = podProgress(now, probeContainer);
        if (progress.state === 'stuck') throw unusableImage(pod, image, progress.reason);
        return progress.state === 'ended'
          ? { done: progress }
          : { pending: progress.state === 'running' ? 'it runs' : progress.reason };
      },
    );
    const output = await cluster.podLog(namespace, name, ended.container).catch((error: unknown) => {
      // A pod that was evicted before it ran has no log.
      if (ended.exitCode === 0 || error instanceof CancelledError) throw error;
      return describe(error);
    });
    const facts = parse(withoutTimestamps(output), last);
    if (facts === undefined)
      throw new ClusterError(
        'probe-failed',
        `The ${title} of image ${image} ended with code ${String(ended.exitCode)} (${ended.reason}): ${withoutTimestamps(output).trim().slice(-300)}`,
        'Make sure that it is an image of PostgreSQL, then run the checks again.',
      );
    return facts;
  } finally {
    await remove();
  }
}

function withoutTimestamps(output: string): string {
  return output.replace(/^\S+ /gm, '');
}
