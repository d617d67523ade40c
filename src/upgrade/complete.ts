import { endEarlierSessions } from '../database/clients.ts';
import { describe, endWith, sentence, UpgradeError, WaitError } from '../common/errors.ts';
import { known, type Known } from '../common/known.ts';
import { allNamed } from '../common/parallel.ts';
import { seeBackupReady, isUnconfirmed } from './backup/backup-ready.ts';
import { inGroup, interruptible, reverting, undoSteps } from './converge.ts';
import { closeJournal, finish } from './steps/finish.ts';
import { journalName } from '../objects/journal-name.ts';
import { endByHand } from '../journal/errors.ts';
import { removeAnchorOrTell } from './server/anchor.ts';
import { expectLossless } from './server/external-start.ts';
import { waitForServer } from './server/server-ready.ts';
import { positionInWal } from './steps/loss.ts';
import { hooksOf, improvements, ready, release, reversibleSteps, statistics, validation } from './plan.ts';
import { QuickPass } from './quick-pass.ts';
import { completed, type Ending } from './contract/ending.ts';
import type { Context, Step } from './contract/step.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';

/**
 * Completes the upgrade once PostgreSQL 14 serves: validates the data, improves the server, restarts the applications, rebuilds the statistics. Around the restart
 * it runs the administrator's hooks. If the validation fails, or the hook before the restart, it reverts to PostgreSQL 12. Afterwards nothing reverts by itself:
 * until the applications are restarted it goes on also when the run is cancelled, and only the statistics are left to another run then.
 * @returns `completed`, or how the revert ended
 * @throws UpgradeError when not all applications are ready, the statistics are left to another run, or a revert would lose data
 */
export async function completeUpgrade(given: Context): Promise<Ending> {
  const context = { ...given, signal: new AbortController().signal };
  context.results.serving = true;
  if (context.journal.noted.validated === undefined) {
    const ending = await orUndo(validation.title, validation.id, context, () => inPhase(context, validation));
    if (ending.end !== 'completed') return ending;
  }
  context.results.validated = true;
  for (const step of improvements) {
    await inPhaseOrWarn(context, step);
  }
  // SQL of an earlier run may still be at work in the pod. Where it can't be ended, nothing is reverted: PostgreSQL 14 is validated, and a run may follow.
  if (context.isResumed === true && context.journal.noted.step !== release.id)
    await endEarlierSessions(context.database);
  for (const hook of beforeRelease(context)) {
    const ending = await orUndo(hook.title, hook.id, context, () => inPhase(context, hook));
    if (ending.end !== 'completed') return ending;
  }
  const quick = new QuickPass(given);
  await quick.hold();
  // Somebody else may have set another image or restarted the server meanwhile.
  const seen: { position?: Known<string> | undefined } = {};
  const ending = await orUndo(ready.title, ready.id, context, () =>
    quick.beside(async () => {
      Object.assign(seen, await readyAndPosition(context));
    }),
  );
  if (ending.end !== 'completed') return ending;
  const unready = await quick.beside(async () => {
    await noteRelease(context, seen.position);
    return await restartBeside(quick, context);
  });
  await afterRelease(given, unready);
  if (context.journal.noted.statistics !== 'complete') await completeStatistics(given);
  await close(context, given.signal);
  if (unready !== undefined) throw unready;
  return completed;
}

/**
 * In one group of the log, since groups do not nest.
 * @returns what to report where some applications are not ready in time: all are asked for, and another run could do no more about it
 * @throws UpgradeError where not all are asked for
 */
async function restartBeside(quick: QuickPass, context: Context): Promise<UpgradeError | undefined> {
  return await context.log.group(release.title, async () => {
    const restart = context.timeline.phase(release.id, release.title, () => release.run(context));
    const estimated = quick.begin();
    let unready: UpgradeError | undefined;
    try {
      await Promise.all([restart, removeAnchorOrTell(context)]);
    } catch (error) {
      if (!(error instanceof WaitError)) throw explainUnreleased(error);
      unready = explainUnreleased(error);
      // At once: the statistics may take long.
      context.log.annotate('error', release.id, unready.message);
    }
    await estimated;
    return unready;
  });
}

/** Not where an earlier run has begun to restart the applications: it has done this before. */
function beforeRelease({ inputs, journal }: Context): readonly Step[] {
  return journal.noted.step === release.id ? [] : hooksOf(inputs).before;
}

/** Before the statistics, which may take hours: a rollback loses more the longer it is away. A cancellation ends it. A failure is told at once, and fails the run at its end. */
async function afterRelease(given: Context, unready: UpgradeError | undefined): Promise<void> {
  for (const hook of hooksOf(given.inputs).after) {
    if (unready !== undefined) {
      given.results.warnings.push(`The action did not run "${hook.id}", since not all applications are ready.`);
      continue;
    }
    try {
      await inPhase(given, hook);
    } catch (error) {
      if (!(error instanceof UpgradeError)) throw error;
      given.log.annotate('error', hook.id, error.message);
      given.results.unwell = error;
    }
  }
}

