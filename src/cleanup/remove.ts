import { UpgradeError } from '../common/errors.ts';
import type { Database } from '../database/database.ts';
import type { Inputs } from '../inputs/inputs.ts';
import { isOfUpgrade, isOfVolume, servedByNew } from '../objects/snapshot.ts';
import type { LeasedCluster, ResourceName } from '../ports/cluster.ts';
import type { Deps } from '../ports/context.ts';
import { setPolicyOfClaims } from '../storage/given-volume.ts';
import { deletionPolicy } from '../storage/snapshot-content.ts';
import { storageGone } from '../storage/storage-gone.ts';
import type { Target } from '../target/target.ts';
import type { Item } from './inventory.ts';
import { readFreeBytes, removeOldFiles } from './old-files.ts';
import {
  isAtWork,
  isWholeBackup,
  isContentOf,
  hadServersClaim,
  isJobOfUpgrade,
  whyNotFormer,
  whyShared,
} from './ours.ts';

/** What a removal works with. */
export interface Removal extends Deps<LeasedCluster> {
  readonly database: Database<LeasedCluster>;
  readonly target: Target;
  readonly inputs: Inputs;
  /** Called for each item that was seen to be gone. */
  readonly onRemoved: (item: Item) => void;
  /** Called with how many bytes more the server's volume has free. */
  readonly onFreed: (bytes: number) => void;
  /**
   * Looks again whether each condition is met.
   * @returns what a cleanup would remove that begins now
   * @throws UpgradeError `cleanup-stopped` where one is not
   */
  readonly lookAgain: () => Promise<readonly Item[]>;
}

/**
 * Removes what the inventory lists, each after another look at it. It may be repeated after an interruption anywhere: what is gone is no error.
 * Decision: docs/decisions/0032-cleanup.md
 * @throws UpgradeError `cleanup-changed` for an object that is not the one which was listed, `cleanup-incomplete` for a directory that stays; WaitError
 */
export async function removeItems(context: Removal, items: readonly Item[]): Promise<void> {
  const { log } = context;
  const directories = items.filter(({ kind }) => kind === 'Directory');
  if (directories.length > 0) {
    await removeDirectories(context, directories);
    await context.lookAgain();
  }
  for (const item of items) {
    if (item.kind === 'Directory') continue;
    await expectListed(context, item);
    await removals[item.kind](context, item);
    log.info(
      item.kind === 'ReclaimPolicy'
        ? `PersistentVolume ${item.name}: ${item.why}`
        : `Removed ${item.kind} ${item.name}`,
    );
    context.onRemoved(item);
  }
}

/** What holds data, or keeps it, or tells of it, and what it is in the API. */
const lasting = {
  PersistentVolumeClaim: 'persistentvolumeclaims',
  VolumeSnapshot: 'volumesnapshots',
  PersistentVolume: 'persistentvolumes',
  ReclaimPolicy: 'persistentvolumes',
  ConfigMap: 'configmaps',
} as const satisfies Partial<Record<Kind, ResourceName>>;

const isLasting = (kind: Item['kind']): kind is keyof typeof lasting => kind in lasting;

/** Removals take their time, and the storage too: what was so when it was listed may be otherwise by now. */
async function expectListed(context: Removal, item: Item): Promise<void> {
  const { cluster, target, lookAgain } = context;
  const { kind, name, id } = item;
  if (!isLasting(kind)) return;
  const isListed = (await lookAgain()).some((now) => now.kind === kind && now.id === id);
  if (!isListed && (await cluster.find(lasting[kind], name, target.namespace)) !== undefined) throw changed(item);
}

async function removeDirectories(context: Removal, items: readonly Item[]): Promise<void> {
  const { database, target, log, onRemoved, onFreed } = context;
  const before = await readFreeBytes(database, target);
  const listed = items.map(({ id, name }) => ({ id, path: name }));
  const { left, gone } = await removeOldFiles(context, database, target, listed);
  for (const item of items.filter(({ id }) => gone.includes(id))) {
    log.info(`Removed ${item.name}`);
    onRemoved(item);
  }
  onFreed(Math.max(0, (await readFreeBytes(database, target)) - before));
  if (left.length > 0)
    throw new UpgradeError(
      'cleanup-incomplete',
      `On the volume stays: ${left.map(({ path, why }) => `${path} (${why})`).join('; ')}`,
      'Do what the message says, then run again: the next cleanup removes what is left.',
    );
}

type Kind = Exclude<Item['kind'], 'Directory'>;

const removals: Readonly<Record<Kind, (context: Removal, item: Item) => Promise<void>>> = {
  Job: removeJob,
  PersistentVolumeClaim: removeClaim,
  VolumeSnapshot: removeSnapshot,
  PersistentVolume: removeVolume,
  ReclaimPolicy: restorePolicy,
  ConfigMap: removeJournal,
};

async function removeJob({ cluster, target }: Removal, item: Item): Promise<void> {
  const { namespace } = target;
  const now = await cluster.find('jobs', item.name, namespace);
  if (now === undefined) return;
  if (now.metadata?.uid !== item.id || !isJobOfUpgrade(now) || isAtWork(now)) throw changed(item);
  await cluster.delete('jobs', item.name, namespace, { foreground: true, preconditions: { uid: item.id } });
}

