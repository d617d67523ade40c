import type { V1Pod } from '@kubernetes/client-node';
import { isScaled, type Workload } from './applications.ts';
import { matchesSelector } from './label-selector.ts';

/** Seconds. A pod that became ready later than this was ready before, and lost it meanwhile. */
const longest = 600;

/**
 * How long the slowest application took at its last start, until it was ready. Of several pods of a workload the quickest counts: the others may have lost their readiness since.
 * @returns seconds; undefined where no pod shows it
 */
export function slowestStart(pods: readonly V1Pod[], applications: readonly Workload[]): number | undefined {
  const starts = applications
    .filter(isScaled)
    .map(({ podSelector }) =>
      pods.filter((pod) => matchesSelector(pod.metadata?.labels ?? {}, podSelector)).flatMap(secondsToReady),
    )
    .filter((seconds) => seconds.length > 0)
    .map((seconds) => Math.min(...seconds));
  return starts.length === 0 ? undefined : Math.max(...starts);
}

/** Empty for a pod that is not ready, or whose start can't be told. */
function secondsToReady({ status }: V1Pod): number[] {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const wasRestarted = status?.containerStatuses?.some(({ restartCount }) => restartCount > 0) === true;
  if (ready?.status !== 'True' || wasRestarted || ready.lastTransitionTime === undefined) return [];
  if (status?.startTime === undefined) return [];
  const seconds = (new Date(ready.lastTransitionTime).getTime() - new Date(status.startTime).getTime()) / 1000;
  return seconds >= 0 && seconds <= longest ? [seconds] : [];
}
