import type { V1Job, V1Pod } from '@kubernetes/client-node';
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
import { podProgress } from '../../job/follow-pod.ts';
import { anchorNode } from '../../objects/anchor.ts';
import {
  containerName,
  jobName,
  stopVariable,
  upgradeJob,
  type JobCommand,
  type StillAttached,
} from '../../objects/upgrade-job.ts';
import { isOurPod } from '../../objects/ours.ts';
import { mountsClaim } from '../../target/volume-users.ts';
import { waitFor } from '../../ports/wait.ts';
import { detach, lossOfAnchor, removeAnchor, unschedulable } from '../server/anchor.ts';
import { expectClaim } from '../server/claim.ts';
import { isGated } from '../../objects/scheduling-gate.ts';
import type { Move } from '../../report/planned-step.ts';
import type { PlanContext, Context, Results } from '../contract/step.ts';
import { expectOurJob } from './our-job.ts';
import { expectSameImage } from './same-image.ts';
import { isAtWork, settle, stillRuns } from './settle.ts';
import { copyable } from '../../text/commands.ts';
import { shell } from '../../text/shell.ts';

type Tell = (run: NonNullable<Results['jobRun']>) => void;

/**
 * Creates the Job of a command, or follows the one that an earlier run of
 * the same upgrade left, until it ends. Calls `tell` with its progress, and `started` once its pod runs: what that throws ends the wait.
 * Decision: docs/decisions/0002-upgrade-job.md
 * @throws UpgradeError when a server or a Job of another upgrade is at work on the volume, or the claim has another volume
 */