async function removeClaim(context: Removal, item: Item): Promise<void> {
  const { cluster, target } = context;
  const { namespace } = target;
  const now = await cluster.find('persistentvolumeclaims', item.name, namespace);
  if (now === undefined) return;
  const volumeName = now.spec?.volumeName;
  const volume = volumeName === undefined ? undefined : await cluster.find('persistentvolumes', volumeName);
  if (volume === undefined || now.metadata?.uid !== item.id || !isWholeBackup(target, now, volume)) throw changed(item);
  if (whyShared(volume, await cluster.list('persistentvolumes')) !== undefined) throw changed(item);
  // A class that retains volumes would keep it for ever.
  await setPolicyOfClaims(context, volume, now, 'Delete');
  await cluster.delete('persistentvolumeclaims', item.name, namespace, { preconditions: { uid: item.id } });
  await storageGone(context, 'persistentvolumeclaims', item.name, item.id);
  if (volume.metadata?.uid !== undefined)
    await storageGone(context, 'persistentvolumes', volumeName ?? '', volume.metadata.uid);
}

async function removeSnapshot(context: Removal, item: Item): Promise<void> {
  const { cluster, target } = context;
  const { namespace } = target;
  const now = await cluster.find('volumesnapshots', item.name, namespace);
  if (now === undefined) return;
  const isBackup = isOfUpgrade(target, now) && !isOfVolume(target, now, servedByNew);
  if (now.metadata.uid !== item.id || !isBackup) throw changed(item);
  const contentName = now.status?.boundVolumeSnapshotContentName;
  const content = contentName === undefined ? undefined : await cluster.find('volumesnapshotcontents', contentName);
  if (content !== undefined) {
    if (!isContentOf(now, content, namespace)) throw changed(item);
    if (content.spec.deletionPolicy !== 'Delete')
      await cluster.patch('volumesnapshotcontents', content.metadata.name, namespace, [
        { op: 'test', path: '/metadata/uid', value: content.metadata.uid },
        { op: 'test', path: '/spec/volumeSnapshotRef/uid', value: item.id },
        deletionPolicy('Delete'),
      ]);
  }
  await cluster.delete('volumesnapshots', item.name, namespace, { preconditions: { uid: item.id } });
  if (content?.metadata.uid !== undefined)
    await storageGone(context, 'volumesnapshotcontents', content.metadata.name, content.metadata.uid);
}

/** Kubernetes deletes a released volume whose policy is Delete, with its storage. */
async function removeVolume(context: Removal, item: Item): Promise<void> {
  const { cluster, target } = context;
  const now = await cluster.find('persistentvolumes', item.name);
  if (now === undefined) return;
  const isFormer =
    hadServersClaim(target, now) && whyNotFormer(target, now, await cluster.list('persistentvolumes')) === undefined;
  if (now.metadata?.uid !== item.id || !isFormer) throw changed(item);
  if (now.spec?.persistentVolumeReclaimPolicy !== 'Delete')
    await cluster.patch('persistentvolumes', item.name, target.namespace, [
      { op: 'test', path: '/metadata/uid', value: item.id },
      { op: 'test', path: '/spec/claimRef/uid', value: now.spec?.claimRef?.uid },
      { op: 'test', path: '/status/phase', value: 'Released' },
      { op: 'add', path: '/spec/persistentVolumeReclaimPolicy', value: 'Delete' },
    ]);
  await storageGone(context, 'persistentvolumes', item.name, item.id);
}

async function restorePolicy({ cluster, target }: Removal, item: Item): Promise<void> {
  const { metadata, spec } =
    (await cluster.find('persistentvolumeclaims', target.volume.claimName, target.namespace)) ?? {};
  const isSame = metadata?.uid === target.volume.claim.metadata?.uid && spec?.volumeName === item.name;
  // With Delete the data would go with a claim that is being deleted.
  if (!isSame || metadata?.deletionTimestamp !== undefined) throw changed(item);
  await cluster.patch('persistentvolumes', item.name, target.namespace, [
    { op: 'test', path: '/metadata/uid', value: item.id },
    { op: 'test', path: '/spec/claimRef/uid', value: metadata?.uid },
    { op: 'test', path: '/spec/persistentVolumeReclaimPolicy', value: 'Retain' },
    { op: 'add', path: '/spec/persistentVolumeReclaimPolicy', value: 'Delete' },
  ]);
}

async function removeJournal({ cluster, target }: Removal, item: Item): Promise<void> {
  await cluster.delete('configmaps', item.name, target.namespace, { preconditions: { uid: item.id } });
}

function changed({ kind, name }: Item): UpgradeError {
  return new UpgradeError(
    'cleanup-changed',
    `${kind} ${name} is not any more what the cleanup listed. It was left as it is, and nothing after it was removed.`,
    'Find out who changed it. Then run again: the next cleanup lists what is left.',
  );
}
