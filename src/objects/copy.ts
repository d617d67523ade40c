import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import type { Target, Volume } from '../target/target.ts';
import type { Source } from './backup.ts';
import { ownerLabel } from './pod.ts';

/** Name of the claim whose volume is a copy, for a while. */
export function copyName({ volume }: { readonly volume: Pick<Volume, 'claimName'> }): string {
  return `${volume.claimName}-copy`;
}

/** Name of the claim that is the backup, where that is a clone or a copy. @param suffix the time, as in the names of snapshots */
export function backupClaimName({ volume }: { readonly volume: Pick<Volume, 'claimName'> }, suffix: string): string {
  return `${volume.claimName}-before-upgrade-${suffix}`;
}

/** Annotation on the PersistentVolume of a complete copy: namespace and name of the claim that was copied. */
export const copyAnnotation = 'circleci-server-postgresql-upgrade/copy-of';

/** Its value on a copy of the server's volume. */
export function copyOf({ namespace, volume }: Pick<Target, 'namespace' | 'volume'>): string {
  return `${namespace}/${volume.claimName}`;
}

/** Whether a PersistentVolume holds a complete copy of the server's volume, and belongs to this claim. @param claim its UID */
export function holdsCopy(
  target: Pick<Target, 'namespace' | 'volume'>,
  volume: V1PersistentVolume | undefined,
  claim: string | undefined,
): boolean {
  if (claim === undefined || volume?.spec?.claimRef?.uid !== claim) return false;
  return volume.metadata?.annotations?.[copyAnnotation] === copyOf(target);
}

/** Annotation on the PersistentVolume that the server had before a restore: what replaced it. A volume that a person exchanged has none. */
export const replacedAnnotation = 'circleci-server-postgresql-upgrade/replaced-by';

/**
 * Its value: the UID of the claim that had the former volume, and the name of the volume that replaced it. A claim that gets the former volume later has another UID.
 * @param volume name of the server's PersistentVolume
 */
export function replacedBy({ spec }: V1PersistentVolume, volume: string): string {
  return `${spec?.claimRef?.uid ?? ''}/${volume}`;
}

/**
 * Whether a claim is a backup of the server's volume, or was to become one: by its name and its source, which nobody can change later. A clone has the server's claim as its
 * source, and a copy has none. Whether a copy is complete, only its PersistentVolume tells.
 */
export function isBackupClaim(
  { volume: { claimName } }: { readonly volume: Pick<Volume, 'claimName'> },
  { metadata, spec }: V1PersistentVolumeClaim,
): boolean {
  const prefix = backupClaimName({ volume: { claimName } }, '');
  const { name = '' } = metadata ?? {};
  const isNamed = name.startsWith(prefix) && /^\d{14}$/.test(name.slice(prefix.length));
  const { dataSource: source, dataSourceRef } = spec ?? {};
  const isClone = source?.kind === 'PersistentVolumeClaim' && source.name === claimName;
  return isNamed && (isClone || (source === undefined && dataSourceRef === undefined));
}

/**
 * A claim for a volume like the server's.
 * @param source what the storage fills it from; undefined where a Job of ours fills it
 */
export function copyClaim(target: Target, name: string, source: Source | undefined): V1PersistentVolumeClaim {
  const { claim, persistentVolume } = target.volume;
  const { resources } = claim.spec ?? {};
  // A volume may be larger than its claim asks for, and a copy can't be smaller than its source.
  const storage = persistentVolume?.spec?.capacity?.['storage'] ?? resources?.requests?.['storage'] ?? '';
  return {
    metadata: { name, namespace: target.namespace, labels: { ...ownerLabel } },
    spec: {
      ...kindOfVolume(claim),
      resources: { requests: { storage } },
      ...(source === undefined ? {} : { dataSource: dataSource(source) }),
    },
  };
}

function dataSource(source: Source) {
  return source.kind === 'VolumeSnapshot' ? { ...source, apiGroup: 'snapshot.storage.k8s.io' } : source;
}

/** What makes a claim's volume the kind of volume that it is. */
export function kindOfVolume({ spec }: V1PersistentVolumeClaim): NonNullable<V1PersistentVolumeClaim['spec']> {
  const { accessModes, storageClassName, volumeMode } = spec ?? {};
  return {
    ...(accessModes === undefined ? {} : { accessModes }),
    ...(storageClassName === undefined ? {} : { storageClassName }),
    ...(volumeMode === undefined ? {} : { volumeMode }),
  };
}
