// Removes all that a rehearsal makes, by its fixed names: at the end of each, at the beginning of the next one, and before an upgrade.
// Decision: docs/decisions/0034-rehearsal.md
import { ClusterError, describe, WaitError } from '../common/errors.ts';
import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import {
  isOfRehearsal,
  rehearsalCommands,
  rehearsalJobName,
  rehearsalName,
  rehearsalPodName,
  rehearsedMajors,
} from '../objects/rehearsal.ts';
import type { ClusterReader, ResourceTypes } from '../ports/cluster.ts';
import { waitFor } from '../ports/wait.ts';
import { claimGone } from '../storage/claim-gone.ts';
import type { StorageContext } from '../storage/context.ts';
import { setDeletionPolicy } from '../storage/snapshot-content.ts';
import type { Target } from '../target/target.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';
import { isOlder, noCopy, setPolicyOfClaims } from '../storage/given-volume.ts';
import { mayStillCome, volumeOfCopy } from './volume.ts';

/** What a sweep needs; a rehearsal's context has it, and so has an upgrade's. */
export interface Sweeping extends StorageContext {
  readonly target: Target;
}

type Removable = 'pods' | 'jobs' | 'persistentvolumeclaims' | 'volumesnapshots';

/** What a sweep did. */
export interface Swept {
  /** Names of what was removed, for people. */
  readonly removed: readonly string[];
  /** What may be left in the storage all the same, and what to do about it. */
  readonly late?: { readonly what: string; readonly remedy: string } | undefined;
}

/** What has a name of what a rehearsal of this server makes, whoever made it. */
export async function findNamed(cluster: ClusterReader, target: Target) {
  const { namespace } = target;
  const name = rehearsalName(target);
  const findSnapshot = async () => {
    try {
      return await cluster.find('volumesnapshots', name, namespace);
    } catch (error) {
      if (isNotServed(error)) return undefined;
      throw error;
    }
  };
  const [pods, jobs, claim, snapshot] = await Promise.all([
    Promise.all(rehearsedMajors.map((major) => cluster.find('pods', rehearsalPodName(major), namespace))),
    Promise.all(rehearsalCommands.map((command) => cluster.find('jobs', rehearsalJobName(command), namespace))),
    cluster.find('persistentvolumeclaims', name, namespace),
    findSnapshot(),
  ]);
  const isThere = <T>(one: T | undefined) => one !== undefined;
  return { pods: pods.filter(isThere), jobs: jobs.filter(isThere), claim, snapshot };
}

/** Whether something has a name of what a rehearsal of this server makes. */
export async function hasLeft(cluster: ClusterReader, target: Target): Promise<boolean> {
  const { pods, jobs, claim, snapshot } = await findNamed(cluster, target);
  return pods.length + jobs.length > 0 || claim !== undefined || snapshot !== undefined;
}

/** Where there is no such API, there is no snapshot. */
function isNotServed(error: unknown): boolean {
  return error instanceof ClusterError && error.code === 'not-served';
}

/** How a sweep is done. */
interface Manner {
  /** Whether until all is gone. Otherwise it only asks for the deletion: Kubernetes keeps a claim as long as a pod has it. */
  readonly waits: boolean;
}

/**
 * Removes what rehearsals have left of this server, and waits until it is gone: first what uses the volume, then the volume, then the snapshot from which it was made,
 * since some storages keep a snapshot as long as a volume of it exists.
 * @throws ClusterError `rehearsal-foreign` where something of these names is not a rehearsal's; WaitError, unless it does not wait
 */
export async function sweep(context: Sweeping, { waits }: Manner = { waits: true }): Promise<Swept> {
  const { target } = context;
  const of = isOfRehearsal(target);
  const name = rehearsalName(target);
  const removed: string[] = [];
  const remove = async <R extends Removable>(
    resource: R,
    named: string,
    isOurs: (found: ResourceTypes[R]) => boolean,
  ) => {
    if (await removeOne(context, { resource, name: named, waits }, isOurs)) removed.push(`${resource}/${named}`);
  };
  const awaitGone = async (resource: Removable, named: string) => {
    if (waits) await gone(context, resource, named);
  };
  const pods = rehearsedMajors.map(rehearsalPodName);
  const jobs = rehearsalCommands.map(rehearsalJobName);
  for (const pod of pods) await remove('pods', pod, of.pod);
  for (const job of jobs) await remove('jobs', job, of.job);
  for (const pod of pods) await awaitGone('pods', pod);
  for (const job of jobs) await awaitGone('jobs', job);
  const late = await settleVolume(context, name, waits);
  if (late !== undefined && !waits) return { removed, late };
  await remove('persistentvolumeclaims', name, of.claim);
  if (waits) await claimGone(context, name);
  try {
    await remove('volumesnapshots', name, of.snapshot);
    await awaitGone('volumesnapshots', name);
  } catch (error) {
    if (!isNotServed(error)) throw error;
  }
  return { removed, late };
}

