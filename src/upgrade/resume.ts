import type { LeasedCluster } from '../ports/cluster.ts';
import { activate } from './steps/activate.ts';
import { awaitBackup } from './backup/backup-ready.ts';
import { endCopyJob } from './backup/cold-copy.ts';
import { notedResults } from './backup/noted-results.ts';
import { completeUpgrade } from './complete.ts';
import type { Ending } from './contract/ending.ts';
import { converge, undoSteps } from './converge.ts';
import type { Journal } from '../journal/journal.ts';
import { release, reversibleSteps, stepsToUndo } from './plan.ts';
import { removeAnchor } from './server/anchor.ts';
import { expectConfirmed } from './recorded.ts';
import { rollBack } from './rollback.ts';
import type { Context } from './contract/step.ts';
import { contextOf } from './upgrade.ts';
import { runUpgradeJob } from './steps/upgrade-job.ts';

/**
 * Resumes an upgrade whose run ended in the middle: completes it or, if that
 * run had begun to revert, completes the revert. Each step sees for itself what is done already.
 * Decision: docs/decisions/0009-resume-and-rollback.md
 * @throws UpgradeError where neither forward nor back is possible now, or the journal is not confirmed
 */
export async function resumeUpgrade(
  given: Omit<Context, 'serving' | 'settings' | 'snapshotClass' | 'journal' | 'isResumed'>,
  journal: Journal<LeasedCluster>,
): Promise<Ending> {
  const context: Context = { ...contextOf(given, journal), isResumed: true };
  await expectConfirmed(context);
  const { noted, record } = journal;
  context.log.info(`Resuming the upgrade that ${record.runId} began at ${record.startedAt}: ${stateOf(journal)}`);
  Object.assign(context.results, notedResults(journal));
  // Nothing is known of how it was made and what happened since.
  await removeAnchor(context);
  await endCopyJob(context);
  if (noted.rollback !== undefined) return await rollBack(context);
  if (noted.back !== undefined) return await undoSteps(stepsToUndo(noted), noted.back, context);
  if (noted.validated !== undefined) {
    await context.log.group(activate.title, () => activate.run(context));
  } else {
    const { before, rest } = cut(noted.step);
    const ending = await converge(rest, context, before);
    if (ending.end !== 'completed') return ending;
  }
  return await completeUpgrade(context);
}

function stateOf({ noted }: Journal): string {
  if (noted.back !== undefined) return `it was undoing the steps (last undone: ${noted.undone ?? 'none'})`;
  if (noted.step === release.id) return 'PostgreSQL 14 serves, and the applications were being restarted';
  if (noted.validated !== undefined) return 'PostgreSQL 14 serves, and its data is validated';
  return noted.step === undefined ? 'it had changed nothing yet' : `its last step was ${noted.step}`;
}

/**
 * The steps that are complete, and those to run. Up to the backup all of them
 * run again, since somebody may have started something meanwhile. From the Job
 * on the volume no longer has the data of PostgreSQL 12 alone.
 */
function cut(step: string | undefined) {
  const isBehind = step === runUpgradeJob.id || step === awaitBackup.id || step === activate.id;
  const index = isBehind ? reversibleSteps.findIndex((s) => s.id === step) : 0;
  return { before: reversibleSteps.slice(0, index), rest: reversibleSteps.slice(index) };
}
