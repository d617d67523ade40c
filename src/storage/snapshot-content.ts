import { ClusterError, describe, UpgradeError } from '../common/errors.ts';
import { isTestFailure } from '../objects/fencing-token.ts';
import { lookAgain } from '../objects/look-again.ts';
import type { PatchOperation, ResourceTypes, VolumeSnapshot } from '../ports/cluster.ts';
import type { StorageContext } from './context.ts';

type Content = ResourceTypes['volumesnapshotcontents'];

/**
 * The content of a snapshot, which stands for it in the storage. Rights in the namespace alone are not enough to write it.
 * @returns undefined where there is none yet
 * @throws UpgradeError `snapshot-foreign` when the snapshot names the content of another one
 */
export async function contentOf(
  { cluster, target }: Pick<StorageContext, 'cluster' | 'target'>,
  { metadata, status }: VolumeSnapshot,
): Promise<Content | undefined> {
  const name = status?.boundVolumeSnapshotContentName;
  const content = name === undefined ? undefined : await cluster.find('volumesnapshotcontents', name);
  const of = content?.spec.volumeSnapshotRef;
  if (content !== undefined && (of?.name !== metadata.name || of.namespace !== target.namespace))
    throw foreignSnapshot(metadata.name, `its content ${content.metadata.name} belongs to another snapshot`);
  return content;
}

/** Sets whether the storage keeps (Retain) or deletes (Delete) the content when the VolumeSnapshot is deleted, whatever its class says. */
export async function setDeletionPolicy(
  context: StorageContext,
  snapshot: string,
  policy: 'Retain' | 'Delete',
): Promise<void> {
  const { cluster, target } = context;
  const now = await cluster.find('volumesnapshots', snapshot, target.namespace);
  const content = now && (await contentOf(context, now));
  if (content === undefined || content.spec.deletionPolicy === policy) return;
  await cluster.patch('volumesnapshotcontents', content.metadata.name, target.namespace, [
    { op: 'test', path: '/metadata/uid', value: content.metadata.uid },
    deletionPolicy(policy),
  ]);
}

/** What sets the policy of a content. */
export function deletionPolicy(policy: 'Retain' | 'Delete'): PatchOperation {
  return { op: 'replace', path: '/spec/deletionPolicy', value: policy };
}

/** Milliseconds. */
const betweenNudges = 5000;

/**
 * Makes external-snapshotter ask the driver again, every few seconds at most. By itself it asks after pauses that double up to 5 min (30 min in some charts), so that
 * a snapshot that is ready would be seen late. Any change of the content that is not its own makes it ask at once (`ShouldEnqueueContentChange` in
 * pkg/utils/util.go, since 2024-02; before that any change did). What fails here only costs time.
 */
export function nudger(context: StorageContext): (snapshot: VolumeSnapshot) => Promise<void> {
  const { clock, log } = context;
  let last = -Infinity;
  let isTold = false;
  return async (snapshot) => {
    if (clock.monotonic() - last < betweenNudges) return;
    try {
      if (await nudge(context, snapshot)) last = clock.monotonic();
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      last = clock.monotonic();
      // To claim the content for this run has changed it already.
      if (isTold || isTestFailure(error)) return;
      log.info(`Could not ask the snapshot controller to look again: ${describe(error)}`);
      isTold = true;
    }
  };
}

/** @returns false where the driver has not answered for the first time yet: it is at work on it */
async function nudge(context: StorageContext, snapshot: VolumeSnapshot): Promise<boolean> {
  const { cluster, target, clock } = context;
  const content = await contentOf(context, snapshot);
  if (content?.status?.snapshotHandle === undefined) return false;
  const operations = lookAgain(content, clock.now().toISOString());
  await cluster.patch('volumesnapshotcontents', content.metadata.name, target.namespace, operations);
  return true;
}

export function foreignSnapshot(snapshot: string, why: string): UpgradeError {
  return new UpgradeError(
    'snapshot-foreign',
    `The action left VolumeSnapshot ${snapshot} as it is: ${why}.`,
    'Find out who changed the snapshots or the journal. "mode: status" reports where the upgrade stands.',
  );
}
