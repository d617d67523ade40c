import type { Journal } from '../../journal/journal.ts';
import type { ClusterReader } from '../../ports/cluster.ts';
import { UpgradeError } from '../../common/errors.ts';
import { copyJobName } from '../../objects/copy-job.ts';
import { jobName, revertJobName } from '../../objects/upgrade-job.ts';
import type { Context } from '../contract/step.ts';
import { shellRemedy, type Remedy } from '../../text/remedy.ts';
import { shell } from '../../text/shell.ts';

/**
 * Expects that the server's claim still has its data. The StatefulSet creates
 * a missing claim again, with an empty volume, and the image of the server
 * would initialise that: an empty cluster that answers like a healthy one.
 * @throws UpgradeError when the claim is gone, is being deleted or has another volume
 */
export async function expectClaim({
  cluster,
  target,
  journal,
}: Pick<Context, 'target'> & { readonly cluster: ClusterReader; readonly journal: Journal }): Promise<void> {
  const { claimName } = target.volume;
  const volume = journal.noted.exchange?.volume ?? journal.record.volume;
  const now = await cluster.find('persistentvolumeclaims', claimName, target.namespace);
  const isDeleted = now?.metadata?.deletionTimestamp !== undefined;
  const has = now?.spec?.volumeName;
  if (now !== undefined && !isDeleted && has === volume) return;
  const state = now === undefined ? 'was deleted' : isDeleted ? 'is being deleted' : `has ${has ?? 'no volume yet'}`;
  throw new UpgradeError(
    'claim-lost',
    `Somebody changed PersistentVolumeClaim ${claimName}: it ${state}. The data is on PersistentVolume ${volume}, which Kubernetes keeps (Retain).`,
    remedy(target, volume, now !== undefined),
  );
}

/** Kubernetes binds no claim to a volume that still refers to a deleted claim. */
function remedy(target: Context['target'], volume: string, isThere: boolean): Remedy {
  const { claimName, claim } = target.volume;
  const { accessModes, resources, storageClassName, volumeMode } = claim.spec ?? {};
  const manifest = JSON.stringify({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: claimName, labels: claim.metadata?.labels },
    spec: {
      accessModes,
      resources: { requests: resources?.requests },
      storageClassName,
      volumeMode,
      volumeName: volume,
    },
  });
  const { namespace } = target;
  const commands = [
    // Ended pods count as users of a claim too, so Kubernetes deletes it only after them. What they did is on the disk.
    ...(isThere
      ? [shell`kubectl -n ${namespace} delete job ${jobName} ${revertJobName} ${copyJobName} --ignore-not-found`]
      : []),
    // A claim that somebody deleted may no longer exist by then.
    ...(isThere ? [shell`kubectl -n ${namespace} delete pvc ${claimName} --ignore-not-found`] : []),
    shell`kubectl patch persistentvolume ${volume} --type merge -p '{"spec":{"claimRef":null}}'`,
    shell`printf %s ${manifest} | kubectl -n ${namespace} create -f -`,
  ];
  return shellRemedy(
    'Stop the applications, then PostgreSQL: with clients it does not shut down, and Kubernetes kills it after its grace period. Give the volume to a new claim of that name by these commands. Then run "mode: upgrade" again.',
    ...commands,
  );
}
