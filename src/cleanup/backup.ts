import { ClusterError, UpgradeError } from '../common/errors.ts';
import { upgrade } from '../common/versions.ts';
import { dropToken } from '../objects/fencing-token.ts';
import { backupOfNew, isOfVolume, snapshotObject, suffixOf } from '../objects/snapshot.ts';
import type { LeasedCluster, VolumeSnapshot } from '../ports/cluster.ts';
import { waitFor } from '../ports/wait.ts';
import { deletionPolicy } from '../storage/snapshot-content.ts';
import { shell } from '../text/shell.ts';
import type { CleanupFacts } from './facts.ts';
import { isContentOf } from './ours.ts';
import type { Removal } from './remove.ts';

/** Milliseconds: how old a backup may be that an interrupted cleanup took. */
const youngEnough = 24 * 3_600_000;

/**
 * Takes a VolumeSnapshot of the running server, which PostgreSQL 14 recovers as after a power cut, and keeps its content (Retain). One that an interrupted cleanup took within a
 * day counts.
 * @returns its name, when it can be restored; undefined where the backup is outside of the cluster
 * @throws WaitError, ClusterError; UpgradeError when its content belongs to another snapshot
 */
export async function backUpNew(context: Removal, facts: CleanupFacts): Promise<string | undefined> {
  const { cluster, target, inputs, log } = context;
  if (inputs.backup === 'external') return undefined;
  const earlier = youngBackup(facts);
  const name = earlier ?? (await askForBackup(context, facts));
  if (earlier !== undefined) log.info(`Found VolumeSnapshot ${name}, which an interrupted cleanup took`);
  const snapshot = await waitFor<VolumeSnapshot>(
    {
      what: `VolumeSnapshot ${name} of PostgreSQL ${String(upgrade.to)} to be ready`,
      limit: inputs.snapshotTimeout,
      limitInput: 'snapshot-timeout',
      lookAt: shell`kubectl -n ${target.namespace} describe volumesnapshot ${name}`,
      ...context,
    },
    async () => {
      const now = await cluster.find('volumesnapshots', name, target.namespace);
      if (now === undefined || now.metadata.deletionTimestamp !== undefined)
        throw new ClusterError(
          'snapshot-gone',
          `Somebody else deleted VolumeSnapshot ${name}. Nothing was removed.`,
          'Find out who deletes snapshots in this namespace.',
        );
      if (now.status?.readyToUse === true && now.status.boundVolumeSnapshotContentName !== undefined)
        return { done: now };
      return { pending: now.status?.error?.message ?? 'the storage copies it' };
    },
  );
  await retain(context, snapshot);
  return name;
}

function youngBackup({ snapshots, target, now }: CleanupFacts): string | undefined {
  const ours = (snapshots.known ? snapshots.value : []).filter((one) => isOfVolume(target, one, backupOfNew));
  const claimed = new Date(target.volume.claim.metadata?.creationTimestamp ?? 0).getTime();
  const young = ours.filter(({ metadata, status }) => {
    const made = Date.parse(metadata.creationTimestamp ?? '');
    // An earlier claim of that name was of another volume.
    const isOfClaim = made >= claimed && metadata.deletionTimestamp === undefined;
    return isOfClaim && now.getTime() - made < youngEnough && status?.error === undefined;
  });
  return young
    .map(({ metadata }) => metadata.name)
    .sort()
    .at(-1);
}

async function askForBackup({ cluster, target }: Removal, { snapshotClass, now }: CleanupFacts): Promise<string> {
  const chosen = snapshotClass.known ? snapshotClass.value.chosen : undefined;
  const object = snapshotObject(target, backupOfNew, suffixOf(now), chosen?.metadata.name ?? '');
  await cluster.create('volumesnapshots', object, { namespace: target.namespace });
  return object.metadata.name;
}

/** Whatever its class says, nobody shall lose the backup by deleting the VolumeSnapshot. */
async function retain({ cluster, target }: Removal, snapshot: VolumeSnapshot): Promise<void> {
  const name = snapshot.status?.boundVolumeSnapshotContentName ?? '';
  const content = await cluster.find('volumesnapshotcontents', name);
  if (content === undefined || !isContentOf(snapshot, content, target.namespace))
    throw new UpgradeError(
      'snapshot-foreign',
      `The content ${name} of VolumeSnapshot ${snapshot.metadata.name} does not exist, or belongs to another snapshot. Nothing was removed.`,
      'Find out who changed the snapshots. Then run again.',
    );
  if (content.spec.deletionPolicy !== 'Retain')
    await cluster.patch('volumesnapshotcontents', name, target.namespace, [
      { op: 'test', path: '/metadata/uid', value: content.metadata.uid },
      deletionPolicy('Retain'),
    ]);
  await release(cluster, target.namespace, 'volumesnapshotcontents', name);
  await release(cluster, target.namespace, 'volumesnapshots', snapshot.metadata.name);
}

/** Removes the label of the run from what stays. */
async function release(
  cluster: LeasedCluster,
  namespace: string,
  resource: 'volumesnapshots' | 'volumesnapshotcontents',
  name: string,
): Promise<void> {
  const operations = dropToken(await cluster.find(resource, name, namespace));
  if (operations.length > 0) await cluster.patch(resource, name, namespace, operations);
}
