import { ownerLabel } from './pod.ts';
import type { VolumeSnapshot } from '../ports/cluster.ts';
import type { Target } from '../target/target.ts';

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
 * Whether a snapshot is one that this action made of the server's volume: by its name and its source, which nobody can change any more. A label tells nothing, since others
 * may put it anywhere and take it off.
 * @param what it holds, as its name says
 */
export function isOfVolume(
  { volume: { claimName } }: Target,
  { metadata, spec }: VolumeSnapshot,
  what: string,
): boolean {
  const prefix = `${claimName}-${what}-`;
  const isNamed = metadata.name.startsWith(prefix) && /^\d{14}$/.test(metadata.name.slice(prefix.length));
  return isNamed && spec.source.persistentVolumeClaimName === claimName;
}

/** What a snapshot holds that a revert or a rollback takes of what PostgreSQL 14 had written, as its name says. */
export const servedByNew = 'of-14';

/** What snapshots hold that upgrades take, as their names say: the backup, the proof of it, and what PostgreSQL 14 had before a rollback. */
const kindsOfUpgrades = ['before-upgrade', 'live', servedByNew] as const;

/** Whether an upgrade of this action took a snapshot of the server's volume. */
export function isOfUpgrade(target: Target, snapshot: VolumeSnapshot): boolean {
  return kindsOfUpgrades.some((kind) => isOfVolume(target, snapshot, kind));
}

/** What the snapshot holds that a cleanup takes before it removes anything, as its name says. */
export const backupOfNew = 'after-upgrade';
