// Kubernetes gives a claim a free volume of its class that exists already, also where the claim asks for a copy of a snapshot or of a claim. Then nobody has copied anything, and
// what is on the volume is somebody else's. Seen with Kubernetes 1.34.
// Decision: docs/decisions/0005-backup.md
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { clockSkew } from '../ports/clock.ts';
import type { ClusterReader } from '../ports/cluster.ts';
import type { StorageContext } from './context.ts';

/** The volume that a claim was given, if it is older than the claim: then the storage did not make it for the claim. */
export async function givenVolume(
  cluster: ClusterReader,
  claim: V1PersistentVolumeClaim,
): Promise<V1PersistentVolume | undefined> {
  const name = claim.spec?.volumeName;
  const volume = name === undefined ? undefined : await cluster.find('persistentvolumes', name);
  return volume !== undefined && isOlder(volume, claim) ? volume : undefined;
}

/** Whether the volume existed before its claim. A provisioner names what it makes after the claim, whatever the clocks say. */
export function isOlder(volume: V1PersistentVolume, claim: V1PersistentVolumeClaim): boolean {
  const { uid } = claim.metadata ?? {};
  if (uid !== undefined && volume.metadata?.name?.endsWith(uid) === true) return false;
  const [made, asked] = [volume, claim].map(({ metadata }) => metadata?.creationTimestamp);
  return made !== undefined && asked !== undefined && new Date(made).getTime() < new Date(asked).getTime() - clockSkew;
}

/** Sets what happens to the volume of a claim when the claim is deleted, while it is that claim's. */
export async function setPolicyOfClaims(
  { cluster, target }: Pick<StorageContext, 'cluster' | 'target'>,
  { metadata, spec }: V1PersistentVolume,
  claim: V1PersistentVolumeClaim,
  policy: 'Retain' | 'Delete',
): Promise<void> {
  if (spec?.persistentVolumeReclaimPolicy === policy) return;
  await cluster.patch('persistentvolumes', metadata?.name ?? '', target.namespace, [
    { op: 'test', path: '/metadata/uid', value: metadata?.uid },
    { op: 'test', path: '/spec/claimRef/uid', value: claim.metadata?.uid },
    { op: 'add', path: '/spec/persistentVolumeReclaimPolicy', value: policy },
  ]);
}

/** What is wrong with such a volume. */
export function noCopy(claim: string, volume: string): string {
  return `Kubernetes gave PersistentVolumeClaim ${claim} the free PersistentVolume ${volume}, which existed before and is no copy of the server's volume.`;
}
