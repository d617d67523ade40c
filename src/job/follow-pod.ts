import type { V1Pod } from '@kubernetes/client-node';

/** Why a container waits, when it is a reason that does not pass by itself soon. */
const hopeless = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'ErrImageNeverPull',
]);

export type PodProgress =
  | { readonly state: 'waiting'; readonly reason: string }
  | { readonly state: 'running' }
  | { readonly state: 'stuck'; readonly reason: string }
  | {
      readonly state: 'ended';
      readonly exitCode: number;
      readonly reason: string;
      readonly terminationMessage: string | undefined;
    };

/** What the status of a pod with one container of interest says. */
export function podProgress(pod: V1Pod, container: string): PodProgress {
  const status = pod.status?.containerStatuses?.find((c) => c.name === container);
  const ended = status?.state?.terminated;
  if (ended !== undefined)
    return { state: 'ended', exitCode: ended.exitCode, reason: ended.reason ?? '', terminationMessage: ended.message };
  if (pod.status?.phase === 'Failed')
    return {
      state: 'ended',
      exitCode: -1,
      reason: [pod.status.reason, pod.status.message].filter(Boolean).join(': '),
      terminationMessage: undefined,
    };
  if (status?.state?.running !== undefined) return { state: 'running' };
  const waiting = status?.state?.waiting;
  const scheduling = pod.status?.conditions?.find((c) => c.type === 'PodScheduled' && c.status === 'False');
  const reason = [
    waiting?.reason ?? scheduling?.reason ?? pod.status?.phase ?? 'Pending',
    waiting?.message ?? scheduling?.message,
  ]
    .filter(Boolean)
    .join(': ');
  return hopeless.has(waiting?.reason ?? '') ? { state: 'stuck', reason } : { state: 'waiting', reason };
}

/** Whether the container was ever made. One that never was may be told as ended too, when its pod is deleted. */
export function wasCreated(pod: V1Pod, container: string): boolean {
  const status = pod.status?.containerStatuses?.find((c) => c.name === container);
  return (status?.containerID ?? '') !== '';
}