/** @returns whether there was one; without a wait, one that is being deleted already is none */
async function removeOne<R extends Removable>(
  context: Sweeping,
  { resource, name, waits }: Manner & { readonly resource: R; readonly name: string },
  isOurs: (found: ResourceTypes[R]) => boolean,
): Promise<boolean> {
  const { cluster, target } = context;
  const found = await cluster.find(resource, name, target.namespace);
  if (found === undefined) return false;
  if (!isOurs(found)) throw foreign(target.namespace, kinds[resource], name);
  if (!waits && found.metadata?.deletionTimestamp !== undefined) return false;
  // A class may retain what it makes: then the copy would stay in the storage for ever.
  if (resource === 'volumesnapshots') await setDeletionPolicy(context, name, 'Delete');
  // What was judged, and nothing that has its name by now.
  const judged = { preconditions: { uid: found.metadata?.uid } };
  const options = resource === 'jobs' ? { ...judged, foreground: true } : judged;
  await cluster.delete(resource, name, target.namespace, options);
  return true;
}

/**
 * Has Kubernetes delete the copy's volume with its claim, whatever its class says; and keep a volume that is none, whatever that says.
 * @returns the volume that may still come once the claim is deleted
 */
async function settleVolume(context: Sweeping, name: string, waits: boolean): Promise<Swept['late']> {
  const { cluster, target, log } = context;
  const { namespace } = target;
  const found = await cluster.find('persistentvolumeclaims', name, namespace);
  if (found === undefined || !isOfRehearsal(target).claim(found)) return undefined;
  if (!waits && (await mayStillCome(cluster, found))) return lateClaim(name);
  const claim = waits ? await withVolume(context, found) : found;
  if (claim === 'late') return lateVolume(found);
  const volume = claim && (await volumeOfCopy(cluster, target, claim));
  if (claim === undefined || volume === undefined) return undefined;
  const policy = isOlder(volume, claim) ? 'Retain' : 'Delete';
  if (policy === 'Retain')
    log.annotate(
      'warning',
      'rehearsal',
      `${noCopy(name, volume.metadata?.name ?? '')} The action keeps it (reclaim policy Retain).`,
    );
  await setPolicyOfClaims(context, volume, claim, policy);
  return undefined;
}

/** Waits for a volume that nothing would remove if it came after its claim is deleted. */
async function withVolume(
  { cluster, target, inputs, clock, log, signal }: Sweeping,
  { metadata }: V1PersistentVolumeClaim,
): Promise<V1PersistentVolumeClaim | 'late' | undefined> {
  const [namespace, name] = [target.namespace, metadata?.name ?? ''];
  const what = `the volume of PersistentVolumeClaim ${name} to be made`;
  const lookAt = shell`kubectl -n ${namespace} describe pvc ${name}`;
  const limits = { limit: inputs.snapshotTimeout, limitInput: 'snapshot-timeout', lookAt };
  try {
    return await waitFor({ what, ...limits, clock, log, signal }, async () => {
      const now = await cluster.find('persistentvolumeclaims', name, namespace);
      return now !== undefined && (await mayStillCome(cluster, now))
        ? { pending: 'the storage has been asked for it, and its class retains it' }
        : { done: now };
    });
  } catch (error) {
    if (!(error instanceof WaitError)) throw error;
    log.annotate('warning', 'rehearsal', describe(error));
    return 'late';
  }
}

/** Its name leads to the volume, so that it stays until the volume is there. */
function lateClaim(name: string): Swept['late'] {
  return {
    what: `PersistentVolumeClaim ${name} stays for now: the storage still makes its volume, a copy of the server's data, and its class would retain the volume`,
    remedy: 'The next rehearsal, upgrade or cleanup removes both.',
  };
}

/** Provisioners name a volume after the claim's UID (sig-storage-lib-external-provisioner). */
function lateVolume({ metadata }: V1PersistentVolumeClaim): Swept['late'] {
  const name = `pvc-${metadata?.uid ?? ''}`;
  const patch = '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}';
  return {
    what: `PersistentVolume ${name} may still be made, with a copy of the server's data: its claim was deleted before, and its class retains it`,
    remedy: `Look later whether it is there. Then have Kubernetes delete it: ${copyable(shell`kubectl patch persistentvolume ${name} --type merge -p ${patch}`)}`,
  };
}

/** Kinds of objects, as commands name them. */
const kinds: Readonly<Record<Removable, string>> = {
  pods: 'pod',
  jobs: 'job',
  persistentvolumeclaims: 'pvc',
  volumesnapshots: 'volumesnapshot',
};

/** Waits until an object is gone. */
export async function gone(context: Sweeping, resource: Removable, name: string): Promise<void> {
  const { cluster, target, inputs, clock, log, signal } = context;
  const what = `${kinds[resource]} ${name} to be deleted`;
  const lookAt = shell`kubectl -n ${target.namespace} describe ${kinds[resource]} ${name}`;
  const limit = inputs.detachTimeout;
  await waitFor({ what, limit, limitInput: 'detach-timeout', lookAt, clock, log, signal }, async () => {
    const now = await cluster.find(resource, name, target.namespace);
    return now === undefined ? { done: undefined } : { pending: 'it still exists' };
  });
}

/** @param kind as commands name it */
export function foreign(namespace: string, kind: string, name: string): ClusterError {
  return new ClusterError(
    'rehearsal-foreign',
    `No rehearsal made ${kind} ${name} in namespace ${namespace}, and a rehearsal needs its name. The action left it as it is.`,
    `Look at it: ${copyable(shell`kubectl -n ${namespace} describe ${kind} ${name}`)}. If nobody needs it, delete it: ${copyable(shell`kubectl -n ${namespace} delete ${kind} ${name}`)}. Then run again.`,
  );
}
