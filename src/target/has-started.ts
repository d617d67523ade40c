import type { V1Pod } from '@kubernetes/client-node';

/**
 * Whether the container has ever run, as far as is known. One that never has may be told as ended too, when its pod is deleted; and one that has may be told as
 * waiting, when its node has lost it.
 */
export function hasStarted(pod: V1Pod, container: string): boolean {
  const status = pod.status?.containerStatuses?.find((c) => c.name === container);
  if (status === undefined) return false;
  const { containerID = '', restartCount, state, lastState } = status;
  return (
    containerID !== '' ||
    restartCount > 0 ||
    state?.running !== undefined ||
    (state?.terminated?.startedAt ?? undefined) !== undefined ||
    lastState?.terminated !== undefined
  );
}
