import { CancelledError, describe, endWith, isRunError, sentence } from '../common/errors.ts';
import { isAway, isConflict } from '../ports/cluster-answers.ts';
import { closeJournal, removeTraces } from './steps/finish.ts';
import { upgrade } from '../common/versions.ts';
import { endByHand } from '../journal/errors.ts';
import { journalName } from '../objects/journal-name.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';
import type { Notes } from '../journal/notes.ts';
import { expectLossless } from './server/external-start.ts';
import { completed, type Ending, type WayBack } from './contract/ending.ts';
import type { Context, Step } from './contract/step.ts';

/**
 * Runs the steps in order. When one fails, those that began are undone from
 * the last to the first, and only then does it say how the server was left.
 * @param before steps that another run has done, to be undone with the others
 * @returns `completed` when all steps are done, else how the way back ended
 * @throws UpgradeError where neither forward nor back is possible now, and everything was left as it is
 */
export async function converge(
  steps: readonly Step[],
  context: Context,
  before: readonly Step[] = [],
): Promise<Ending> {
  const begun = [...before];
  for (const step of steps) {
    try {
      if (context.signal.aborted && step.isUninterruptible !== true) throw new CancelledError(`before: ${step.title}`);
      await context.journal.note('step', step.id);
      begun.push(step);
      await inGroup(step.title, step.id, context, () =>
        step.run(step.isUninterruptible === true ? uninterrupted(context) : interruptible(context)),
      );
    } catch (error) {
      if (!endWith(error).undo) throw error;
      if (error instanceof CancelledError) await step.expectNothingAtWork?.(context);
      const reason = `${step.title}: ${sentence(describe(error))}`;
      if (step.serves === true) await expectLossless(context, reason, error);
      // People are told at once; how the server was left, when it is known.
      context.log.annotate('error', step.id, `${reason} Going back …`);
      return await undoSteps(begun, reason, context, error);
    }
  }
  return completed;
}

/**
 * Undoes the steps from the last to the first.
 * @param reason why, as a sentence; it is noted, so that another run goes on going back
 * @param cause what failed, where something did
 */
export async function undoSteps(
  begun: readonly Step[],
  reason: string,
  context: Context,
  cause?: unknown,
): Promise<WayBack> {
  await noteOrLog(context, 'back', reason);
  // The way back must not be cut short by the cancellation that may have caused it.
  const unhurried = uninterrupted(context);
  const remedy = isRunError(cause) ? cause.remedy : { text: 'Look at the log above.' };
  for (const step of begun.toReversed()) {
    if (step.undo === undefined) continue;
    const undo = step.undo.bind(step);
    try {
      await inGroup(`Going back: ${step.title}`, `undo-${step.id}`, unhurried, () =>
        persistently(unhurried, () => undo(unhurried)),
      );
      await noteOrLog(context, 'undone', step.id);
    } catch (error) {
      const message = `${reason} Going back stopped at "${step.title}": ${sentence(describe(error))} PostgreSQL may be stopped behind its scheduling gate, and the applications may still be stopped.`;
      return { end: 'way-back-failed', message, remedy: isRunError(error) ? error.remedy : remedy, cause };
    }
  }
  await removeTraces(unhurried);
  await noteReverted(context);
  return { end: 'reverted', message: `${reason} ${await howItWasLeft(unhurried)}`, remedy, cause };
}

/** A cancellation ends the calls too that it waits for. Without this none does: the way back has to come to its end. */
function interruptible(context: Context): Context {
  const cluster = context.cluster.interruptedBy(context.signal);
  return { ...context, cluster, database: context.database.over(cluster) };
}

function uninterrupted(context: Context): Context {
  return { ...context, signal: new AbortController().signal };
}

/** Only what is seen is said. */
async function howItWasLeft({ database, results }: Context): Promise<string> {
  const applications = 'the applications are back as they were.';
  try {
    await database.read('template1', 'SELECT 1;');
    return `PostgreSQL ${String(upgrade.from)} serves and ${applications}`;
  } catch (error) {
    results.warnings.push(`PostgreSQL does not answer: ${describe(error)}`);
    return `PostgreSQL does not answer, although nothing of the upgrade is left; ${applications}`;
  }
}

/** A group of the log and a phase of the timeline. */
export async function inGroup(title: string, id: string, context: Context, body: () => Promise<void>): Promise<void> {
  await context.log.group(title, () => context.timeline.phase(id, title, body));
}

const persistence = 10 * 60_000;

/** A way back that ends half-way is worse than one that takes longer. An undo goes by what the cluster shows, so it may be repeated. */
async function persistently({ clock, log }: Context, undo: () => Promise<void>): Promise<void> {
  const start = clock.monotonic();
  for (;;) {
    try {
      await undo();
      return;
    } catch (error) {
      if (!(isAway(error) || isConflict(error)) || clock.monotonic() - start > persistence) throw error;
      log.info(`${sentence(describe(error))} Trying again in 5 s`);
      await clock.sleep(5000);
    }
  }
}

/** A note that can't be made keeps nothing from being put back; another run would then begin at an earlier step. */
async function noteOrLog<N extends 'back' | 'undone'>(
  { journal, log }: Context,
  name: N,
  value: Notes[N],
): Promise<void> {
  try {
    await journal.note(name, value);
  } catch (error) {
    log.info(`The journal could not be written: ${describe(error)}`);
  }
}

/** Everything is back by now: that the journal could not be closed must not hide it. */
async function noteReverted(context: Context): Promise<void> {
  try {
    await closeJournal(context, 'reverted');
  } catch (error) {
    context.results.warnings.push(
      `The journal could not be closed: ${sentence(describe(error))} Before the next upgrade, delete it: ${copyable(shell`kubectl -n ${context.target.namespace} delete configmap ${journalName}`)}, and take its mark off the volume: ${copyable(endByHand(context.journal.volume))}`,
    );
  }
}
