// Which objects an upgrade of this action has made, by what others can't change. Names and labels in the namespace alone prove nothing.
import type { V1Job, V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { fieldManager } from '../common/field-manager.ts';
import { counterOf } from '../journal/counter.ts';
import { anchorName, isOurAnchor } from '../objects/anchor.ts';
import { holdsCopy, isBackupClaim, replacedAnnotation, replacedBy } from '../objects/copy.ts';
import { copyJobName } from '../objects/copy-job.ts';
import { isOurJob } from '../objects/ours.ts';
import { bootJobName, jobName, revertJobName } from '../objects/upgrade-job.ts';
import type { ResourceTypes, VolumeSnapshot } from '../ports/cluster.ts';
import type { Target } from '../target/target.ts';
import { isOlder } from '../storage/given-volume.ts';
import type { History } from './facts.ts';

const jobNames: readonly string[] = [jobName, revertJobName, bootJobName, copyJobName];

/** Whether a Job has a name that Jobs of this action have, whoever made it. */
export function hasJobName({ metadata }: V1Job): boolean {
  return [...jobNames, anchorName].includes(metadata?.name ?? '');
}

/** Whether this action made a Job: by its containers. */
export function isJobOfUpgrade(job: V1Job): boolean {
  return hasJobName(job) && (job.metadata?.name === anchorName ? isOurAnchor(job) : isOurJob(job));
}

export function isAtWork({ status }: V1Job): boolean {
  return (status?.active ?? 0) + (status?.terminating ?? 0) > 0;
}

/**
 * Whether a claim is a backup that this action made of the server's volume: a clone by its source, a complete copy by what its PersistentVolume says.
 * @param volume the PersistentVolume that the claim names
 */
export function isWholeBackup(
  target: Target,
  claim: V1PersistentVolumeClaim,
  volume: V1PersistentVolume | undefined,
): boolean {
  if (!isBackupClaim(target, claim)) return false;
  if (claim.spec?.dataSource !== undefined) return volume !== undefined && !isOlder(volume, claim);
  return holdsCopy(target, volume, claim.metadata?.uid);
}

/** Whether a PersistentVolume is one that an earlier claim of the server's name had. A person may have kept it too. */
export function hadServersClaim(
  { namespace, volume }: Target,
  { metadata, spec, status }: V1PersistentVolume,
): boolean {
  const { namespace: of, name, uid } = spec?.claimRef ?? {};
  return (
    of === namespace &&
    name === volume.claimName &&
    uid !== undefined &&
    uid !== volume.claim.metadata?.uid &&
    metadata?.name !== volume.persistentVolume?.metadata?.name &&
    status?.phase === 'Released'
  );
}

const unknownStorage = 'it is not known whether another PersistentVolume stands for the same storage';

/**
 * Why such a volume can't be taken for one that the server had before a restore by this action; undefined where it can. A restore marks it with what replaced it. It counts its
 * journal on both volumes, and goes on counting on the new one. Rights in the namespace alone are not enough to write either. Another PersistentVolume may stand for the same
 * storage.
 * @param all the volumes of the cluster
 */
export function whyNotFormer(
  { volume }: Target,
  former: V1PersistentVolume,
  all: readonly V1PersistentVolume[],
): string | undefined {
  const [then, now] = [counterOf(former), counterOf(volume.persistentVolume)];
  const mark = replacedBy(former, volume.persistentVolume?.metadata?.name ?? '');
  const isReplaced = former.metadata?.annotations?.[replacedAnnotation] === mark;
  // A restore leaves both with the same number, and so would somebody who took the former one back. Only an upgrade since then counts on, whoever exchanged the volumes.
  if (!isReplaced || then === 0 || now <= then)
    return 'no restore by this action, with an upgrade after it, is known to have left it';
  if (storageOf(former) === undefined) return unknownStorage;
  return whyShared(former, all);
}

/** Which other PersistentVolume stands for the storage of this one, or that this can't be told; undefined where none does. */
export function whyShared(
  volume: Pick<V1PersistentVolume, 'metadata' | 'spec'>,
  all: readonly V1PersistentVolume[],
): string | undefined {
  const storage = storageOf(volume) ?? placeOf(volume);
  if (storage === undefined) return unknownStorage;
  const same = all
    .filter(({ metadata }) => metadata?.name !== volume.metadata?.name)
    .find((other) => [storageOf(other), placeOf(other)].includes(storage));
  return same && `PersistentVolume ${same.metadata?.name ?? ''} stands for the same storage`;
}

/** Where the storage is, of a volume without a CSI driver. Its node does not count: volumes may name one node in several ways, or not at all. */
function placeOf({ spec }: Pick<V1PersistentVolume, 'spec'>): string | undefined {
  const { nfs, hostPath, local } = spec ?? {};
  if (nfs !== undefined) return JSON.stringify(['nfs', nfs.server, trimmed(nfs.path)]);
  const path = hostPath?.path ?? local?.path;
  return path === undefined ? undefined : JSON.stringify(['path', trimmed(path)]);
}

const trimmed = (path: string) => path.replace(/\/+$/, '');

function storageOf({ spec }: Pick<V1PersistentVolume, 'spec'>): string | undefined {
  const { driver, volumeHandle } = spec?.csi ?? {};
  return driver === undefined || volumeHandle === undefined ? undefined : JSON.stringify([driver, volumeHandle]);
}

/** Whether a content stands for this very snapshot in the storage. */
export function isContentOf(
  { metadata }: VolumeSnapshot,
  { spec }: ResourceTypes['volumesnapshotcontents'],
  namespace: string,
): boolean {
  const { name, namespace: of, uid } = spec.volumeSnapshotRef ?? {};
  return name === metadata.name && of === namespace && uid === metadata.uid;
}

const policyField = 'f:persistentVolumeReclaimPolicy';

/**
 * Whether it was an upgrade that left the server's volume at Retain. The journal says that it was not so before. Whoever has set it since is in `managedFields`, from which an
 * upgrade removes its own entries.
 */
export function isRetainOfUpgrade({ volume }: Target, history: History): boolean {
  const { metadata, spec } = volume.persistentVolume ?? {};
  // Its Retain is what keeps the data then.
  if (volume.claim.metadata?.deletionTimestamp !== undefined) return false;
  const isSetByOthers = (metadata?.managedFields ?? []).some(
    ({ manager, fieldsV1 }) => manager !== fieldManager && JSON.stringify(fieldsV1 ?? {}).includes(policyField),
  );
  return (
    history.outcome === 'upgraded' &&
    metadata?.name === history.volume &&
    spec?.persistentVolumeReclaimPolicy === 'Retain' &&
    history.reclaimPolicy === 'Delete' &&
    !isSetByOthers
  );
}
