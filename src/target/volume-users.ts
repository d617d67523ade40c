import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterReader } from '../ports/cluster.ts';
import type { Target } from './target.ts';

/** Names of pods other than the server's own that mount its volume and have not ended. */
export async function volumeUsers(cluster: ClusterReader, target: Target): Promise<string[]> {
  return volumeUsersAmong(await cluster.list('pods', { namespace: target.namespace }), target);
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

function hasEnded(pod: V1Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
