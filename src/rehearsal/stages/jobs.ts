import type { V1Pod } from '@kubernetes/client-node';
import { rehearsedJob } from '../../facts/facts.ts';
import { failed, passed, warning, type Answer } from '../../findings/finding.ts';
import { followToEnd, jobFailure, waitForStart, type JobEnd } from '../../job/follow-job.ts';
import type { JobResult } from '../../job/result.ts';
import { rehearsalJob, rehearsalName, type RehearsalCommand } from '../../objects/rehearsal.ts';
import { containerName } from '../../objects/upgrade-job.ts';
import { secondsSince } from '../../ports/clock.ts';
import { cutTiming } from '../../storage/cut-timing.ts';
import { seenImage } from '../../target/image-digests.ts';
import type { RehearsalContext } from '../context.ts';
import { withImage } from '../images.ts';
import type { Memory, Stage } from '../stage.ts';
import { obstacleOfVolume } from '../volume.ts';

/** PostgreSQL 12 recovers on the copy of a running server, and is stopped again: so the backup can be restored. */
export const recovery: Stage = {
  id: 'rehearsal-recovery',
  title: 'Recovery of PostgreSQL 12 on the copy',

  run: async (context, memory) =>
    await judge(
      context,
      await runJob(context, 'boot'),
      'Look at the storage and its snapshots. A copy that does not start is no backup.',
      (result) => judgeRecovery(context, memory, result),
    ),
};

/** That PostgreSQL 12 starts, and whether the snapshot was cut in time. */
function judgeRecovery({ target, copying }: RehearsalContext, memory: Memory, { message, walEnd }: JobResult): Answer {
  const evidence = [message, ...(walEnd ? [`The WAL of the copy ends at ${walEnd}`] : [])];
  if (copying.kind === 'clone') return passed(...evidence);
  const timing = cutTiming(rehearsalName(target), memory.mark, walEnd);
  memory.cuts = timing?.cuts;
  if (timing?.cuts === 'late')
    return warning(
      'The upgrade says the same, and waits until the backup is ready before it runs pg_upgrade. Report it to the vendor of the CSI driver.',
      ...evidence,
      timing.seen,
    );
  return passed(
    ...evidence,
    timing?.seen ??
      'It is unknown whether the storage cuts snapshots in time. So the upgrade proves its backup by itself',
  );
}

/** The very Job of the upgrade. */
export const pgUpgrade: Stage = {
  id: 'rehearsal-upgrade',
  title: 'pg_upgrade on the copy',

  async run(context, memory) {
    const run = await runJob(context, 'upgrade');
    if (typeof run !== 'string') {
      memory.upgradeImage = seenImage(run.pod, containerName)?.imageId;
      memory.seconds[rehearsedJob] = run.seconds;
    }
    return await judge(
      context,
      run,
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
    );
  },
};

/** A Job that was followed to its end. */
interface Run {
  readonly pod: V1Pod;
  readonly end: JobEnd;
  /** Since the pod runs. */
  readonly seconds: number;
}

/** What an ended Job says; without a result of its own it has failed. */
async function judge(
  context: RehearsalContext,
  run: Run | string,
  remedy: string,
  judgeResult: (result: JobResult) => Answer,
): Promise<Answer> {
  if (typeof run === 'string')
    return failed('Find out whose volume that is, and reserve it: set its claimRef. Then rehearse again.', run);
  const { end, pod } = run;
  if (end.exitCode !== 0 || end.result === undefined) return failed(remedy, jobFailure(end));
  return await withImage(context, context.seen.upgrade, seenImage(pod, containerName), judgeResult(end.result));
}

/**
 * Runs a Job on the copy to its end. It stays until the sweep.
 * @returns why it was not followed, where the claim has no copy: the sweep ends it. Only a pod has Kubernetes choose the volume, in most classes
 */
async function runJob(context: RehearsalContext, command: RehearsalCommand): Promise<Run | string> {
  const { cluster, target, settings, scripts, inputs, clock } = context;
  const wanted = rehearsalJob(target, settings, scripts, command, context);
  const job = await cluster.create('jobs', wanted, { namespace: target.namespace });
  const pod = await waitForStart(context, job, inputs.jobStartTimeout);
  const obstacle = await obstacleOfVolume(cluster, target);
  if (obstacle !== undefined) return obstacle;
  const begun = clock.monotonic();
  const end = await followToEnd(context, pod, inputs.jobTimeout);
  return { pod, end, seconds: secondsSince(clock, begun) };
}
