// The volume of the copy. Kubernetes gives a claim a free volume of its class that exists already, also where the claim asks for a copy of a snapshot: then the volume is somebody else's.
// Decision: docs/decisions/0034-rehearsal.md
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { known } from '../common/known.ts';
import { clockSkew } from '../job/follow-job.ts';
import { rehearsalName } from '../objects/rehearsal.ts';
import type { ClusterReader } from '../ports/cluster.ts';
import type { Target } from '../target/target.ts';

type OfServer = Pick<Target, 'namespace' | 'volume'>;

/** The volume that is bound to a claim; undefined where none is yet. */
export async function volumeOfCopy(
  cluster: ClusterReader,
  { namespace }: OfServer,
  { metadata, spec }: V1PersistentVolumeClaim,
): Promise<V1PersistentVolume | undefined> {
  const found = spec?.volumeName === undefined ? undefined : await cluster.find('persistentvolumes', spec.volumeName);
  const reference = found?.spec?.claimRef;
  return reference?.namespace === namespace && reference.uid === metadata?.uid ? found : undefined;
}

/** Annotations by which Kubernetes asks a provisioner for a volume: of a class that waits for a pod, and of one that does not. */
const selectedNode = 'volume.kubernetes.io/selected-node';
const provisioner = 'volume.kubernetes.io/storage-provisioner';

/** Whether a volume that nobody removes may still come for a claim without one, even once the claim is deleted: it is asked for, and its class retains. */
export async function mayStillCome(
  cluster: ClusterReader,
  { metadata, spec }: V1PersistentVolumeClaim,
): Promise<boolean> {
  if (spec?.volumeName !== undefined) return false;
  const { annotations = {} } = metadata ?? {};
  const { storageClassName: name } = spec ?? {};
  const found = name === undefined ? undefined : await known(() => cluster.find('storageclasses', name));
  // What is not known may retain.
  const { reclaimPolicy, volumeBindingMode } = (found?.known === true ? found.value : undefined) ?? {
    reclaimPolicy: 'Retain',
  };
  const isAsked =
    annotations[selectedNode] !== undefined ||
    (volumeBindingMode !== 'WaitForFirstConsumer' && annotations[provisioner] !== undefined);
  return isAsked && reclaimPolicy === 'Retain';
}

/** Whether the volume existed before its claim: then the storage did not make it for the claim. */
export function isOlder(volume: V1PersistentVolume, claim: V1PersistentVolumeClaim): boolean {
  const [made, asked] = [volume, claim].map(({ metadata }) => metadata?.creationTimestamp);
  return made !== undefined && asked !== undefined && new Date(made).getTime() < new Date(asked).getTime() - clockSkew;
}

/** What is wrong with a volume that is no copy. */
export function noCopy(claim: string, volume: string): string {
  return `Kubernetes gave PersistentVolumeClaim ${claim} the free PersistentVolume ${volume}, which existed before and is no copy of the server's volume.`;
}

/** @returns why the claim has no copy; undefined where it has one */
export async function obstacleOfVolume(cluster: ClusterReader, target: OfServer): Promise<string | undefined> {
  const name = rehearsalName(target);
  const claim = await cluster.find('persistentvolumeclaims', name, target.namespace);
  const volume = claim && (await volumeOfCopy(cluster, target, claim));
  if (claim === undefined || volume === undefined) return `PersistentVolumeClaim ${name} has no volume.`;
  return isOlder(volume, claim) ? noCopy(name, volume.metadata?.name ?? '') : undefined;
}
