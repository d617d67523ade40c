import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import type { Cluster } from '../../ports/cluster.ts';
import type { Target } from '../../target/target.ts';
import { copyable } from '../../text/commands.ts';
import { shell } from '../../text/shell.ts';
import type { Backup } from '../../objects/backup.ts';
import { isOfVolume } from '../../objects/snapshot.ts';

/** A backup as the cluster shows it. */
export interface FoundBackup {
  readonly backup: Backup;
  /** VolumeSnapshotClass; '' for a clone, and where the snapshot names none. */
  readonly class: string;
  readonly madeAt: string;
}

/**
 * The backup of the server's volume that has this name: a VolumeSnapshot or a clone. That this action made it is told by its name and its source, which nobody can change
 * later. No label is asked for: whoever took that off would keep the data from being restored.
 * @returns `foreign` for an object that is no backup by this action, undefined where there is none
 */
export async function findBackup(
  cluster: Cluster,
  target: Target,
  name: string,
): Promise<FoundBackup | 'foreign' | undefined> {
  const { namespace } = target;
  const snapshot = await cluster.find('volumesnapshots', name, namespace);
  if (snapshot !== undefined) {
    if (!isOfVolume(target, snapshot, 'before-upgrade')) return 'foreign';
    const { volumeSnapshotClassName = '' } = snapshot.spec;
    return {
      backup: { kind: 'snapshot', name },
      class: volumeSnapshotClassName,
      madeAt: snapshot.status?.creationTime ?? unknownTime,
    };
  }
  const clone = await cluster.find('persistentvolumeclaims', name, namespace);
  if (clone === undefined) return undefined;
  if (!isClone(target, clone)) return 'foreign';
  const made = clone.metadata?.creationTimestamp;
  return { backup: { kind: 'clone', name }, class: '', madeAt: made?.toString() ?? unknownTime };
}

const unknownTime = 'a time that is not known';

function isClone({ volume: { claimName } }: Target, { metadata, spec }: V1PersistentVolumeClaim): boolean {
  const { name = '' } = metadata ?? {};
  const { dataSource } = spec ?? {};
  return (
    name.startsWith(`${claimName}-before-upgrade-`) &&
    /-before-upgrade-\d{14}$/.test(name) &&
    dataSource?.kind === 'PersistentVolumeClaim' &&
    dataSource.name === claimName
  );
}

/** How a person finds the backups that this action has made, and names one of them. */
export function howToName({ namespace, volume }: Target, confirm: string): string {
  const list = shell`kubectl -n ${namespace} get volumesnapshots,persistentvolumeclaims`;
  return `Backups by this action have names that begin with ${volume.claimName}-before-upgrade-: ${copyable(list)}. To restore one of them, run "mode: rollback" with "confirm: ${confirm}" and its name in the place of NAME.`;
}
