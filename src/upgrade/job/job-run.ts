import type { V1Job } from '@kubernetes/client-node';
import { isUnanswered } from '../../ports/cluster-answers.ts';
import { UpgradeError, WaitError } from '../../common/errors.ts';
import { failedTries } from '../../objects/failed-tries.ts';
import {
  followToEnd,
  hasEnded,
  isCounted,
  podOfJob,
  podsDoing,
  waitForStart,
  type JobEnd,
} from '../../job/follow-job.ts';
import { hasStarted, podProgress } from '../../job/follow-pod.ts';
import { containerName, jobName, upgradeJob, type JobCommand } from '../../objects/upgrade-job.ts';
import { isOurPod } from '../../objects/ours.ts';
import { mountsClaim } from '../../target/volume-users.ts';
import { waitFor } from '../../ports/wait.ts';
import { expectClaim } from '../server/claim.ts';
import { isGated } from '../../objects/scheduling-gate.ts';
import type { Move } from '../../report/planned-step.ts';
import type { PlanContext, Context, Results } from '../contract/step.ts';
import { expectOurJob } from './our-job.ts';
import { expectSameImage } from './same-image.ts';
import { copyable } from '../../text/commands.ts';
import { shell } from '../../text/shell.ts';

/**
 * Creates the Job of a command, or takes over the one that an earlier run of
 * the same upgrade left, and follows it to its end; `tell` hears how far it has come.
 * Decision: docs/decisions/0002-upgrade-job.md
 * @throws UpgradeError when a server or a Job of another upgrade is at work on the volume, or the claim lost it
 */
export async function runJob(
  context: Context,
  command: JobCommand,
  tell: (run: NonNullable<Results['jobRun']>) => void = () => undefined,
): Promise<JobEnd> {
  const { target, inputs, settings, scripts } = context;
  // A copy is nobody else's.
  if (command !== 'boot') {
    await expectNoServer(context);
    await expectClaim(context);
  }
  const wanted = upgradeJob(target, settings, command, scripts);
  let object = await takeOver(context, wanted, command);
  if (object === undefined) {
    if (command !== 'boot') await expectNoneAtWork(context);
    try {
      object = await create(context, wanted, command);
    } catch (error) {
      // The request may have come through all the same.
      if (isUnanswered(error)) tell({ object: wanted, phase: 'asked' });
      throw error;
    }
  }
  tell({ object, phase: 'created' });
  const pod = await waitForStart(context, object, inputs.jobStartTimeout);
  tell({ object, phase: 'started' });
  const end = await followToEnd(context, pod, inputs.jobTimeout, expectedTime(context, command));
  tell({ object, phase: 'ended' });
  // A way back is never kept from its work.
  if ((command === 'upgrade' || command === 'boot') && !settings.image.includes('@'))
    await expectSameImage(
      context,
      `Job ${object.metadata?.name ?? ''}`,
      context.journal.record.seen?.upgrade,
      pod,
      containerName,
    );
  return end;
}

/** Milliseconds; the way back, and the start of a copy, are not foretold. */
function expectedTime({ timeline }: Context, command: JobCommand): number | undefined {
  return command === 'upgrade' ? timeline.expectedTime('upgrade-job') : undefined;
}

/** What `runJob` will make. */
export function planJob({ target, settings, scripts }: PlanContext, command: JobCommand, until?: string): Move[] {
  const object = upgradeJob(target, settings, command, scripts);
  return [{ does: 'create', resource: 'jobs', object, ...(until === undefined ? {} : { until }) }];
}

/** A claim that only one node may use can still be mounted by two pods on that node. */
async function expectNoServer({ cluster, target }: Context): Promise<void> {
  const pod = await cluster.find('pods', target.podName, target.namespace);
  if (pod === undefined || isGated(pod)) return;
  throw new UpgradeError(
    'server-runs',
    `Pod ${target.podName} runs on the volume that the Job needs.`,
    'Find out who started it in spite of the scheduling gate. Nothing was done to the volume.',
  );
}

/** Pods of ours that their controller has let go of, or whose Job is gone. */
async function expectNoneAtWork(context: Context): Promise<void> {
  const { cluster, target } = context;
  const pods = await cluster.list('pods', { namespace: target.namespace });
  const found = pods.find(
    (pod) =>
      mountsClaim(pod, target.volume.claimName) && isOurPod(pod) && podProgress(pod, containerName).state !== 'ended',
  );
  if (found !== undefined) throw podStillRuns(context, found.metadata?.name ?? '');
}

/** Before the Job is made: that one that never started did nothing says nothing of one before it. */
async function noteCreation({ journal }: Context): Promise<void> {
  const { upgradeJob: before } = journal.noted;
  if (before !== 'again') await journal.note('upgradeJob', before === undefined ? 'once' : 'again');
}

async function create(context: Context, job: V1Job, command: JobCommand): Promise<V1Job> {
  if (command === 'upgrade') await noteCreation(context);
  return await context.cluster.create('jobs', job, { namespace: context.target.namespace });
}

/**
 * The Job of that name, if it is the wanted one and has something to say. One
 * that has ended otherwise makes room, a failed one of the documented way too; one that has not is never deleted.
 * @throws UpgradeError for a Job that is at work for another upgrade, or that is not ours
 */
