import { describe, endWith, sentence, UpgradeError, WaitError } from '../common/errors.ts';
import { inGroup, undoSteps } from './converge.ts';
import { closeJournal, finish } from './steps/finish.ts';
import { journalName } from '../objects/journal-name.ts';
import { endByHand } from '../journal/errors.ts';
import { expectLossless } from './server/external-start.ts';
import { releasePoint } from './steps/loss.ts';
import { improvements, release, reversibleSteps, validation } from './plan.ts';
import { waitForServer } from './server/server-ready.ts';
import { completed, type Ending } from './contract/ending.ts';
import type { Context, Step } from './contract/step.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';

/**
 * From 14 that serves to applications that are back. A validation that fails
 * goes back to 12. After it there is no way back by itself any more, so it goes
 * to its end, also when the run is cancelled.
 * @returns `completed`, or how the way back ended
 * @throws UpgradeError when not all applications are back, or going back would lose data
 */
export async function completeUpgrade(interruptible: Context): Promise<Ending> {
  const context = { ...interruptible, signal: new AbortController().signal };
  context.results.serving = true;
  if (context.journal.noted.validated === undefined) {
    const ending = await orUndo(validation.title, validation.id, context, () => inPhase(context, validation));
    if (ending.end !== 'completed') return ending;
  }
  context.results.validated = true;
  for (const step of improvements) {
    await inPhaseOrWarn(context, step);
  }
  // Somebody else may have set another image or restarted it meanwhile.
  const ending = await orUndo('Let the applications in', release.id, context, () =>
    waitForServer(context, context.serving.reference),
  );
  if (ending.end !== 'completed') return ending;
  await noteRelease(context);
  try {
    await inPhase(context, release);
  } catch (error) {
    // They are asked for; that one of them does not become ready is its own matter, and no other run can do more.
    if (error instanceof WaitError) await close(context);
    throw explainUnreleased(error);
  }
  await close(context);
  return completed;
}

/** Nobody has written yet, so going back loses nothing; unless somebody else has let applications in. */
async function orUndo(title: string, id: string, context: Context, act: () => Promise<void>): Promise<Ending> {
  try {
    await act();
    return completed;
  } catch (failure) {
    // An earlier run may have let them in already.
    if (!endWith(failure).undo || context.journal.noted.step === release.id) throw failure;
    const reason = `${title}: ${sentence(describe(failure))}`;
    await expectLossless(context, reason, failure);
    context.log.annotate('error', id, `${reason} Going back …`);
    return await undoSteps(reversibleSteps, reason, context, failure);
  }
}

/** From here on they write, and going back loses that: so it is noted before. */
async function noteRelease({ journal, database, cluster, log, results }: Context): Promise<void> {
  if (journal.noted.released === undefined) {
    try {
      await journal.note('released', await releasePoint(database, await cluster.now()));
    } catch (error) {
      log.info(
        `Where the WAL is could not be noted, so a rollback could not say how much it loses: ${describe(error)}`,
      );
    }
  }
  try {
    await journal.note('step', release.id);
  } catch (error) {
    // No other run goes by a journal that somebody else has changed, so nothing is lost by letting the applications in.
    if (!isChanged(error)) throw error;
    results.warnings.push(`It could not be noted that the applications are let in: ${describe(error)}`);
  }
}

function isChanged(error: unknown): boolean {
  return error instanceof UpgradeError && error.code === 'journal-changed';
}

/** @throws UpgradeError when 14 does not serve, whatever it was that somebody did to it meanwhile: another run goes on from there */
async function close(context: Context): Promise<void> {
  await waitForServer(context, context.serving.reference);
  await inPhaseOrWarn(context, finish);
  try {
    await closeJournal(context, 'upgraded');
  } catch (error) {
    if (!isChanged(error)) throw error;
    context.results.warnings.push(
      `The upgrade is complete, but its journal could not be closed: ${describe(error)} Find out who writes to it, and remove it: ${copyable(shell`kubectl -n ${context.target.namespace} delete configmap ${journalName}`)}, and take its mark off the volume: ${copyable(endByHand(context.journal.volume))}`,
    );
  }
}

async function inPhase(context: Context, step: Step): Promise<void> {
  await inGroup(step.title, step.id, context, () => step.run(context));
}

/** A step whose failure leaves a server that is upgraded all the same. */
async function inPhaseOrWarn(context: Context, step: Step): Promise<void> {
  try {
    await inPhase(context, step);
  } catch (error) {
    context.results.warnings.push(`${step.title}: ${describe(error)}`);
  }
}

function explainUnreleased(error: unknown): UpgradeError {
  const message = 'PostgreSQL 14 serves with the same data, but the applications are not all back:';
  return new UpgradeError(
    'applications-not-back',
    `${message} ${sentence(describe(error))}`,
    error instanceof WaitError
      ? 'Look at the pods that are named. The upgrade itself is done.'
      : 'Run "mode: upgrade" again: it goes on with the applications.',
    { cause: error },
  );
}
