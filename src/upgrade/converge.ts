import { CancelledError, describe, isRunError, sentence, UpgradeError } from '../errors.ts';
import { removeTraces } from './finish.ts';
import { upgrade } from '../versions.ts';
import { journalName } from './journal.ts';
import type { Context, Step } from './step.ts';

/**
 * Runs the steps in order. When one fails, those that began are undone from
 * the last to the first, and only then does it say how the server was left.
 * @throws UpgradeError with the cause, and with what could not be undone
 */
export async function converge(steps: readonly Step[], context: Context): Promise<void> {
  const begun: Step[] = [];
  for (const step of steps) {
    try {
      if (context.signal.aborted) throw new CancelledError(`before: ${step.title}`);
      await context.journal.note('step', step.id);
      begun.push(step);
      await inGroup(step.title, step.id, context, () => step.run(context));
    } catch (error) {
      throw await goBack(begun, step, error, context);
    }
  }
}

async function goBack(begun: readonly Step[], failed: Step, cause: unknown, context: Context): Promise<UpgradeError> {
  // People are told at once; how the server was left, when it is known.
  context.log.annotate('error', failed.id, `${failed.title}: ${sentence(describe(cause))} Going back …`);
  // The way back must not be cut short by the cancellation that may have caused it.
  const unhurried: Context = { ...context, signal: new AbortController().signal };
  const remedy = isRunError(cause) ? cause.remedy : 'Look at the log above.';
  for (const step of begun.toReversed()) {
    if (step.undo === undefined) continue;
    const undo = step.undo.bind(step);
    try {
      await inGroup(`Going back: ${step.title}`, `undo-${step.id}`, unhurried, () => undo(unhurried));
    } catch (error) {
      const message = `${failed.title}: ${sentence(describe(cause))} Going back stopped at "${step.title}": ${describe(error)}`;
      return new UpgradeError('way-back-failed', message, isRunError(error) ? error.remedy : remedy, { cause });
    }
  }
  await removeTraces(unhurried);
  await noteReverted(context);
  const message = `${failed.title}: ${sentence(describe(cause))} PostgreSQL ${String(upgrade.from)} serves and the applications are back as they were.`;
  return new UpgradeError('reverted', message, remedy, { cause });
}

async function inGroup(title: string, id: string, context: Context, body: () => Promise<void>): Promise<void> {
  await context.log.group(title, () => context.timeline.phase(id, title, body));
}

/** Everything is back by now: that the journal could not be closed must not hide it. */
async function noteReverted({ journal, results }: Context): Promise<void> {
  try {
    await journal.note('outcome', 'reverted');
  } catch (error) {
    results.warnings.push(
      `The journal could not be closed; delete ConfigMap ${journalName} before the next upgrade: ${describe(error)}`,
    );
  }
}
