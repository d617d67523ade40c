import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { ClusterError } from '../../common/errors.ts';
import type { ClusterReader, VolumeSnapshot } from '../../ports/cluster.ts';
import type { Target } from '../../target/target.ts';
import { copyable } from '../../text/commands.ts';
import { shell } from '../../text/shell.ts';
import { backupName, type Backup } from '../../objects/backup.ts';
import { isBackupClaim } from '../../objects/copy.ts';
import { isOfVolume } from '../../objects/snapshot.ts';
import { givenVolume } from '../../storage/given-volume.ts';
import { isCompleteCopy } from './complete-copy.ts';

/** A backup as the cluster shows it. */
export interface FoundBackup {
  readonly backup: Backup;
  /** VolumeSnapshotClass; '' for a claim, and where the snapshot names none. */
  readonly class: string;
  readonly madeAt: string;
  /** Whether it can be restored now. */
  readonly isReady: boolean;
}

/**
 * The backup of the server's volume that has this name: a VolumeSnapshot, a clone, or a copy. Its name and its source, which nobody can change later, show that this action
 * made it; of a copy its PersistentVolume shows it. No label is needed: whoever removed the label would otherwise prevent the restore.
 * @returns `foreign` for an object that is no backup by this action, undefined where there is none
 */
export async function findBackup(
  cluster: ClusterReader,
  target: Target,
  name: string,
): Promise<FoundBackup | 'foreign' | undefined> {
  const { namespace } = target;
  const snapshot = await cluster.find('volumesnapshots', name, namespace);
  if (snapshot !== undefined) {
    return isOfVolume(target, snapshot, 'before-upgrade') ? ofSnapshot(snapshot) : 'foreign';
  }
  const claim = await cluster.find('persistentvolumeclaims', name, namespace);
  if (claim === undefined) return undefined;
  return (await ofClaim(cluster, target, claim)) ?? 'foreign';
}

/**
 * All backups of the server's volume that this action has made, by the same test as `findBackup`, the newest first.
 * @throws ClusterError
 */
async function listBackups(cluster: ClusterReader, target: Target): Promise<FoundBackup[]> {
  const { namespace } = target;
  const [snapshots, claims] = await Promise.all([
    cluster.serves('volumesnapshots').then((is) => (is ? cluster.list('volumesnapshots', { namespace }) : [])),
    cluster.list('persistentvolumeclaims', { namespace }),
  ]);
  const found = [
    ...snapshots.filter((snapshot) => isOfVolume(target, snapshot, 'before-upgrade')).map(ofSnapshot),
    ...(await Promise.all(claims.map((claim) => ofClaim(cluster, target, claim)))).flatMap((claim) => claim ?? []),
  ];
  // The name ends with the time.
  return found.sort((a, b) => (a.backup.name < b.backup.name ? 1 : -1));
}

const unknownTime = 'an unknown time';

function ofSnapshot({ metadata, spec, status }: VolumeSnapshot): FoundBackup {
  return {
    backup: { kind: 'snapshot', name: metadata.name },
    class: spec.volumeSnapshotClassName ?? '',
    madeAt: status?.creationTime ?? unknownTime,
    isReady: status?.readyToUse === true,
  };
}

/** The backup that is a claim: a clone, or a complete copy; undefined for any other claim. */
async function ofClaim(
  cluster: ClusterReader,
  target: Target,
  claim: V1PersistentVolumeClaim,
): Promise<FoundBackup | undefined> {
  const { metadata, spec, status } = claim;
  if (!isBackupClaim(target, claim)) return undefined;
  const isClone = spec?.dataSource !== undefined;
  if (isClone ? (await givenVolume(cluster, claim)) !== undefined : !(await isCompleteCopy(cluster, target, claim)))
    return undefined;
  const made = metadata?.creationTimestamp;
  return {
    backup: { kind: isClone ? 'clone' : 'copy', name: metadata?.name ?? '' },
    class: '',
    madeAt: made === undefined ? unknownTime : new Date(made).toISOString(),
    isReady: status?.phase === 'Bound',
  };
}

/**
 * Which backups this action has made of the server's volume, and how a person names one of them. If they can't be listed, the command that lists them.
 * @param confirm value of the input, with NAME where the name is to be
 */
export async function howToName(cluster: ClusterReader, target: Target, confirm: string): Promise<string> {
  const { namespace, volume } = target;
  const how = `To restore one of them, run "mode: rollback" with "confirm: ${confirm}", with its name instead of NAME.`;
  try {
    const found = await listBackups(cluster, target);
    if (found.length === 0) return `No backup by this action of PersistentVolumeClaim ${volume.claimName} exists.`;
    const lines = found.map(
      ({ backup, madeAt, isReady }) => `${backupName(backup)}, made at ${madeAt}, ${isReady ? 'ready' : 'not ready'}`,
    );
    return `Backups by this action of PersistentVolumeClaim ${volume.claimName}: ${lines.join('; ')}. ${how}`;
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    const list = shell`kubectl -n ${namespace} get volumesnapshots,persistentvolumeclaims`;
    return `The names of backups by this action begin with ${volume.claimName}-before-upgrade-. List them: ${copyable(list)}. ${how}`;
  }
}
