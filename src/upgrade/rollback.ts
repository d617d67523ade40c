import type { Target } from '../target/target.ts';
import type { LeasedCluster } from '../ports/cluster.ts';
import { describe, sentence } from '../common/errors.ts';
import { startApplications, stopApplications } from './steps/applications.ts';
import type { WayBack } from './contract/ending.ts';
import { undoSteps } from './converge.ts';
import { removeAnchor } from './server/anchor.ts';
import { closeJournal } from './steps/finish.ts';
import { Journal } from '../journal/journal.ts';
import { release, stepsToUndo } from './plan.ts';
import type { JournalSeal } from '../journal/seal.ts';
import type { Context } from './contract/step.ts';
import { uidsOf } from './upgrade.ts';
import { notedResults } from './backup/noted-results.ts';

/** Whether applications may have written to PostgreSQL 14: then a rollback loses data. */
export function mayLose({ noted }: Journal): boolean {
  return noted.outcome === 'upgraded' || noted.step === release.id || noted.letIn !== undefined;
}

/**
 * Notes the rollback: in the journal of the upgrade that is under way,
 * or in a new one that takes over the notes of a finished upgrade. After a finished
 * upgrade the applications are restarted as they are now, not as they were before the upgrade.
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
 * Rolls back to PostgreSQL 12 from any state of the upgrade: stops the applications if
 * they had been restarted, then undoes all steps. Another run can resume it.
 */
export async function rollBack(context: Context): Promise<WayBack> {
  Object.assign(context.results, notedResults(context.journal));
  const { noted } = context.journal;
  const reason = sentence(noted.rollback ?? '');
  // Of the upgrade that was under way.
  await removeAnchor(context);
  if (noted.back === undefined && mayLose(context.journal)) {
    try {
      await context.log.group(stopApplications.title, () => stopApplications.run(context));
    } catch (error) {
      return await abandon(context, `${stopApplications.title}: ${sentence(describe(error))}`, error);
    }
  }
  return await undoSteps(stepsToUndo(noted), reason, context);
}

/** Before PostgreSQL 14 is stopped, the rollback can still be abandoned. */
async function abandon(context: Context, reason: string, cause: unknown): Promise<WayBack> {
  const unhurried = { ...context, signal: new AbortController().signal };
  try {
    await startApplications(unhurried);
    if (context.journal.noted.validated !== undefined) await closeJournal(context, 'upgraded');
  } catch (error) {
    context.results.warnings.push(`Not all applications are ready: ${describe(error)}`);
  }
  return {
    end: 'not-rolled-back',
    message: `${reason} PostgreSQL 14 still serves, and the action undid no step.`,
    remedy: { text: 'Fix what the message says, then run "mode: rollback" again.' },
    cause,
  };
}
