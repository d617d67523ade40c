// The anchor keeps the server's volume attached to its node, and mounted there, through the downtime. Where it is in the way, it is removed at once, and the action waits for the volume as it
// does without an anchor.
// Decision: docs/decisions/0029-anchor.md
import type { V1Pod } from '@kubernetes/client-node';
import { describe } from '../../common/errors.ts';
import { anchorName, isAsleep, isOurAnchor } from '../../objects/anchor.ts';
import { waitFor } from '../../ports/wait.ts';
import { onlyKeepsVolume } from '../../target/volume-users.ts';
import { shell } from '../../text/shell.ts';
import type { Anchor, Context } from '../contract/step.ts';
import { attachmentsOf, detached } from './detached.ts';

/** Whether a pod is an anchor that is at work: it keeps the server's volume where it is, and does nothing else with it. */
export function isAtAnchor(pod: V1Pod | undefined, claimName: string): boolean {
  return (
    pod !== undefined &&
    pod.metadata?.deletionTimestamp === undefined &&
    isAsleep(pod) &&
    onlyKeepsVolume(pod, claimName)
  );
}

/** Why the anchor does not keep the volume where it is; undefined where it does. */
export async function lossOfAnchor(context: Context, { pod, uid, node }: Anchor): Promise<string | undefined> {
  const { cluster, target } = context;
  const [now, attachments] = await Promise.all([cluster.find('pods', pod, target.namespace), attachmentsOf(context)]);
  if (now?.metadata?.uid !== uid) return `pod ${pod} was deleted`;
  if (!isAtAnchor(now, target.volume.claimName)) return `pod ${pod} does not run as it was made`;
  const elsewhere = attachments.filter((a) => a.spec.nodeName !== node || a.metadata?.deletionTimestamp !== undefined);
  return elsewhere.length === 0
    ? undefined
    : `the volume is being detached, or is attached to ${elsewhere.map((a) => a.spec.nodeName).join(', ')}`;
}

/**
 * Removes the anchor, also one that another run left; there need be none. Leaves a Job of somebody else under that name as it is.
 * @returns whether it found one
 */
export async function removeAnchor({ cluster, target, results }: Context): Promise<boolean> {
  const found = await cluster.find('jobs', anchorName, target.namespace);
  const isOurs = found !== undefined && isOurAnchor(found);
  if (isOurs) await cluster.delete('jobs', anchorName, target.namespace, { foreground: true });
  delete results.anchor;
  return isOurs;
}

/** The same, and waits until its pod is gone. */
export async function clearAnchor(context: Context): Promise<boolean> {
  if (!(await removeAnchor(context))) return false;
  const { cluster, target, inputs } = context;
  const what = `Job ${anchorName} to be deleted`;
  const lookAt = shell`kubectl -n ${target.namespace} describe job ${anchorName}`;
  const limit = inputs.detachTimeout;
  return await waitFor({ what, limit, limitInput: 'detach-timeout', lookAt, ...context }, async () => {
    const now = await cluster.find('jobs', anchorName, target.namespace);
    return now === undefined ? { done: true } : { pending: 'its pod still exists' };
  });
}

/** Removes the anchor that this run made, if there is one, and waits until the volume is detached. */
export async function detach(context: Context, reason: string): Promise<void> {
  if (context.results.anchor !== undefined) tell(context, reason);
  await clearAnchor(context);
  await detached(context);
}

/** Removes the anchor at once if PostgreSQL's pod can't use the volume on its node. */
export async function makeWay(context: Context, server: V1Pod): Promise<void> {
  const { anchor } = context.results;
  if (anchor === undefined) return;
  const node = server.spec?.nodeName;
  const obstacle = node === undefined ? unschedulable(server) : undefined;
  if (node === anchor.node || (node === undefined && obstacle === undefined)) return;
  tell(
    context,
    node === undefined ? `PostgreSQL's pod finds no node: ${obstacle ?? ''}` : `PostgreSQL's pod is on ${node}`,
  );
  await removeAnchor(context);
}

/** Why no node takes a pod; undefined where one has, or the scheduler has not said so yet. */
export function unschedulable({ status }: V1Pod): string | undefined {
  const condition = status?.conditions?.find(
    ({ type, status: is, reason }) => type === 'PodScheduled' && is === 'False' && reason === 'Unschedulable',
  );
  return condition && (condition.message ?? 'Unschedulable');
}

/** The same, where nothing may fail by it: what is left ends by itself. */
export async function removeAnchorOrTell(context: Context): Promise<void> {
  try {
    await removeAnchor(context);
  } catch (error) {
    context.log.info(`Could not remove Job ${anchorName}: ${describe(error)}`);
  }
}

function tell({ log }: Context, reason: string): void {
  log.info(`Removing Job ${anchorName}, so that the volume can leave its node: ${reason}`);
}
