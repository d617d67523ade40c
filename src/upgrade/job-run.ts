import type { V1Job } from '@kubernetes/client-node';
import { UpgradeError } from '../errors.ts';
import { followToEnd, podOfJob, waitForStart, type JobEnd } from '../job/follow-job.ts';
import { podProgress, wasCreated } from '../job/follow-pod.ts';
import { containerName, jobName, scriptConfigMap, upgradeJob, type JobCommand } from '../job/manifest.ts';
import { isOurScripts } from '../job/ours.ts';
import { waitFor } from '../wait.ts';
import { expectClaim } from './claim.ts';
import { isFenced } from './fence.ts';
import type { Draft, Move } from './moves.ts';
import { expectSameImage } from './same-image.ts';
import type { Context, Results } from './step.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';

/**
 * Creates the Job of a command, or takes over the one that an earlier run of
 * the same upgrade left, and follows it to its end; `tell` hears how far it has come.
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
  const object = (await takeOver(context, wanted, command)) ?? (await create(context, wanted));
  tell({ object, phase: 'created' });
  const pod = await waitForStart(context, object, inputs.jobStartTimeout);
  tell({ object, phase: 'started' });
  const end = await followToEnd(context, pod, inputs.jobTimeout);
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

/** What `runJob` will make. */
export function planJob({ target, settings, scripts }: Draft, command: JobCommand, until?: string): Move[] {
  const job = upgradeJob(target, settings, command, scripts);
  return [
    {
      does: 'create',
      resource: 'configmaps',
      object: scriptConfigMap(target, scripts),
      until: until ?? 'the end of the upgrade',
    },
    { does: 'create', resource: 'jobs', object: job, ...(until === undefined ? {} : { until }) },
  ];
}

/** A claim that only one node may use can still be mounted by two pods on that node. */
async function expectNoServer({ cluster, target }: Context): Promise<void> {
  const pod = await cluster.find('pods', target.podName, target.namespace);
  if (pod === undefined || isFenced(pod)) return;
  throw new UpgradeError(
    'server-runs',
    `Pod ${target.podName} runs on the volume that the Job needs.`,
    'Find out who started it in spite of the fence. Nothing was done to the volume.',
  );
}

async function create({ cluster, target, scripts }: Context, job: V1Job): Promise<V1Job> {
  const { namespace } = target;
  const earlier = await cluster.find('configmaps', jobName, namespace);
  if (earlier !== undefined && !isOurScripts(earlier)) throw foreignScripts(namespace);
  await cluster.delete('configmaps', jobName, namespace);
  await cluster.create('configmaps', scriptConfigMap(target, scripts), { namespace });
  return await cluster.create('jobs', job, { namespace });
}

function foreignScripts(namespace: string): UpgradeError {
  return new UpgradeError(
    'configmap-foreign',
    `ConfigMap ${jobName} in namespace ${namespace} does not hold scripts of this action, and its name is needed for them. It was left as it is.`,
    `Look at it: ${copyable(shell`kubectl -n ${namespace} get configmap ${jobName} -o yaml`)}. If nobody needs it, delete it: ${copyable(shell`kubectl -n ${namespace} delete configmap ${jobName}`)}. Then run again.`,
  );
}

/**
 * The Job of that name, if it is the wanted one and has something to say. One
 * that has ended otherwise makes room; one that has not is never deleted.
 */
async function takeOver(context: Context, wanted: V1Job, command: JobCommand): Promise<V1Job | undefined> {
  const { cluster, target, log } = context;
  const name = wanted.metadata?.name ?? '';
  const found = await cluster.find('jobs', name, target.namespace);
  if (found === undefined) return undefined;
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
 * By its controller's word, which counts a pod that is to go as failed, also on a node that never confirmed it: ask its pod too.
 * A Job that its controller has not looked at yet has no status at all, and has not ended.
 */
function hasEnded({ status }: V1Job): boolean {
  return (
    (status?.failed ?? 0) > 0 ||
    (status?.succeeded ?? 0) > 0 ||
    (status?.conditions?.some((c) => ['Complete', 'Failed'].includes(c.type) && c.status === 'True') ?? false)
  );
}

/**
 * The upgrade Job of this upgrade although this run has not heard that it was
 * made: an earlier run made it, or the answer to its creation was lost.
 * @throws UpgradeError when one of another upgrade is at work
 */
export async function unheardJob(context: Context): Promise<Results['jobRun']> {
  const { cluster, target, settings } = context;
  const object = await cluster.find('jobs', jobName, target.namespace);
  if (object === undefined) return undefined;
  const runId = object.spec?.template.spec?.containers[0]?.env?.find((v) => v.name === 'RUN_ID')?.value;
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

/** Whether the Job's container runs now. */
export async function isAtWork(context: Context, object: V1Job): Promise<boolean> {
  return (await startedState(context, object)) === 'running';
}

/** The error of a Job that is left to its end. */
export function stillRuns({ target }: Context, name: string): UpgradeError {
  return new UpgradeError(
    'job-still-runs',
    `Job ${name} is at work on the volume and is left to its end: to interrupt pg_upgrade is worse than to wait.`,
    `Run "mode: upgrade" again: it follows the Job and goes on. To wait for it yourself: ${copyable(shell`kubectl -n ${target.namespace} wait --for=jsonpath='{.status.active}'= job/${name}`)}`,
  );
}

/**
 * Removes a Job whose container never started, for example since its image
 * can't be pulled.
 * @returns whether it can have touched the volume after all: it started while it was being removed
 * @throws UpgradeError when its container runs
 */
export async function removeUnstarted(context: Context, object: V1Job): Promise<boolean> {
  const { cluster, target, inputs } = context;
  const name = object.metadata?.name ?? '';
  const state = await startedState(context, object);
  if (state === 'running') throw stillRuns(context, name);
  if (state === 'ended') return true;
  // In the foreground: the Job controller makes no more pods, and the Job stays until its pod is gone.
  await cluster.delete('jobs', name, target.namespace, { foreground: true });
  let started = false;
  const what = `the pod of Job ${name} to be gone`;
  await waitFor({ ...context, what, limit: inputs.shutdownTimeout, limitInput: 'shutdown-timeout' }, async () => {
    const now = await startedState(context, object);
    started ||= now === 'running' || now === 'ended';
    const gone = now === 'absent' && (await cluster.find('jobs', name, target.namespace)) === undefined;
    return gone ? { done: undefined } : { pending: `it is still there (${now})` };
  });
  return started;
}

async function startedState(context: Context, object: V1Job): Promise<'absent' | 'waiting' | 'running' | 'ended'> {
  const pod = await podOfJob(context, object);
  if (pod === undefined) return 'absent';
  const { state } = podProgress(pod, containerName);
  if (state === 'running') return 'running';
  return state === 'ended' && wasCreated(pod, containerName) ? 'ended' : 'waiting';
}
