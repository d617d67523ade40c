import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';

/** Reasons for which a container waits, and that do not pass by themselves soon. */
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
      /** The container that ended: an init container that failed keeps the container of interest from ever running. */
      readonly container: string;
    };

/** What the status of a pod with one container of interest says. */
export function podProgress(pod: V1Pod, container: string): PodProgress {
  const own = pod.status?.containerStatuses?.find((c) => c.name === container);
  const before = earlier(pod, own);
  if (before?.state?.running !== undefined) return { state: 'waiting', reason: `container ${before.name} runs` };
  const status = before ?? own;
  const ended = status?.state?.terminated;
  if (ended !== undefined)
    return {
      state: 'ended',
      exitCode: ended.exitCode,
      reason: ended.reason ?? '',
      terminationMessage: ended.message,
      container: status?.name ?? container,
    };
  if (pod.status?.phase === 'Failed')
    return {
      state: 'ended',
      exitCode: -1,
      reason: [pod.status.reason, pod.status.message].filter(Boolean).join(': '),
      terminationMessage: undefined,
      container,
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

/** The init container that the pod is at, or that failed; undefined when the container of interest has had its turn. */
function earlier(pod: V1Pod, own: V1ContainerStatus | undefined): V1ContainerStatus | undefined {
  if (own?.state?.terminated !== undefined || own?.state?.running !== undefined) return undefined;
  return pod.status?.initContainerStatuses?.find(({ state }) => state?.terminated?.exitCode !== 0);
}

/**
 * Whether the node of a container that ran has stopped reporting: the node controller then takes the pod's readiness
 * away, although all its containers were ready at their last report. Whether they still run is unknown.
 */
export function isSilent(pod: V1Pod, container: string): boolean {
  const status = (type: string) => pod.status?.conditions?.find((c) => c.type === type)?.status;
  const ran = podProgress(pod, container).state === 'running' && status('ContainersReady') === 'True';
  return ran && status('Ready') !== 'True';
}

/** Who in the cluster ended a pod from outside, and on which node: a drain, a preemption, a taint. */
export function disruptionOf(pod: V1Pod): string | undefined {
  const condition = pod.status?.conditions?.find((c) => c.type === 'DisruptionTarget' && c.status === 'True');
  if (condition === undefined) return undefined;
  const why = [condition.reason, condition.message].filter(Boolean).join(': ');
  return `node ${pod.spec?.nodeName ?? '?'}, ${why}`;
}
