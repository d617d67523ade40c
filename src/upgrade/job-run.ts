import type { V1Job } from '@kubernetes/client-node';
import { UpgradeError } from '../errors.ts';
import { followToEnd, podOfJob, waitForStart, type JobEnd } from '../job/follow-job.ts';
import { podProgress, wasCreated } from '../job/follow-pod.ts';
import { containerName, jobName, scriptConfigMap, upgradeJob, type JobCommand } from '../job/manifest.ts';
import { waitFor } from '../wait.ts';
import type { Context, Results } from './step.ts';

/** Creates the Job of a command and follows it to its end; `tell` hears how far it has come. */
export async function runJob(
  context: Context,
  command: JobCommand,
  tell: (run: NonNullable<Results['jobRun']>) => void = () => undefined,
): Promise<JobEnd> {
  const { cluster, target, inputs, settings, scripts } = context;
  const { namespace } = target;
  const job = upgradeJob(target, settings, command);
  await removeEnded(context, job.metadata?.name ?? '');
  await cluster.delete('configmaps', jobName, namespace);
  await cluster.create('configmaps', scriptConfigMap(target, scripts), { namespace });
  const object = await cluster.create('jobs', job, { namespace });
  tell({ object, phase: 'created' });
  const pod = await waitForStart(context, object, inputs.jobStartTimeout);
  tell({ object, phase: 'started' });
  const end = await followToEnd(context, pod, inputs.jobTimeout);
  tell({ object, phase: 'ended' });
  return end;
}

/** An ended Job of an earlier try has the name that is needed; one that runs is never deleted. */
async function removeEnded(context: Context, name: string): Promise<void> {
  const { cluster, target } = context;
  const earlier = await cluster.find('jobs', name, target.namespace);
  if (earlier === undefined) return;
  if ((earlier.status?.active ?? 0) > 0) {
    throw new UpgradeError('job-still-runs', `Job ${name} still runs.`, 'Wait for its end.');
  }
  await cluster.delete('jobs', name, target.namespace);
}

/**
 * The upgrade Job that is there although nobody said that it was made: the answer to its creation may have been lost.
 * @throws UpgradeError when it is not ours
 */
export async function unansweredJob({ cluster, target, settings }: Context): Promise<Results['jobRun']> {
  const object = await cluster.find('jobs', jobName, target.namespace);
  if (object === undefined) return undefined;
  const runId = object.spec?.template.spec?.containers[0]?.env?.find((v) => v.name === 'RUN_ID')?.value;
  if (runId === settings.runId) return { object, phase: 'created' };
  if ((object.status?.active ?? 0) === 0) return undefined;
  throw new UpgradeError(
    'job-still-runs',
    `Job ${jobName} of another run is at work on the volume.`,
    'Wait for its end.',
  );
}

/** @throws UpgradeError when the Job's container runs: it is never interrupted */
export async function expectEnded(context: Context, object: V1Job): Promise<void> {
  if ((await startedState(context, object)) !== 'running') return;
  const name = object.metadata?.name ?? '';
  throw new UpgradeError(
    'job-still-runs',
    `Job ${name} still runs and is left to its end: to interrupt pg_upgrade is worse than to wait.`,
    `Wait for its end (kubectl -n ${context.target.namespace} wait --for=jsonpath='{.status.active}'= job/${name}). The README says how to go on ("If a run was interrupted").`,
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
  await expectEnded(context, object);
  if ((await startedState(context, object)) === 'ended') return true;
  // In the foreground: the Job controller makes no more pods, and the Job stays until its pod is gone.
  await cluster.delete('jobs', name, target.namespace, { foreground: true });
  let started = false;
  const what = `the pod of Job ${name} to be gone`;
  await waitFor({ ...context, what, limit: inputs.shutdownTimeout, limitInput: 'shutdown-timeout' }, async () => {
    const now = await startedState(context, object);
    started ||= now === 'running' || now === 'ended';
    const gone = now === 'absent' && (await cluster.find('jobs', name, target.namespace)) === undefined;
    return gone ? { done: undefined } : { pending: 'it is still there' };
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
