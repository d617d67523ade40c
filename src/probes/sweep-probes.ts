import type { V1Pod } from '@kubernetes/client-node';
import { CancelledError, describe } from '../common/errors.ts';
import type { UnleasedCluster } from '../ports/cluster.ts';
import type { Deps } from '../ports/context.ts';
import { isOurProbe } from '../objects/ours.ts';
import { ownerLabel } from '../objects/pod.ts';
import { probeLabel } from './probe.ts';

/** Milliseconds after which no run waits for the log of a probe any more. */
const logWait = 60_000;

/**
 * Removes the probes of killed runs: pods that ended some time ago. A pod that still runs may belong to a running run, and ends
 * at its deadline. A label alone makes no pod a probe. A failure is only logged.
 */
export async function sweepProbes(
  { cluster, log }: Pick<Deps<UnleasedCluster>, 'cluster' | 'log'>,
  namespace: string,
): Promise<void> {
  const labelSelector = Object.entries({ ...ownerLabel, ...probeLabel })
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  try {
    const ended = (await cluster.list('pods', { namespace, labelSelector })).filter(
      (pod) => isOurProbe(pod) && hasEnded(pod),
    );
    if (ended.length === 0) return;
    const now = (await cluster.now()).getTime();
    for (const { metadata } of ended.filter((pod) => now - endOf(pod) > logWait)) {
      const name = metadata?.name ?? '';
      await cluster.delete('pods', name, namespace, { preconditions: { uid: metadata?.uid } });
      log.info(`Removed pod ${name}, which a killed run had left`);
    }
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    log.info(`Could not look for probes of earlier runs: ${describe(error)}`);
  }
}

function hasEnded({ status }: V1Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** Milliseconds since 1970; for a pod without an end in its status, when it was made. */
function endOf({ metadata, status }: V1Pod): number {
  const ends = (status?.containerStatuses ?? []).flatMap(({ state }) => state?.terminated?.finishedAt ?? []);
  const times = ends.length > 0 ? ends : [metadata?.creationTimestamp ?? 0];
  return Math.max(...times.map((time) => new Date(time).getTime()));
}
