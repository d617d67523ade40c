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

/** Follows the reason in the annotation. */
export const reverting = `Reverting to PostgreSQL ${String(upgrade.from)} …`;

/**
 * Runs the steps in order. When one fails, it undoes those that began, from
 * the last to the first, and then reports how the server was left.
 * @param before steps that another run has done, which are undone with the others
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
      if (context.signal.aborted && step.isUninterruptible !== true)
        throw new CancelledError(`about to run step "${step.title}"`);
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
      // At once: how the server was left is reported when it is known.
      context.log.annotate('error', step.id, `${reason} ${reverting}`);
      return await undoSteps(begun, reason, context, error);
    }
  }
  return completed;
}

/**
 * Undoes the steps from the last to the first.
 * @param reason why, as a sentence; the journal notes it, so that another run resumes the undoing
 * @param cause what failed, where something did
 */
export async function undoSteps(
  begun: readonly Step[],
  reason: string,
  context: Context,
  cause?: unknown,
): Promise<WayBack> {
  await noteOrLog(context, 'back', reason);
  // From here on PostgreSQL 14 is not what is to stay.
  context.results.validated = false;
  // The cancellation that may have caused it must not cut it short.
  const unhurried = uninterrupted(context);
  const remedy = isRunError(cause) ? cause.remedy : { text: "Look at this run's log." };
  for (const step of begun.toReversed()) {
    if (step.undo === undefined) continue;
    const undo = step.undo.bind(step);
    try {
      await inGroup(step.undoTitle ?? `Undo: ${step.title}`, `undo-${step.id}`, unhurried, () =>
        persistently(unhurried, () => undo(unhurried)),
      );
      await noteOrLog(context, 'undone', step.id);
    } catch (error) {
      const message = `${reason} The action could not undo step "${step.title}": ${sentence(describe(error))} The scheduling gate may still keep PostgreSQL stopped, and the applications may still be stopped.`;
      return { end: 'way-back-failed', message, remedy: isRunError(error) ? error.remedy : remedy, cause };
    }
  }
  await removeTraces(unhurried);
  await noteReverted(context);
  return { end: 'reverted', message: `${reason} ${await howItWasLeft(unhurried)}`, remedy, cause };
}

/** A cancellation then also ends a call that is under way. Undoing runs without this, since it must come to its end. */
export function interruptible(context: Context): Context {
  const cluster = context.cluster.interruptedBy(context.signal);
  return { ...context, cluster, database: context.database.over(cluster) };
}

function uninterrupted(context: Context): Context {
  return { ...context, signal: new AbortController().signal };
}

/** Reports only what is seen. */
async function howItWasLeft({ database, results }: Context): Promise<string> {
  const applications = 'the applications are as they were before.';
  try {
    await database.read('template1', 'SELECT 1;');
    return `PostgreSQL ${String(upgrade.from)} serves, and ${applications}`;
  } catch (error) {
    results.warnings.push(`PostgreSQL does not answer: ${describe(error)}`);
    return `PostgreSQL does not answer, although all steps are undone; ${applications}`;
  }
}

/** A group of the log and a phase of the timeline. */
export async function inGroup(title: string, id: string, context: Context, body: () => Promise<void>): Promise<void> {
  await context.log.group(title, () => context.timeline.phase(id, title, body));
}

const persistence = 10 * 60_000;

/** Undoing that stops half-way is worse than undoing that takes longer. An undo acts on what the cluster shows, so it may be repeated. */
async function persistently({ clock, log }: Context, undo: () => Promise<void>): Promise<void> {
  const start = clock.monotonic();
  for (;;) {
    try {
      await undo();
      return;
    } catch (error) {
      if (!(isAway(error) || isConflict(error)) || clock.monotonic() - start > persistence) throw error;
      log.info(`${sentence(describe(error))} Waiting 5 s before the next attempt`);
      await clock.sleep(5000);
    }
  }
}

/** A note that fails must not stop the undoing; another run would only begin at an earlier step. */
async function noteOrLog<N extends 'back' | 'undone'>(
  { journal, log }: Context,
  name: N,
  value: Notes[N],
): Promise<void> {
  try {
    await journal.note(name, value);
  } catch (error) {
    log.info(`Could not write the journal: ${describe(error)}`);
  }
}

/** All steps are undone by now: a journal that could not be closed must not hide that. */
async function noteReverted(context: Context): Promise<void> {
  try {
    await closeJournal(context, 'reverted');
  } catch (error) {
    context.results.warnings.push(
      `The action could not close the journal: ${sentence(describe(error))} Before the next upgrade, delete it: ${copyable(shell`kubectl -n ${context.target.namespace} delete configmap ${journalName}`)}. Then remove its mark from the volume: ${copyable(endByHand(context.journal.volume))}`,
    );
  }
}
