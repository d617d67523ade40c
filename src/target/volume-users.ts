import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterReader } from '../ports/cluster.ts';
import { hasStarted } from './has-started.ts';
import type { Target } from './target.ts';

/**
 * Names of pods other than the server's own that mount its volume and have not ended.
 * @param anchor UID of the pod that keeps the volume attached and mounted; it is no user as long as no container of it that has started has the volume
 */
export async function volumeUsers(cluster: ClusterReader, target: Target, anchor?: string): Promise<string[]> {
  const pods = await cluster.list('pods', { namespace: target.namespace });
  const isAnchor = (pod: V1Pod) =>
    anchor !== undefined && pod.metadata?.uid === anchor && onlyKeepsVolume(pod, target.volume.claimName);
  return volumeUsersAmong(
    pods.filter((pod) => !isAnchor(pod)),
    target,
  );
}

/** The same of pods that have been read. */
export function volumeUsersAmong(pods: readonly V1Pod[], target: Target): string[] {
  return pods
    .filter(
      (pod) => mountsClaim(pod, target.volume.claimName) && !hasEnded(pod) && pod.metadata?.name !== target.podName,
    )
    .map((pod) => pod.metadata?.name ?? '');
}

/** Names of all pods whose volumes name a claim, whether they run or have ended. */
export async function podsNaming(cluster: ClusterReader, namespace: string, claim: string): Promise<string[]> {
  const pods = await cluster.list('pods', { namespace });
  return pods.filter((pod) => mountsClaim(pod, claim)).map((pod) => pod.metadata?.name ?? '');
}

/** Whether a volume of a pod is that of a claim. */
export function mountsClaim(pod: V1Pod, claim: string): boolean {
  return pod.spec?.volumes?.some((v) => v.persistentVolumeClaim?.claimName === claim) ?? false;
}

/** Whether a pod names a claim and none of its containers has the volume. Somebody may add an ephemeral container that has it. */
export function onlyNamesClaim({ spec }: V1Pod, claim: string): boolean {
  const { volumes = [], initContainers = [], containers = [], ephemeralContainers = [] } = spec ?? {};
  const names = volumes.filter((v) => v.persistentVolumeClaim?.claimName === claim).map(({ name }) => name);
  const had = [...initContainers, ...containers, ...ephemeralContainers].flatMap(
    ({ volumeMounts = [], volumeDevices = [] }) => [...volumeMounts, ...volumeDevices].map(({ name }) => name),
  );
  return names.length > 0 && !names.some((name) => had.includes(name));
}

/** The same, where a container that has the volume has never started: then the kubelet keeps it mounted, and no process has it. */
export function onlyKeepsVolume(pod: V1Pod, claim: string): boolean {
  const { containers = [], ...spec } = pod.spec ?? {};
  const started = pod.status?.phase === 'Pending' ? containers.filter(({ name }) => hasStarted(pod, name)) : containers;
  return onlyNamesClaim({ ...pod, spec: { ...spec, containers: started } }, claim);
}

/** Names of other containers of the server's pod that have its volume, and have not ended. */
export function volumeSharers({ pod, container, volume }: Target): string[] {
  const { volumes = [], initContainers = [], containers = [], ephemeralContainers = [] } = pod?.spec ?? {};
  const names = volumes.filter((v) => v.persistentVolumeClaim?.claimName === volume.claimName).map(({ name }) => name);
  const { initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod?.status ?? {};
  const ended = [...initContainerStatuses, ...ephemeralContainerStatuses]
    .filter(({ state }) => state?.terminated !== undefined)
    .map(({ name }) => name);
  return [...initContainers, ...containers, ...ephemeralContainers]
    .filter(({ volumeMounts = [], volumeDevices = [] }) =>
      [...volumeMounts, ...volumeDevices].some(({ name }) => names.includes(name)),
    )
    .map(({ name }) => name)
    .filter((name) => name !== container.name && !ended.includes(name));
}

function hasEnded(pod: V1Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
