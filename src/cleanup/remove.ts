import { UpgradeError } from '../common/errors.ts';
import type { Database } from '../database/database.ts';
import type { Inputs } from '../inputs/inputs.ts';
import { isOfUpgrade } from '../objects/snapshot.ts';
import type { LeasedCluster } from '../ports/cluster.ts';
import type { Deps } from '../ports/context.ts';
import { waitFor } from '../ports/wait.ts';
import type { Target } from '../target/target.ts';
import { shell } from '../text/shell.ts';
import type { Item } from './inventory.ts';
import { removeOldFiles } from './old-files.ts';
import { isAtWork, isWholeBackup, isContentOf, isFormerVolume, isJobOfUpgrade } from './ours.ts';

/** What a removal works with. */
export interface Removal extends Deps<LeasedCluster> {
  readonly database: Database<LeasedCluster>;
  readonly target: Target;
  readonly inputs: Inputs;
  /** Called for each item that was seen to be gone. */
  readonly onRemoved: (item: Item) => void;
}

/**
 * Removes what the inventory lists, each after another look at it. It may be repeated after an interruption anywhere: what is gone is no error.
 * Decision: docs/decisions/0032-cleanup.md
 * @returns how many bytes more the server's volume has free
 * @throws UpgradeError `cleanup-changed` for an object that is not the one which was listed, `cleanup-incomplete` for a directory that stays; WaitError
 */
export async function removeItems(context: Removal, items: readonly Item[]): Promise<number> {
  const { log } = context;
  const directories = items.filter(({ kind }) => kind === 'Directory');
  const freedBytes = directories.length === 0 ? 0 : await removeDirectories(context, directories);
  for (const item of items) {
    if (item.kind === 'Directory') continue;
    await removals[item.kind](context, item);
    log.info(
      item.kind === 'ReclaimPolicy'
        ? `PersistentVolume ${item.name}: ${item.why}`
        : `Removed ${item.kind} ${item.name}`,
    );
    context.onRemoved(item);
  }
  return freedBytes;
}

async function removeDirectories(context: Removal, items: readonly Item[]): Promise<number> {
  const { database, target, log, onRemoved } = context;
  const { left, freedBytes } = await removeOldFiles(
    database,
    target,
    items.map(({ id }) => id),
  );
  // The old data directory is renamed before it goes.
  const isLeft = ({ name }: Item) => left.some(({ path }) => path === name || path === `${name}.cleanup`);
  for (const item of items.filter((one) => !isLeft(one))) {
    log.info(`Removed ${item.name}`);
    onRemoved(item);
  }
  if (left.length > 0)
    throw new UpgradeError(
      'cleanup-incomplete',
      `On the volume stays: ${left.map(({ path, why }) => `${path} (${why})`).join('; ')}`,
      'Do what the message says, then run again: the next cleanup removes what is left.',
    );
  return freedBytes;
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
  if (now.metadata?.uid !== item.id || !isWholeBackup(target, now, volume)) throw changed(item);
  // A class that retains volumes would keep it for ever.
  if (volumeName !== undefined && volume?.spec?.persistentVolumeReclaimPolicy !== 'Delete')
    await cluster.patch('persistentvolumes', volumeName, namespace, [
      { op: 'test', path: '/spec/claimRef/uid', value: item.id },
      { op: 'add', path: '/spec/persistentVolumeReclaimPolicy', value: 'Delete' },
    ]);
  await cluster.delete('persistentvolumeclaims', item.name, namespace, { preconditions: { uid: item.id } });
  await gone(context, 'persistentvolumeclaims', item.name, item.id);
  if (volume?.metadata?.uid !== undefined)
    await gone(context, 'persistentvolumes', volumeName ?? '', volume.metadata.uid);
}

