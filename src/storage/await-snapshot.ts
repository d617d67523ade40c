import { ClusterError } from '../common/errors.ts';
import type { SnapshotState } from '../inputs/backup-kinds.ts';
import type { VolumeSnapshot } from '../ports/cluster.ts';
import { waitFor } from '../ports/wait.ts';
import { shell } from '../text/shell.ts';
import type { StorageContext } from './context.ts';
import { contentOf, nudger } from './snapshot-content.ts';

/** Milliseconds. Drivers report errors that pass, since their controllers try again; waiting longer would only prolong the downtime. */
const errorPatience = 5 * 60_000;

/**
 * Waits until a snapshot has come so far. The CSI specification: "CreateSnapshot is a synchronous call and it MUST block until the snapshot is cut".
 * external-snapshotter sets creationTime and the content's snapshotHandle once that call has succeeded.
 * @param expected milliseconds, where something tells it
 * @throws ClusterError when somebody deletes it or the driver keeps reporting an error, WaitError when it does not come so far,
 *   UpgradeError when its content belongs to another snapshot
 */
export async function awaitSnapshot(
  context: StorageContext,
  name: string,
  state: SnapshotState,
  expected?: number,
): Promise<VolumeSnapshot> {
  const { cluster, target, inputs, clock, log } = context;
  const nudge = nudger(context);
  let failingSince: number | undefined;
  const snapshot = await waitFor<VolumeSnapshot>(
    {
      what: `VolumeSnapshot ${name} to be ${state}`,
      limit: inputs.snapshotTimeout,
      limitInput: 'snapshot-timeout',
      expected,
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
      if (now.status?.readyToUse === true) return { done: now };
      const failure = now.status?.error?.message;
      failingSince = failure === undefined ? undefined : (failingSince ?? clock.monotonic());
      if (failure !== undefined && failingSince !== undefined && clock.monotonic() - failingSince > errorPatience)
        throw new ClusterError(
          'snapshot-failed',
          `The CSI driver can't take VolumeSnapshot ${name}: ${failure}`,
          'Look at the CSI driver, its snapshot controller and the VolumeSnapshotClass.',
        );
      if (state === 'ready') await nudge(now);
      else if (failure === undefined && (await isCut(context, now))) return { done: now };
      return { pending: failure ?? (state === 'ready' ? 'not ready to use' : 'the driver has not answered yet') };
    },
  );
  const { creationTime = 'an unknown time', readyToUse } = snapshot.status ?? {};
  log.info(
    readyToUse === true
      ? `VolumeSnapshot ${name} is ready to use`
      : `VolumeSnapshot ${name} was cut at ${creationTime}. It is not ready to use yet`,
  );
  return snapshot;
}

/** By the content too, since the status of the snapshot may be written with rights in the namespace. */
async function isCut(context: StorageContext, snapshot: VolumeSnapshot): Promise<boolean> {
  if (snapshot.status?.creationTime === undefined) return false;
  return (await contentOf(context, snapshot))?.status?.snapshotHandle !== undefined;
}
