import { UpgradeError } from '../../common/errors.ts';
import { findUnreportedJob, planJob, runJob } from '../job/job-run.ts';
import { isAtWork, settle, stillRuns, type Settled } from '../job/settle.ts';
import { jobFailure, type JobEnd } from '../../job/follow-job.ts';
import { jobName } from '../../objects/upgrade-job.ts';
import { isAsPlanned } from '../../inputs/transfer.ts';
import { backupName } from '../../objects/backup.ts';
import { restoreOldData } from '../backup/restore.ts';
import { expectStopped } from '../server/external-start.ts';
import type { Context, Step } from '../contract/step.ts';

/** Runs pg_upgrade in a Job on the volume. A second Job undoes it, by what is on the disk. */
export const runUpgradeJob: Step = {
  id: 'upgrade-job',
  title: 'Run pg_upgrade in a Job',
  undoTitle: 'Restore the data directory of PostgreSQL 12',

  plan: (draft) => planJob(draft, 'upgrade'),

  async run(context) {
    const { log, results } = context;
    // Earlier than necessary: PostgreSQL 14 would not be started with them, so the Job would work for nothing.
    if ((await findUnreportedJob(context)) === undefined) await expectStopped(context);
    const end = await runJob(context, 'upgrade', (run) => {
      results.jobRun = run;
    });
    if (end.result !== undefined) results.job = end.result;
    if (end.exitCode !== 0 || end.result === undefined) {
      throw new UpgradeError(
        'job-failed',
        `The upgrade Job failed: ${jobFailure(end)}`,
        remedyOf(end, context.target.volume.mountPath),
      );
    }
    expectPlannedTransfer(context, end.result.transfer);
    if (end.result.recovered === true)
      results.warnings.push(
        'PostgreSQL 12 had not been shut down cleanly. The Job recovered it before the upgrade. The backup has the data from before that recovery.',
      );
    log.info(
      `pg_upgrade upgraded PostgreSQL ${end.result.oldVersion ?? '12'} to ${end.result.newVersion ?? '14'} (transfer mode ${end.result.transfer ?? 'unknown'})`,
    );
  },

  async expectNothingAtWork(context) {
    const run = context.results.jobRun ?? (await findUnreportedJob(context));
    if (run !== undefined && (await isAtWork(context, run.object))) throw stillRuns(context, jobName);
  },

  async undo(context) {
    const { results, log } = context;
    // The claim may be terminating already: no Job could start on it any more.
    if (context.journal.noted.exchange !== undefined) {
      await restore(context, undefined);
      return;
    }
    const { mayHaveRun, runs } = await settled(context);
    if (!mayHaveRun) {
      log.info('The upgrade Job did not start: the data directory is as it was');
      return;
    }
    // The result of one pod is not final if another pod was at work too.
    if (results.job?.reverted === true && runs < 2) {
      log.info('The Job itself restored the data directory of PostgreSQL 12');
      return;
    }
    const end = await runJob(context, 'revert');
    if (end.exitCode === 0 && end.result !== undefined) {
      log.info(end.result.message);
      return;
    }
    if (end.result?.outcome === 'served') {
      log.info(end.result.message);
      await restore(context, end.result.transfer);
      return;
    }
    throw new UpgradeError(
      'revert-failed',
      `The Job could not restore the data directory of PostgreSQL 12: ${jobFailure(end)}`,
      `The Job deleted nothing that is needed. Look at this run's log.${results.backup === undefined ? '' : ` ${backupName(results.backup)} has the data from before the upgrade.`}`,
    );
  },
};

function remedyOf({ disruption }: JobEnd, mountPath: string): string {
  return disruption === undefined
    ? `Look at this run's log: it has the end of each log of pg_upgrade. The whole files are on the volume in ${mountPath}/upgrade-logs.`
    : `Run again when nothing drains or removes nodes any more (${disruption}).`;
}

async function restore(context: Context, transfer: string | undefined): Promise<void> {
  await restoreOldData(context, transfer);
  context.results.serving = false;
}

/**
 * What the upgrade Job may have done, whether this run knows of it or not. If nothing is left of it, what it may have done counts as done.
 * @throws UpgradeError when the Job is at work
 */
async function settled(context: Context): Promise<Settled> {
  const told = context.results.jobRun;
  const heard = told?.phase === 'asked' ? undefined : told?.object;
  const object = heard ?? (await findUnreportedJob(context))?.object;
  // A Job that is gone may have been at work before somebody deleted it.
  if (object === undefined) return { mayHaveRun: told !== undefined || context.isResumed === true, runs: 0 };
  const { mayHaveRun, runs } = await settle(context, object);
  return { mayHaveRun: mayHaveRun || told?.phase === 'started' || told?.phase === 'ended', runs };
}

/** @throws UpgradeError when the Job transferred the files in another way than the input says */
function expectPlannedTransfer({ settings }: Context, ran: string | undefined): void {
  if (isAsPlanned(settings.transfer, ran)) return;
  throw new UpgradeError(
    'transfer-differs',
    `The upgrade Job ran in transfer mode "${ran ?? ''}", but the input "transfer" is "${settings.transfer}". The action keeps nothing of it.`,
    'The script of the Job and the action have different versions. Use all files of the action from one commit, then run again.',
  );
}
