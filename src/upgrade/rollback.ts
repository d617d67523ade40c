import type { Target } from '../target/target.ts';
import type { LeasedCluster } from '../ports/cluster.ts';
import { describe, sentence } from '../common/errors.ts';
import { startApplications, stopApplications } from './steps/applications.ts';
import type { WayBack } from './contract/ending.ts';
import { undoSteps } from './converge.ts';
import { closeJournal } from './steps/finish.ts';
import { Journal } from '../journal/journal.ts';
import { release, stepsToUndo } from './plan.ts';
import type { JournalSeal } from '../journal/seal.ts';
import type { Context } from './contract/step.ts';
import { uidsOf } from './upgrade.ts';

/** Whether the applications may have written to 14: then going back loses something. */
export function mayLose({ noted }: Journal): boolean {
  return noted.outcome === 'upgraded' || noted.step === release.id || noted.letIn !== undefined;
}

/**
 * Notes that it is to go back: in the journal of the upgrade that is under way,
 * or in a new one that takes over what the journal of a finished one knows. The
 * applications come back as they are now, not as they were before the upgrade.
 * Decision: docs/decisions/0009-resume-and-rollback.md
 * @param runId the run's address
 */
export async function beginRollback(
  cluster: LeasedCluster,
  { target, seal }: { readonly target: Target; readonly seal: JournalSeal },
  earlier: Journal<LeasedCluster>,
  { runId, startedAt, reason }: { runId: string; startedAt: string; reason: string },
): Promise<Journal<LeasedCluster>> {
  if (!earlier.isClosed) {
    if (earlier.noted.rollback === undefined) await earlier.note('rollback', reason);
    return earlier;
  }
  const { backup, measured, copy } = earlier.noted;
  const { name: volume = '' } = target.volume.persistentVolume?.metadata ?? {};
  return await Journal.begin(
    cluster,
    target.namespace,
    seal,
    {
      ...earlier.record,
      ...{ runId, startedAt, volume, uids: uidsOf(target) },
      reclaimPolicy: target.volume.persistentVolume?.spec?.persistentVolumeReclaimPolicy ?? 'Delete',
      replicas: target.replicas,
      applications: [...target.applications],
    },
    {
      ...(backup === undefined ? {} : { backup }),
      ...(measured === undefined ? {} : { measured }),
      ...(copy === undefined ? {} : { copy }),
      step: release.id,
      rollback: reason,
    },
  );
}

/**
 * Back to 12, from wherever the upgrade is: the applications are stopped where
 * they had been let in, then all steps are undone. Another run goes on with it.
 */
export async function rollBack(context: Context): Promise<WayBack> {
  const { noted } = context.journal;
  const reason = sentence(noted.rollback ?? '');
  if (noted.back === undefined && mayLose(context.journal)) {
    try {
      await context.log.group(stopApplications.title, () => stopApplications.run(context));
    } catch (error) {
      return await abandon(context, `${stopApplications.title}: ${sentence(describe(error))}`, error);
    }
  }
  return await undoSteps(stepsToUndo(noted), reason, context);
}

/** Until 14 is stopped, nothing has begun that can't be left. */
async function abandon(context: Context, reason: string, cause: unknown): Promise<WayBack> {
  const unhurried = { ...context, signal: new AbortController().signal };
  try {
    await startApplications(unhurried);
    if (context.journal.noted.validated !== undefined) await closeJournal(context, 'upgraded');
  } catch (error) {
    context.results.warnings.push(`Not all applications are back: ${describe(error)}`);
  }
  return {
    end: 'not-rolled-back',
    message: `${reason} PostgreSQL 14 still serves, and nothing was taken back.`,
    remedy: { text: 'Remove the cause, then run "mode: rollback" again.' },
    cause,
  };
}
