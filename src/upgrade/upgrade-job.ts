import { UpgradeError } from '../errors.ts';
import { followJob, type JobEnd } from '../job/follow-job.ts';
import { jobName, scriptConfigMap, upgradeJob, type JobCommand } from '../job/manifest.ts';
import { waitFor } from '../wait.ts';
import type { Context, Step } from './step.ts';

/** Runs pg_upgrade in a Job on the volume; takes it back by a second one, by what is on the disk. */
export const runUpgradeJob: Step = {
  id: 'upgrade-job',
  title: 'Run pg_upgrade in a Job',

  async run(context) {
    const { log, results } = context;
    const end = await runJob(context, 'upgrade');
    results.jobEnded = true;
    if (end.result !== undefined) results.job = end.result;
    if (end.exitCode !== 0 || end.result === undefined) {
      throw new UpgradeError(
        'job-failed',
        `The upgrade Job failed: ${cause(end)}`,
        `The log above has the end of each log of pg_upgrade; the whole files are in ${context.target.volume.mountPath}/upgrade-logs.`,
      );
    }
    if (end.result.recovered === true)
      results.warnings.push(
        'The old server had not been shut down cleanly; the Job recovered it before the upgrade. The snapshot holds it as it was before that.',
      );
    log.info(
      `pg_upgrade (${end.result.transfer ?? 'link'}) took the data from ${end.result.oldVersion ?? '12'} to ${end.result.newVersion ?? '14'}`,
    );
  },

  async undo(context) {
    const { results, log } = context;
    if (results.job?.reverted === true) {
      log.info('The Job itself brought the old data directory back');
      return;
    }
    const job = await context.cluster.find('jobs', jobName, context.target.namespace);
    if (job === undefined) return;
    if (results.jobEnded !== true && (job.status?.active ?? 0) > 0) {
      throw new UpgradeError(
        'job-still-runs',
        `Job ${jobName} still runs and is left to its end: to interrupt pg_upgrade is worse than to wait.`,
        `Wait for its end (kubectl -n ${context.target.namespace} wait --for=jsonpath='{.status.active}'= job/${jobName}), then run again.`,
      );
    }
    const end = await runJob(context, 'revert');
    if (end.exitCode === 0 && end.result !== undefined) {
      log.info(end.result.message);
      return;
    }
    const snapshot = results.snapshot ?? 'taken before the upgrade';
    if (end.result?.outcome === 'served') {
      throw new UpgradeError(
        'served',
        `PostgreSQL 14 has already been started on the data: ${end.result.message}`,
        `Only VolumeSnapshot ${snapshot} brings 12 back. The applications are still stopped, so nothing was written since.`,
      );
    }
    throw new UpgradeError(
      'revert-failed',
      `The data directory could not be taken back: ${cause(end)}`,
      `Nothing was deleted that is needed. Look at the log above; VolumeSnapshot ${snapshot} has the data as it was.`,
    );
  },
};

async function runJob(context: Context, command: JobCommand): Promise<JobEnd> {
  const { cluster, target, inputs, settings, scripts } = context;
  const { namespace } = target;
  const job = upgradeJob(target, settings, command);
  const name = job.metadata?.name ?? '';
  await removeEnded(context, name);
  await cluster.delete('configmaps', jobName, namespace);
  await cluster.create('configmaps', scriptConfigMap(target, scripts), { namespace });
  const created = await cluster.create('jobs', job, { namespace });
  return await followJob(context, created, { start: inputs.jobStartTimeout, end: inputs.jobTimeout });
}

/** An ended Job of an earlier try has the name that is needed; one that runs is never deleted. */
async function removeEnded({ cluster, target, inputs, ...context }: Context, name: string): Promise<void> {
  const { namespace } = target;
  const earlier = await cluster.find('jobs', name, namespace);
  if (earlier === undefined) return;
  if ((earlier.status?.active ?? 0) > 0) {
    throw new UpgradeError('job-still-runs', `Job ${name} still runs.`, 'Wait for its end, then run again.');
  }
  await cluster.delete('jobs', name, namespace);
  await waitFor(
    {
      what: `the ended Job ${name} to be removed`,
      limit: inputs.shutdownTimeout,
      limitInput: 'shutdown-timeout',
      ...context,
    },
    async () =>
      (await cluster.find('jobs', name, namespace)) === undefined
        ? { done: undefined }
        : { pending: 'it is still there' },
  );
}

/** The most telling thing that is known of the end. */
function cause({ result, exitCode, reason }: JobEnd): string {
  return result === undefined
    ? `its container ended with code ${String(exitCode)} (${reason}) and left no result`
    : `${result.step}: ${result.message}`;
}