/** A cancellation ends it. @throws UpgradeError `statistics-pending` */
async function completeStatistics(given: Context): Promise<void> {
  try {
    await inPhase(interruptible(given), statistics.full);
  } catch (error) {
    if (!given.signal.aborted) given.results.warnings.push(`${statistics.full.title}: ${describe(error)}`);
    else
      throw new UpgradeError(
        'statistics-pending',
        'The run was cancelled before the statistics were complete. PostgreSQL 14 serves with the same data, and the applications are restarted. Queries of large tables may be slow.',
        'Run "mode: upgrade" again: it completes the statistics.',
        { cause: error },
      );
  }
}

/** No client has written yet, so a revert loses nothing, unless somebody else has started applications. */
async function orUndo(title: string, id: string, context: Context, act: () => Promise<void>): Promise<Ending> {
  try {
    await act();
    return completed;
  } catch (failure) {
    // An earlier run may have restarted them already.
    const isReleased = context.journal.noted.step === release.id;
    const isLeft = failure instanceof UpgradeError && failure.code === 'before-applications-left';
    if (isReleased || (!endWith(failure).undo && !isLeft)) throw failure;
    const reason = `${title}: ${sentence(describe(failure))}`;
    await expectLossless(context, reason, failure);
    if (isLeft) throw failure;
    context.log.annotate('error', id, `${reason} ${reverting}`);
    return await undoSteps(reversibleSteps, reason, context, failure);
  }
}

/** Waits for the server. Nobody writes yet, so the position in the WAL is read meanwhile, where no earlier run has noted it. */
async function readyAndPosition(context: Context): Promise<{ readonly position: Known<string> | undefined }> {
  const { journal, database } = context;
  const position = () => known(() => positionInWal(database));
  return await allNamed({
    ready: () => inPhase(context, ready),
    position: () => (journal.noted.released === undefined ? position() : Promise.resolve(undefined)),
  });
}

/** From here on the applications write, and a rollback loses that. So the journal notes it before. */
async function noteRelease(
  { journal, database, cluster, log, results }: Context,
  position: Known<string> | undefined,
): Promise<void> {
  if (position !== undefined) {
    try {
      const wal = position.known ? position.value : await positionInWal(database);
      await journal.noteAll({ released: { at: await cluster.now(), wal }, step: release.id });
      return;
    } catch (error) {
      log.info(
        `Could not note the position in the WAL, so a rollback could not say how much it loses: ${describe(error)}`,
      );
    }
  }
  try {
    await journal.note('step', release.id);
  } catch (error) {
    // No other run trusts a journal that somebody else has changed, so restarting the applications loses nothing.
    if (!isChanged(error)) throw error;
    results.warnings.push(`The journal could not note that the applications are restarted: ${describe(error)}`);
  }
}

function isChanged(error: unknown): boolean {
  return error instanceof UpgradeError && error.code === 'journal-changed';
}

/** @throws UpgradeError when PostgreSQL 14 does not serve, whatever somebody did to it meanwhile: another run resumes there */
async function close(context: Context, cancelled: AbortSignal): Promise<void> {
  await waitForServer(context, context.serving.reference);
  if (isUnconfirmed(context)) await inPhase({ ...context, signal: cancelled }, seeBackupReady);
  await inPhaseOrWarn(context, finish);
  try {
    await closeJournal(context, 'upgraded');
  } catch (error) {
    if (!isChanged(error)) throw error;
    context.results.warnings.push(
      `The upgrade is complete, but the action could not close its journal: ${describe(error)} Find out who writes to the journal, and delete it: ${copyable(shell`kubectl -n ${context.target.namespace} delete configmap ${journalName}`)}. Then remove its mark from the volume: ${copyable(endByHand(context.journal.volume))}`,
    );
  }
}

async function inPhase(context: Context, step: Step): Promise<void> {
  await inGroup(step.title, step.id, context, () => step.run(context));
}

/** For a step whose failure leaves an upgraded server all the same. */
async function inPhaseOrWarn(context: Context, step: Step): Promise<void> {
  try {
    await inPhase(context, step);
  } catch (error) {
    context.results.warnings.push(`${step.title}: ${describe(error)}`);
  }
}

function explainUnreleased(error: unknown): UpgradeError {
  const message = 'PostgreSQL 14 serves with the same data, but not all applications are ready:';
  return new UpgradeError(
    'applications-not-back',
    `${message} ${sentence(describe(error))}`,
    error instanceof WaitError
      ? 'Look at the pods that the message names. The upgrade itself is done.'
      : 'Run "mode: upgrade" again: it resumes with the applications.',
    { cause: error },
  );
}