async function takeOver(context: Context, wanted: V1Job, command: JobCommand): Promise<V1Job | undefined> {
  const { cluster, target, log } = context;
  const name = wanted.metadata?.name ?? '';
  const found = await cluster.find('jobs', name, target.namespace);
  if (found === undefined) return undefined;
  const isFailedTry = command === 'upgrade' && failedTries([found]).length > 0;
  if (!isFailedTry) expectOurJob(found, target.namespace);
  const isWanted = doesTheSame(found, wanted);
  if (!hasEnded(found) || (await isAtWork(context, found))) {
    if (!isWanted) throw stillRuns(context, name);
    log.info(`Job ${name} is at work already: it is followed`);
    return found;
  }
  // How a revert ended that an earlier run made says nothing about the volume now.
  if (isWanted && command === 'upgrade' && (await podOfJob(context, found)) !== undefined) {
    log.info(`Job ${name} has come to its end already: its result is read`);
    return found;
  }
  log.info(`Job ${name} of an earlier try has ended: it makes room`);
  await cluster.delete('jobs', name, target.namespace);
  return undefined;
}

/** Image, command and environment; the upgrade that it belongs to is in the environment. */
function doesTheSame(found: V1Job, wanted: V1Job): boolean {
  const [now, then] = [found, wanted].map((job) => {
    const { image, command, env } = job.spec?.template.spec?.containers[0] ?? {};
    return JSON.stringify([image, command, env?.map(({ name, value }) => [name, value ?? ''])]);
  });
  return now === then;
}

/**
 * The upgrade Job of this upgrade although this run has not heard that it was
 * made: an earlier run made it, or the answer to its creation was lost.
 * @throws UpgradeError when one of another upgrade is at work
 */
export async function findUnreportedJob(context: Context): Promise<Results['jobRun']> {
  const { cluster, target, settings } = context;
  const object = await cluster.find('jobs', jobName, target.namespace);
  if (object === undefined) return undefined;
  const container = object.spec?.template.spec?.containers.find((one) => one.name === containerName);
  const runId = container?.env?.find((v) => v.name === 'RUN_ID')?.value;
  if (runId === settings.runId) return { object, phase: 'created' };
  if (hasEnded(object) && !(await isAtWork(context, object))) return undefined;
  throw stillRuns(context, jobName);
}

/** The most telling thing that is known of a Job's bad end. */
export function jobFailure({ result, exitCode, reason, disruption }: JobEnd): string {
  const what =
    result === undefined
      ? `its container ended with code ${String(exitCode)} (${reason}) and left no result`
      : `${result.step}: ${result.message}`;
  return disruption === undefined ? what : `${what}; Kubernetes took its pod away (${disruption})`;
}

/** Whether a container that does the Job's work runs now. */
export async function isAtWork(context: Context, object: V1Job): Promise<boolean> {
  return (await podsDoing(context, object)).some((pod) => podProgress(pod, containerName).state === 'running');
}

/** The error of a Job that is left to its end. */
export function stillRuns({ target }: Context, name: string): UpgradeError {
  return new UpgradeError(
    'job-still-runs',
    `Job ${name} is at work on the volume and is left to its end: to interrupt pg_upgrade is worse than to wait.`,
    `Run "mode: upgrade" again: it follows the Job and goes on. To wait for it yourself: ${copyable(shell`kubectl -n ${target.namespace} wait --for=jsonpath='{.status.active}'= job/${name}`)}`,
  );
}

/** The same, of a pod whose Job can't be told. */
function podStillRuns({ target }: Context, name: string): UpgradeError {
  return new UpgradeError(
    'job-still-runs',
    `Pod ${name} of an upgrade Job is at work on the volume and is left to its end: to interrupt pg_upgrade is worse than to wait.`,
    `Wait until it has ended: ${copyable(shell`kubectl -n ${target.namespace} wait --for=jsonpath='{.status.phase}'=Succeeded pod/${name}`)} (it may also end as Failed). Then run again.`,
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
 * Makes sure that a Job does nothing to the volume any more. One that can still start a pod is removed.
 * @throws UpgradeError `job-still-runs` when it is at work, or counts a pod as active that can't be found
 */
export async function settle(context: Context, object: V1Job): Promise<Settled> {
  const { cluster, target, inputs } = context;
  const { name = '', uid } = object.metadata ?? {};
  const limit = { limit: inputs.shutdownTimeout, limitInput: 'shutdown-timeout' };
  const before = await seenOf(context, object, limit);
  const ran = new Set(before.ran);
  // Somebody deleted it, or made another one in its place.
  const isGone = before.job === undefined || (uid !== undefined && before.job.metadata?.uid !== uid);
  if (isGone || (before.isOver && !before.isWaiting)) return { mayHaveRun: true, runs: ran.size };
  // In the foreground: the Job controller makes no more pods, and the Job stays until its pod is gone.
  await cluster.delete('jobs', name, target.namespace, { foreground: true });
  const what = `the pod of Job ${name} to be gone`;
  await waitFor({ ...context, what, ...limit }, async () => {
    const now = await look(context, object);
    for (const pod of now.ran) ran.add(pod);
    if (now.isWaiting || now.isRunning) return { pending: `it ${now.isRunning ? 'runs' : 'waits to be started'}` };
    return now.job === undefined ? { done: undefined } : { pending: 'the Job is still there' };
  });
  return { mayHaveRun: before.isOver || ran.size > 0 || !isOnlyOne(context, before), runs: ran.size };
}

/** Whether a Job that never started is all that there has been of the upgrade's Job. An earlier run may have made another one before it. */
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

/** What is seen of a Job and its pods, once the Job controller's word and the pods agree. */
async function seenOf(context: Context, object: V1Job, limit: { limit: number; limitInput: string }): Promise<Seen> {
  const name = object.metadata?.name ?? '';
  try {
    return await waitFor({ ...context, what: `the active pod of Job ${name} to be found`, ...limit }, async () => {
      const seen = await look(context, object);
      if (seen.isRunning) throw stillRuns(context, name);
      const isLost = (seen.job?.status?.active ?? 0) > 0 && !seen.isWaiting && seen.ran.length === 0;
      return isLost ? { pending: 'the Job counts a pod that is not there' } : { done: seen };
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