export async function runJob(
  context: Context,
  command: JobCommand,
  tell: Tell = () => undefined,
  started: () => Promise<void> = () => Promise.resolve(),
): Promise<JobEnd> {
  const { target, inputs, settings, scripts } = context;
  // Nobody else uses a copy.
  if (command !== 'boot') {
    await expectNoServer(context);
    await expectClaim(context);
  }
  if (command === 'upgrade') await expectAnchored(context);
  // The way back goes where it can, and may have to delete the claim that the anchor names.
  if (command === 'revert' || command === 'rollback') await removeAnchor(context);
  const wanted = upgradeJob(target, settings, command, scripts, attachedFor(context, command));
  let object = await takeOver(context, wanted, command);
  if (object === undefined) {
    if (command !== 'boot') await expectNoneAtWork(context);
    object = await create(context, wanted, command, tell);
  }
  tell({ object, phase: 'created' });
  const needsNode = requiresNode(object);
  const isLost = (waiting: V1Pod) => needsNode && unschedulable(waiting) !== undefined;
  let pod = await waitForStart(context, object, inputs.jobStartTimeout, isLost);
  if (isLost(pod)) {
    object = await createAnywhere(context, object, pod, tell);
    tell({ object, phase: 'created' });
    pod = await waitForStart(context, object, inputs.jobStartTimeout);
  }
  tell({ object, phase: 'started' });
  await started();
  const end = await followToEnd(context, pod, inputs.jobTimeout, expectedTime(context, command));
  tell({ object, phase: 'ended' });
  // An image that differs must not stop a revert.
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

/** How the volume is when the Job begins. The other commands run where no anchor is any more. */
function attachedFor({ results }: Context, command: JobCommand): StillAttached | undefined {
  return command === 'upgrade' && results.isStillAttached === true ? { node: results.anchor?.node } : undefined;
}

/** Removes what is left of an anchor that does not keep the volume any more: the Job then goes where it can. */
export async function expectAnchored(context: Context): Promise<void> {
  const { anchor } = context.results;
  const loss = anchor && (await lossOfAnchor(context, anchor));
  if (loss !== undefined) await detach(context, loss);
}

function requiresNode({ spec }: V1Job): boolean {
  return spec?.template.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined;
}

/**
 * In the place of an upgrade Job whose pod can't go to the anchor's node, and never started: removes the anchor, and makes the Job for any node.
 * @returns the new Job; the former one, where its pod has started after all
 */
async function createAnywhere(context: Context, job: V1Job, pod: V1Pod, tell: Tell): Promise<V1Job> {
  const { target, settings, scripts, log } = context;
  log.info(`No node takes the pod of Job ${jobName}, which has to go where the volume is: ${unschedulable(pod) ?? ''}`);
  try {
    await settle(context, job);
  } catch (error) {
    if (error instanceof UpgradeError && error.code === 'job-still-runs') return job;
    throw error;
  }
  await detach(context, `the pod of Job ${jobName} has to go to another one`);
  const wanted = upgradeJob(target, settings, 'upgrade', scripts, attachedFor(context, 'upgrade'));
  return await create(context, wanted, 'upgrade', tell);
}

/** Milliseconds; nothing tells it of the way back, and of the start of a copy. */
function expectedTime({ timeline }: Context, command: JobCommand): number | undefined {
  return command === 'upgrade' ? timeline.expectedTime('upgrade-job') : undefined;
}

/** What `runJob` will make. */
export function planJob({ target, settings, scripts }: PlanContext, command: JobCommand, until?: string): Move[] {
  const node = command === 'upgrade' ? anchorNode(target) : undefined;
  const object = upgradeJob(target, settings, command, scripts, node === undefined ? undefined : { node });
  return [{ does: 'create', resource: 'jobs', object, ...(until === undefined ? {} : { until }) }];
}

/** ReadWriteOnce limits a claim to one node: two pods on that node can still mount it. */
async function expectNoServer({ cluster, target }: Context): Promise<void> {
  const pod = await cluster.find('pods', target.podName, target.namespace);
  if (pod === undefined || isGated(pod)) return;
  throw new UpgradeError(
    'server-runs',
    `Pod ${target.podName} runs on the volume that the Job needs. The action started no Job, and did nothing to the volume.`,
    'Find out who started the pod in spite of the scheduling gate, and stop it. Then run again.',
  );
}

/** Pods of this action that their controller has released, or whose Job is gone. */
async function expectNoneAtWork(context: Context): Promise<void> {
  const { cluster, target } = context;
  const pods = await cluster.list('pods', { namespace: target.namespace });
  const found = pods.find(
    (pod) =>
      mountsClaim(pod, target.volume.claimName) && isOurPod(pod) && podProgress(pod, containerName).state !== 'ended',
  );
  if (found !== undefined) throw podStillRuns(context, found.metadata?.name ?? '');
}

/** Before the Job is made: a Job that never started proves nothing about an earlier one. */
async function noteCreation({ journal }: Context): Promise<void> {
  const { upgradeJob: before } = journal.noted;
  if (before !== 'again') await journal.note('upgradeJob', before === undefined ? 'once' : 'again');
}

async function create(context: Context, job: V1Job, command: JobCommand, tell: Tell): Promise<V1Job> {
  try {
    if (command === 'upgrade') await noteCreation(context);
    return await context.cluster.create('jobs', job, { namespace: context.target.namespace });
  } catch (error) {
    // The API server may have carried out the request all the same.
    if (isUnanswered(error)) tell({ object: job, phase: 'asked' });
    throw error;
  }
}

/**
 * The Job of that name, if it is the wanted one and is at work or has a result. Deletes
 * any other that has ended, also a failed one of the vendor's script. Never deletes one that has not ended.
 * @throws UpgradeError for a Job that is at work for another upgrade, or that is not ours
 */
async function takeOver(context: Context, wanted: V1Job, command: JobCommand): Promise<V1Job | undefined> {
  const { cluster, target, log } = context;
  const name = wanted.metadata?.name ?? '';
  const found = await whenCounted(context, wanted, await cluster.find('jobs', name, target.namespace));
  if (found === undefined) return undefined;
  const isFailedTry = command === 'upgrade' && failedTries([found]).length > 0;
  if (!isFailedTry) expectOurJob(found, target.namespace);
  const isWanted = doesTheSame(found, wanted);
  if (!hasEnded(found) || (await isAtWork(context, found))) {
    if (!isWanted) throw stillRuns(context, name);
    log.info(`Following Job ${name}, which is at work already`);
    return found;
  }
  // The result of a revert by an earlier run says nothing about the volume now.
  if (isWanted && command === 'upgrade' && (await podOfJob(context, found)) !== undefined) {
    log.info(`Reading the result of Job ${name}, which has ended already`);
    return found;
  }
  log.info(`Deleting Job ${name} of an earlier try, which has ended`);
  await cluster.delete('jobs', name, target.namespace);
  return undefined;
}

/** Another Job of that name whose pod has ended: its controller may count that a moment later, and until then it seems to be at work. */
async function whenCounted(context: Context, wanted: V1Job, job: V1Job | undefined): Promise<V1Job | undefined> {
  if (job === undefined || hasEnded(job) || doesTheSame(job, wanted)) return job;
  const pods = (await podsDoing(context, job)).filter((pod) => isCounted(job, pod));
  if (pods.length === 0 || pods.some((pod) => podProgress(pod, containerName).state !== 'ended')) return job;
  const { cluster, target, inputs } = context;
  const { name = '', uid } = job.metadata ?? {};
  const what = `the Job controller to count the end of Job ${name}`;
  const limit = { limit: inputs.shutdownTimeout, limitInput: 'shutdown-timeout' };
  try {
    return await waitFor({ ...context, what, ...limit }, async () => {
      const now = await cluster.find('jobs', name, target.namespace);
      const isOver = now === undefined || now.metadata?.uid !== uid || hasEnded(now);
      return isOver ? { done: now } : { pending: 'its pod has ended' };
    });
  } catch (error) {
    throw error instanceof WaitError ? stillRuns(context, name) : error;
  }
}

/** Compares image, command, environment and claims; the environment names the upgrade. How the server was stopped, only the run knows that stopped it. */
function doesTheSame(found: V1Job, wanted: V1Job): boolean {
  const [now, then] = [found, wanted].map((job) => {
    const { containers = [], volumes = [] } = job.spec?.template.spec ?? {};
    const { image, command, env } = containers[0] ?? {};
    const compared = env?.filter(({ name }) => name !== stopVariable);
    const claims = volumes.flatMap(({ persistentVolumeClaim: claim }) =>
      claim === undefined ? [] : [claim.claimName],
    );
    return JSON.stringify([image, command, compared?.map(({ name, value }) => [name, value ?? '']), claims]);
  });
  return now === then;
}

/**
 * The upgrade Job of this upgrade, where this run does not know that it exists:
 * an earlier run made it, or the answer to its creation was lost.
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

/** As `stillRuns`, for a pod whose Job is unknown. */
function podStillRuns({ target }: Context, name: string): UpgradeError {
  return new UpgradeError(
    'job-still-runs',
    `Pod ${name} of an upgrade Job is at work on the volume. The action leaves it alone: to interrupt pg_upgrade is worse than to wait.`,
    `Wait until the pod has ended: ${copyable(shell`kubectl -n ${target.namespace} wait --for=jsonpath='{.status.phase}'=Succeeded pod/${name}`)} (it may also end as Failed). Then run again.`,
  );
}
