import { timeToCome, type Move } from '../../report/planned-step.ts';
import type { PlanContext, Context } from '../contract/step.ts';
import { isOfVolume, servedByNew, snapshotObject, suffixOf } from '../../objects/snapshot.ts';
import { awaitSnapshot } from '../../storage/await-snapshot.ts';
import { foreignSnapshot, setDeletionPolicy } from '../../storage/snapshot-content.ts';

/** The snapshots by the journal's note of their name, each with the part of its name that says what it holds. */
const snapshots = { backup: 'before-upgrade', live: 'live', served: servedByNew } as const;

/**
 * Takes a snapshot of the volume and waits until it is ready to use. One that the journal names is not taken again.
 * @returns its name
 * @throws what `awaitSnapshot` throws
 */
export async function readySnapshot(context: Context, which: keyof typeof snapshots): Promise<string> {
  const { name } = await askForSnapshot(context, which);
  await awaitSnapshot(context, name, 'ready');
  return name;
}

/** What `askForSnapshot` will make. */
export function planSnapshot(
  { target, snapshotClass }: PlanContext,
  which: keyof typeof snapshots,
  until?: string,
): Move {
  const object = snapshotObject(target, snapshots[which], timeToCome, snapshotClass);
  return { does: 'create', resource: 'volumesnapshots', object, ...(until === undefined ? {} : { until }) };
}

/**
 * Asks for a snapshot of the volume, unless the upgrade has asked for it already. The journal notes the name before the object is made, so that no snapshot is forgotten and
 * none is taken twice.
 * @returns its name, and whether this call asked for it
 */
export async function askForSnapshot(
  context: Context,
  which: keyof typeof snapshots,
): Promise<{ readonly name: string; readonly isNew: boolean }> {
  const { cluster, target, snapshotClass, journal, log, clock } = context;
  const { namespace } = target;
  const earlier = journal.noted[which] ?? '';
  const found = earlier === '' ? undefined : await cluster.find('volumesnapshots', earlier, namespace);
  if (found !== undefined) {
    if (!isOfVolume(target, found, snapshots[which]))
      throw foreignSnapshot(earlier, 'the journal names it, but this action did not take it of this volume');
    log.info(`Found VolumeSnapshot ${earlier}, which the upgrade has asked for already`);
    return { name: earlier, isNew: false };
  }
  const object = snapshotObject(target, snapshots[which], suffixOf(clock.now()), snapshotClass);
  const { name } = object.metadata;
  await journal.note(which, name);
  await cluster.create('volumesnapshots', object, { namespace });
  return { name, isNew: true };
}

/** Deletes the snapshot of a proof and its content in the storage. One that is gone is no error, and no other one is deleted, whatever the journal says. */
export async function removeSnapshot(context: Context, snapshot: string): Promise<void> {
  const { cluster, target, results } = context;
  const found = await cluster.find('volumesnapshots', snapshot, target.namespace);
  if (found === undefined) return;
  if (!isOfVolume(target, found, snapshots.live)) {
    results.warnings.push(
      `The action left VolumeSnapshot ${snapshot} as it is: it is not one that it took to prove the backup.`,
    );
    return;
  }
  await setDeletionPolicy(context, snapshot, 'Delete');
  await context.cluster.delete('volumesnapshots', snapshot, context.target.namespace);
}
