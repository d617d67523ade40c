// The volume of the copy, which may be none.
// Decision: docs/decisions/0034-rehearsal.md
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { known } from '../common/known.ts';
import { rehearsalName } from '../objects/rehearsal.ts';
import type { ClusterReader } from '../ports/cluster.ts';
import { isOlder, noCopy } from '../storage/given-volume.ts';
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

/** @returns why the claim has no copy; undefined where it has one */
export async function obstacleOfVolume(cluster: ClusterReader, target: OfServer): Promise<string | undefined> {
  const name = rehearsalName(target);
  const claim = await cluster.find('persistentvolumeclaims', name, target.namespace);
  const volume = claim && (await volumeOfCopy(cluster, target, claim));
  if (claim === undefined || volume === undefined) return `PersistentVolumeClaim ${name} has no volume.`;
  return isOlder(volume, claim) ? noCopy(name, volume.metadata?.name ?? '') : undefined;
}
