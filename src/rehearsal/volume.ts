// The volume of the copy. Kubernetes gives a claim a free volume of its class that exists already, also where the claim asks for a copy of a snapshot: then the volume is somebody else's.
// Decision: docs/decisions/0034-rehearsal.md
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
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
