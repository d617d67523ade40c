import { ClusterError, UpgradeError } from '../../common/errors.ts';
import type { PatchOperation } from '../../ports/cluster.ts';
import { waitFor } from '../../ports/wait.ts';
import { timeToCome, type Move } from '../../report/planned-step.ts';
import type { PlanContext, Context } from '../contract/step.ts';
import { shell } from '../../text/shell.ts';
import { isOfVolume, snapshotObject, suffixOf } from '../../objects/snapshot.ts';

/** The snapshots by the journal's note of their name, each with the part of its name that says what it holds. */
const snapshots = { backup: 'before-upgrade', live: 'live', served: 'of-14' } as const;

/** Milliseconds. Drivers report errors that pass, since their controllers try again; waiting longer would only prolong the downtime. */
const errorPatience = 5 * 60_000;

/**
 * Takes a snapshot of the volume and waits until it is ready to use. One that the journal names is not taken again.
 * @returns its name
 * @throws ClusterError when somebody deletes it or the driver keeps reporting an error, WaitError when it does not become ready
 */
export async function readySnapshot(context: Context, which: keyof typeof snapshots): Promise<string> {
  const { cluster, target, inputs, log, clock } = context;
  const name = await ask(context, which);
  let failingSince: number | undefined;
  await waitFor(
    {
      what: `VolumeSnapshot ${name} to be ready`,
      limit: inputs.snapshotTimeout,
      limitInput: 'snapshot-timeout',
      expected: which === 'backup' ? context.timeline.expectedTime('backup') : undefined,
      lookAt: shell`kubectl -n ${target.namespace} describe volumesnapshot ${name}`,
      ...context,
    },
    async () => {
      const now = await cluster.find('volumesnapshots', name, target.namespace);
      if (now === undefined)
        throw new ClusterError(
          'snapshot-gone',
          `Somebody else deleted VolumeSnapshot ${name}.`,
          'Find out who deletes snapshots in this namespace.',
        );
      if (now.status?.readyToUse === true) return { done: undefined };
      const failure = now.status?.error?.message;
      failingSince = failure === undefined ? undefined : (failingSince ?? clock.monotonic());
      if (failure !== undefined && failingSince !== undefined && clock.monotonic() - failingSince > errorPatience)
        throw new ClusterError(
          'snapshot-failed',
          `The CSI driver can't take VolumeSnapshot ${name}: ${failure}`,
          'Look at the CSI driver, its snapshot controller and the VolumeSnapshotClass.',
        );
      return { pending: failure ?? 'not ready to use' };
    },
  );
  log.info(`VolumeSnapshot ${name} is ready to use`);
  return name;
}

/** What `readySnapshot` will make. */
export function planSnapshot(
  { target, snapshotClass }: PlanContext,
  which: keyof typeof snapshots,
  until?: string,
): Move {
  const object = snapshotObject(target, snapshots[which], timeToCome, snapshotClass);
  return { does: 'create', resource: 'volumesnapshots', object, ...(until === undefined ? {} : { until }) };
}

/** The journal notes the name before the object is made, so that no snapshot is forgotten and none is taken twice. */
async function ask(context: Context, which: keyof typeof snapshots): Promise<string> {
  const { cluster, target, snapshotClass, journal, log, clock } = context;
  const { namespace } = target;
  const earlier = journal.noted[which] ?? '';
  const found = earlier === '' ? undefined : await cluster.find('volumesnapshots', earlier, namespace);
  if (found !== undefined) {
    if (!isOfVolume(target, found, snapshots[which]))
      throw foreign(earlier, 'the journal names it, but this action did not take it of this volume');
    log.info(`Found VolumeSnapshot ${earlier}, which the upgrade has asked for already`);
    return earlier;
  }
  const object = snapshotObject(target, snapshots[which], suffixOf(clock.now()), snapshotClass);
  await journal.note(which, object.metadata.name);
  await cluster.create('volumesnapshots', object, { namespace });
  return object.metadata.name;
}

/** Sets whether the storage keeps (Retain) or deletes (Delete) the content when the VolumeSnapshot is deleted, whatever its class says. */
export async function setDeletionPolicy(
  { cluster, target }: Context,
  snapshot: string,
  policy: 'Retain' | 'Delete',
): Promise<void> {
  const now = await cluster.find('volumesnapshots', snapshot, target.namespace);
  const name = now?.status?.boundVolumeSnapshotContentName;
  if (name === undefined) return;
  const content = await cluster.find('volumesnapshotcontents', name);
  if (content === undefined || content.spec.deletionPolicy === policy) return;
  const of = content.spec.volumeSnapshotRef;
  if (of?.name !== snapshot || of.namespace !== target.namespace)
    throw foreign(snapshot, `its content ${name} belongs to another snapshot`);
  await cluster.patch('volumesnapshotcontents', name, target.namespace, [
    { op: 'test', path: '/metadata/uid', value: content.metadata.uid },
    keepBy(policy),
  ]);
}

function keepBy(policy: 'Retain' | 'Delete'): PatchOperation {
  return { op: 'replace', path: '/spec/deletionPolicy', value: policy };
}

/** What `setDeletionPolicy` will do with the content of a snapshot that does not exist yet. */
export function planRetention(snapshot: string): Move {
  const object = { spec: { deletionPolicy: 'Delete', volumeSnapshotRef: { kind: 'VolumeSnapshot', name: snapshot } } };
  const name = `(the content of ${snapshot})`;
  return { does: 'change', resource: 'volumesnapshotcontents', name, object, operations: [keepBy('Retain')] };
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

function foreign(snapshot: string, why: string): UpgradeError {
  return new UpgradeError(
    'snapshot-foreign',
    `The action left VolumeSnapshot ${snapshot} as it is: ${why}.`,
    'Find out who changed the snapshots or the journal. "mode: status" reports where the upgrade stands.',
  );
}
