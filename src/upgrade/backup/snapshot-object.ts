import { isOurs as isLabelled, ownerLabel } from '../../job/pod.ts';
import type { VolumeSnapshot } from '../../ports/cluster.ts';
import type { Target } from '../../target/target.ts';

export function snapshotName({ volume }: Target, what: string, suffix: string): string {
  return `${volume.claimName}-${what}-${suffix}`;
}

/** A VolumeSnapshot of the server's volume; its name says what it holds. */
export function snapshotObject(target: Target, what: string, suffix: string, className: string): VolumeSnapshot {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      name: snapshotName(target, what, suffix),
      namespace: target.namespace,
      labels: ownerLabel,
    },
    spec: { source: { persistentVolumeClaimName: target.volume.claimName }, volumeSnapshotClassName: className },
  };
}

/** When it was made, as a part of a name: 14 digits down to the second, UTC. */
export function suffixOf(time: Date): string {
  return time.toISOString().replace(/\D/g, '').slice(0, 14);
}

/**
 * Whether a snapshot is one that this action made of the server's volume. The label alone is no proof, since others may change labels: the name and the source, which
 * nobody can change any more, must be ours too.
 * @param what it holds, as its name says
 */
export function isOurs(target: Target, snapshot: VolumeSnapshot, what: string): boolean {
  return isLabelled(snapshot) && isOfVolume(target, snapshot, what);
}

/** The same without the label, for what is only read: others may have taken it off. */
export function isOfVolume(
  { volume: { claimName } }: Target,
  { metadata, spec }: VolumeSnapshot,
  what: string,
): boolean {
  const prefix = `${claimName}-${what}-`;
  const isNamed = metadata.name.startsWith(prefix) && /^\d{14}$/.test(metadata.name.slice(prefix.length));
  return isNamed && spec.source.persistentVolumeClaimName === claimName;
}