async function removeSnapshot(context: Removal, item: Item): Promise<void> {
  const { cluster, target } = context;
  const { namespace } = target;
  const now = await cluster.find('volumesnapshots', item.name, namespace);
  if (now === undefined) return;
  if (now.metadata.uid !== item.id || !isOfUpgrade(target, now)) throw changed(item);
  const contentName = now.status?.boundVolumeSnapshotContentName;
  const content = contentName === undefined ? undefined : await cluster.find('volumesnapshotcontents', contentName);
  if (content !== undefined) {
    if (!isContentOf(now, content, namespace)) throw changed(item);
    if (content.spec.deletionPolicy !== 'Delete')
      await cluster.patch('volumesnapshotcontents', content.metadata.name, namespace, [
        { op: 'test', path: '/metadata/uid', value: content.metadata.uid },
        { op: 'test', path: '/spec/volumeSnapshotRef/uid', value: item.id },
        { op: 'replace', path: '/spec/deletionPolicy', value: 'Delete' },
      ]);
  }
  await cluster.delete('volumesnapshots', item.name, namespace, { preconditions: { uid: item.id } });
  if (content?.metadata.uid !== undefined)
    await gone(context, 'volumesnapshotcontents', content.metadata.name, content.metadata.uid);
}

/** Kubernetes deletes a released volume whose policy is Delete, with its storage. */
async function removeVolume(context: Removal, item: Item): Promise<void> {
  const { cluster, target } = context;
  const now = await cluster.find('persistentvolumes', item.name);
  if (now === undefined) return;
  if (now.metadata?.uid !== item.id || !isFormerVolume(target, now)) throw changed(item);
  if (now.spec?.persistentVolumeReclaimPolicy !== 'Delete')
    await cluster.patch('persistentvolumes', item.name, target.namespace, [
      { op: 'test', path: '/metadata/uid', value: item.id },
      { op: 'test', path: '/spec/claimRef/uid', value: now.spec?.claimRef?.uid },
      { op: 'test', path: '/status/phase', value: 'Released' },
      { op: 'add', path: '/spec/persistentVolumeReclaimPolicy', value: 'Delete' },
    ]);
  await gone(context, 'persistentvolumes', item.name, item.id);
}

async function restorePolicy({ cluster, target }: Removal, item: Item): Promise<void> {
  await cluster.patch('persistentvolumes', item.name, target.namespace, [
    { op: 'test', path: '/metadata/uid', value: item.id },
    { op: 'test', path: '/spec/claimRef/uid', value: target.volume.claim.metadata?.uid },
    { op: 'add', path: '/spec/persistentVolumeReclaimPolicy', value: 'Delete' },
  ]);
}

async function removeJournal({ cluster, target }: Removal, item: Item): Promise<void> {
  await cluster.delete('configmaps', item.name, target.namespace, { preconditions: { uid: item.id } });
}

const waits = {
  persistentvolumeclaims: (name: string) => `PersistentVolumeClaim ${name} to be deleted`,
  persistentvolumes: (name: string) => `PersistentVolume ${name} to be deleted`,
  volumesnapshotcontents: (name: string) => `VolumeSnapshotContent ${name} to be deleted`,
} as const;

/** Only then the storage has it back: the controllers delete an object when its storage is deleted. */
async function gone(
  { cluster, target, inputs, ...context }: Removal,
  resource: keyof typeof waits,
  name: string,
  uid: string,
): Promise<void> {
  const lookAt = shell`kubectl -n ${target.namespace} describe ${resource} ${name}`;
  const what = waits[resource](name);
  const limit = inputs.snapshotTimeout;
  await waitFor({ what, limit, limitInput: 'snapshot-timeout', lookAt, ...context }, async () => {
    const now = await cluster.find(resource, name, target.namespace);
    return now?.metadata?.uid === uid ? { pending: 'it still exists' } : { done: undefined };
  });
}

function changed({ kind, name }: Item): UpgradeError {
  return new UpgradeError(
    'cleanup-changed',
    `${kind} ${name} is not any more what the cleanup listed. It was left as it is, and nothing after it was removed.`,
    'Find out who changed it. Then run again: the next cleanup lists what is left.',
  );
}
