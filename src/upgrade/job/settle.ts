// What a Job of the upgrade still does to the volume, and may have done.
import type { V1Job } from '@kubernetes/client-node';
import { UpgradeError, WaitError } from '../../common/errors.ts';
import { hasEnded, isCounted, podsDoing } from '../../job/follow-job.ts';
import { podProgress } from '../../job/follow-pod.ts';
import { hasStarted } from '../../target/has-started.ts';
import { containerName } from '../../objects/upgrade-job.ts';
import { waitFor } from '../../ports/wait.ts';
import { copyable } from '../../text/commands.ts';
import { shell } from '../../text/shell.ts';
import type { Context } from '../contract/step.ts';

/** Whether a container that does the Job's work runs now. */
export async function isAtWork(context: Context, object: V1Job): Promise<boolean> {
  return (await podsDoing(context, object)).some((pod) => podProgress(pod, containerName).state === 'running');
}

/** For a Job that must not be interrupted. */
export function stillRuns({ target }: Context, name: string): UpgradeError {
  return new UpgradeError(
    'job-still-runs',
    `Job ${name} is at work on the volume. The action leaves it alone: to interrupt pg_upgrade is worse than to wait.`,
    `Run "mode: upgrade" again: it follows the Job and resumes the upgrade. To wait for the Job yourself: ${copyable(shell`kubectl -n ${target.namespace} wait --for=jsonpath='{.status.active}'= job/${name}`)}`,
  );
}

/** What a Job may have done to the volume. */
export interface Settled {
  /** False only where it is certain that no container of this upgrade's Job ever started. */
  readonly mayHaveRun: boolean;
  /** How many of its pods were seen that had started. */
  readonly runs: number;
}

/**
 * Makes sure that a Job does nothing to the volume any more. Deletes one that can still start a pod.
 * @throws UpgradeError `job-still-runs` when it is at work, or counts a pod as active that can't be found
 */
export async function settle(context: Context, object: V1Job): Promise<Settled> {
  const { cluster, target, inputs } = context;
  const { name = '', uid } = object.metadata ?? {};
  const limit = { limit: inputs.shutdownTimeout, limitInput: 'shutdown-timeout' };
  const before = await seenOf(context, object, limit);
  const ran = new Set(before.ran);
  // Somebody deleted it, or created another one of that name.
  const isGone = before.job === undefined || (uid !== undefined && before.job.metadata?.uid !== uid);
  if (isGone || (before.isOver && !before.isWaiting)) return { mayHaveRun: true, runs: ran.size };
  // In the foreground: the Job controller makes no more pods, and the Job stays until its pod is gone.
  await cluster.delete('jobs', name, target.namespace, { foreground: true });
  const what = `the pod of Job ${name} to be deleted`;
  await waitFor({ ...context, what, ...limit }, async () => {
    const now = await look(context, object);
    for (const pod of now.ran) ran.add(pod);
    if (now.isWaiting || now.isRunning) return { pending: now.isRunning ? 'the pod runs' : 'the pod has not started' };
    return now.job === undefined ? { done: undefined } : { pending: 'the Job still exists' };
  });
  return { mayHaveRun: before.isOver || ran.size > 0 || !isOnlyOne(context, before), runs: ran.size };
}

/** Whether the upgrade had no other Job than this one, which never started. An earlier run may have made another one before it. */
function isOnlyOne({ isResumed, journal }: Context, { isWaiting }: Seen): boolean {
  return isResumed !== true || (isWaiting && journal.noted.upgradeJob === 'once');
}

interface Seen {
  readonly job: V1Job | undefined;
  /** Its controller makes no more pods. */
  readonly isOver: boolean;
  readonly isRunning: boolean;
  /** A pod has not been started yet. */
  readonly isWaiting: boolean;
  /** Names of the pods whose container was started, and may have ended. */
  readonly ran: readonly string[];
}

/** What is seen of a Job and its pods, once the status of the Job and the pods agree. */
async function seenOf(context: Context, object: V1Job, limit: { limit: number; limitInput: string }): Promise<Seen> {
  const name = object.metadata?.name ?? '';
  try {
    return await waitFor({ ...context, what: `the active pod of Job ${name} to be found`, ...limit }, async () => {
      const seen = await look(context, object);
      if (seen.isRunning) throw stillRuns(context, name);
      const isLost = (seen.job?.status?.active ?? 0) > 0 && !seen.isWaiting && seen.ran.length === 0;
      return isLost ? { pending: 'the status of the Job counts a pod that does not exist' } : { done: seen };
    });
  } catch (error) {
    throw error instanceof WaitError ? stillRuns(context, name) : error;
  }
}

async function look(context: Context, object: V1Job): Promise<Seen> {
  const { name = '', namespace = '' } = object.metadata ?? {};
  const job = await context.cluster.find('jobs', name, namespace);
  const pods = (await podsDoing(context, object)).map((pod) => ({
    name: pod.metadata?.name ?? '',
    state: podProgress(pod, containerName).state,
    hasRun: hasStarted(pod, containerName),
    isCounted: job !== undefined && isCounted(job, pod),
  }));
  return {
    job,
    isOver: job !== undefined && (hasEnded(job) || pods.some((pod) => pod.isCounted && pod.state === 'ended')),
    isRunning: pods.some(({ state }) => state === 'running'),
    isWaiting: pods.some(({ state }) => state === 'waiting' || state === 'stuck'),
    ran: pods.flatMap((pod) => (pod.hasRun ? [pod.name] : [])),
  };
}
