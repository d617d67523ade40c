import { UpgradeError } from '../../common/errors.ts';
import {
  isAtWork,
  jobFailure,
  planJob,
  runJob,
  settle,
  stillRuns,
  findUnreportedJob,
  type Settled,
} from '../job/job-run.ts';
import type { JobEnd } from '../../job/follow-job.ts';
import { jobName } from '../../objects/upgrade-job.ts';
import { isAsPlanned } from '../../inputs/transfer.ts';
import { backupName } from '../../objects/backup.ts';
import { bringBackServed } from '../backup/restore.ts';
import { expectStopped } from '../server/external-start.ts';
import type { Context, Step } from '../contract/step.ts';

/** Runs pg_upgrade in a Job on the volume; takes it back by a second one, by what is on the disk. */
export const runUpgradeJob: Step = {
  id: 'upgrade-job',
  title: 'Run pg_upgrade in a Job',

  plan: (draft) => planJob(draft, 'upgrade'),

  async run(context) {
    const { log, results } = context;
    // Earlier than it must be: 14 would not be let out for them, and what the Job does would be for nothing.
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
        'The old server had not been shut down cleanly; the Job recovered it before the upgrade. The backup holds it as it was before that.',
      );
    log.info(
      `pg_upgrade (transfer mode ${end.result.transfer ?? 'unknown'}) took the data from ${end.result.oldVersion ?? '12'} to ${end.result.newVersion ?? '14'}`,
    );
  },

  async expectNothingAtWork(context) {
    const run = context.results.jobRun ?? (await findUnreportedJob(context));
    if (run !== undefined && (await isAtWork(context, run.object))) throw stillRuns(context, jobName);
  },

  async undo(context) {
    const { results, log } = context;
    // Its claim may be going already: no Job could start on it any more.
    if (context.journal.noted.exchange !== undefined) {
      await restore(context, undefined);
      return;
    }
    const { mayHaveRun, runs } = await settled(context);
    if (!mayHaveRun) return;
    // What one pod says is not the last word where another one was at work too.
    if (results.job?.reverted === true && runs < 2) {
      log.info('The Job itself brought the old data directory back');
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
      `The data directory could not be taken back: ${jobFailure(end)}`,
      `Nothing was deleted that is needed. Look at the log above${results.backup === undefined ? '' : `; ${backupName(results.backup)} has the data as it was`}.`,
    );
  },
};

function remedyOf({ disruption }: JobEnd, mountPath: string): string {
  return disruption === undefined
    ? `The log above has the end of each log of pg_upgrade; the whole files are in ${mountPath}/upgrade-logs.`
    : `Run again when nothing drains or takes away nodes any more (${disruption}).`;
}

async function restore(context: Context, transfer: string | undefined): Promise<void> {
  await bringBackServed(context, transfer);
  context.results.serving = false;
}

/**
 * What the upgrade Job may have done. Whether this run has heard of it or not, and where nothing is left of it, what may have been done counts as done.
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

/** @throws UpgradeError when the files went over in another way than the inputs asked for */
function expectPlannedTransfer({ settings }: Context, ran: string | undefined): void {
  if (isAsPlanned(settings.transfer, ran)) return;
  throw new UpgradeError(
    'transfer-differs',
    `The upgrade Job ran in transfer mode "${ran ?? ''}", and "${settings.transfer}" was planned.`,
    'The script of the Job and the action do not fit: see that the action is used as a whole, by one version. Nothing of it is kept.',
  );
}
