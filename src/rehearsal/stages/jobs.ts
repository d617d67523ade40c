import { failed, passed, warning, type Answer } from '../../findings/finding.ts';
import { followToEnd, jobFailure, waitForStart, type JobEnd } from '../../job/follow-job.ts';
import type { JobResult } from '../../job/result.ts';
import { rehearsalJob, type RehearsalCommand } from '../../objects/rehearsal.ts';
import type { RehearsalContext } from '../context.ts';
import type { Stage } from '../stage.ts';
import { obstacleOfVolume } from '../volume.ts';

/** PostgreSQL 12 recovers on the copy of a running server, and is stopped again: so the backup can be restored. */
export const recovery: Stage = {
  id: 'rehearsal-recovery',
  title: 'Recovery of PostgreSQL 12 on the copy',

  run: async (context) =>
    judge(
      await runJob(context, 'boot'),
      'Look at the storage and its snapshots. A copy that does not start is no backup.',
      ({ message, walEnd }) => passed(message, ...(walEnd ? [`The WAL of the copy ends at ${walEnd}`] : [])),
    ),
};

/** The very Job of the upgrade. */
export const pgUpgrade: Stage = {
  id: 'rehearsal-upgrade',
  title: 'pg_upgrade on the copy',

  run: async (context) =>
    judge(
      await runJob(context, 'upgrade'),
      "Correct what pg_upgrade names, on the server that runs. This run's log has the end of each log of pg_upgrade.",
      ({ oldVersion = '12', newVersion = '14', transfer = 'unknown', recovered }) => {
        const evidence = `pg_upgrade upgraded PostgreSQL ${oldVersion} to ${newVersion} (transfer mode ${transfer})`;
        return recovered === true
          ? warning(
              'Start the rehearsal again. If it stays, report it with the log.',
              evidence,
              'The Job had to recover PostgreSQL 12 first',
            )
          : passed(evidence);
      },
    ),
};

/** What an ended Job says; without a result of its own it has failed. */
function judge(end: JobEnd | string, remedy: string, judgeResult: (result: JobResult) => Answer): Answer {
  if (typeof end === 'string')
    return failed('Find out whose volume that is, and reserve it: set its claimRef. Then rehearse again.', end);
  if (end.exitCode === 0 && end.result !== undefined) return judgeResult(end.result);
  return failed(remedy, jobFailure(end));
}

/**
 * Runs a Job on the copy to its end. It stays until the sweep.
 * @returns why it was not followed, where the claim has no copy: the sweep ends it. Only a pod has Kubernetes choose the volume, in most classes
 */
async function runJob(context: RehearsalContext, command: RehearsalCommand): Promise<JobEnd | string> {
  const { cluster, target, settings, scripts, mark, inputs } = context;
  const wanted = rehearsalJob(target, settings, scripts, command, mark);
  const job = await cluster.create('jobs', wanted, { namespace: target.namespace });
  const pod = await waitForStart(context, job, inputs.jobStartTimeout);
  const obstacle = await obstacleOfVolume(cluster, target);
  if (obstacle !== undefined) return obstacle;
  return await followToEnd(context, pod, inputs.jobTimeout);
}
