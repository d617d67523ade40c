import type { V1Pod } from '@kubernetes/client-node';
import { CancelledError, describe } from '../common/errors.ts';
import type { UnleasedCluster } from '../ports/cluster.ts';
import type { Deps } from '../ports/context.ts';
import { isOurProbe } from '../objects/ours.ts';
import { ownerLabel } from '../objects/pod.ts';
import { probeLabel } from './probe.ts';

/** Milliseconds after which nobody waits for the log of a probe any more. */
const longEnough = 60_000;

/**
 * Removes the probes of runs that were killed: pods which have ended by themselves, a while ago. One that still runs may be of
 * a run that lives; it ends at its deadline. A label alone makes no pod a probe. What can't be removed is only told.
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
    for (const { metadata } of ended.filter((pod) => now - endOf(pod) > longEnough)) {
      const name = metadata?.name ?? '';
      await cluster.delete('pods', name, namespace, { preconditions: { uid: metadata?.uid } });
      log.info(`Pod ${name} was left by a run that was killed; it is removed`);
    }
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    log.info(`Probes of earlier runs could not be looked for: ${describe(error)}`);
  }
}

function hasEnded({ status }: V1Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** Milliseconds since 1970; of a pod that tells no end, when it was made. */
function endOf({ metadata, status }: V1Pod): number {
  const ends = (status?.containerStatuses ?? []).flatMap(({ state }) => state?.terminated?.finishedAt ?? []);
  const times = ends.length > 0 ? ends : [metadata?.creationTimestamp ?? 0];
  return Math.max(...times.map((time) => new Date(time).getTime()));
}
