import { describe, isRunError, sentence, UpgradeError, WaitError } from '../errors.ts';
import { finish } from './finish.ts';
import { improvements, release, validation } from './plan.ts';
import type { Context, Step } from './step.ts';

/**
 * From 14 that serves to applications that are back. There is no way back by
 * itself any more, so it goes to its end, also when the run is cancelled.
 * @throws UpgradeError when the data is not validated, or not all applications are back
 */
export async function goOn(interruptible: Context): Promise<void> {
  const context = { ...interruptible, signal: new AbortController().signal };
  context.results.serving = true;
  if (context.journal.noted.validated === undefined) await phase(context, validation, explainUnvalidated);
  context.results.validated = true;
  for (const step of improvements) {
    await phase(context, step, (error) => {
      context.results.warnings.push(`${step.title}: ${describe(error)}`);
    });
  }
  await context.journal.note('step', release.id);
  try {
    await phase(context, release, (error) => {
      throw error;
    });
  } catch (error) {
    // They are asked for; that one of them does not become ready is its own matter, and no other run can do more.
    if (error instanceof WaitError) await close(context);
    throw explainUnreleased(error);
  }
  await close(context);
}

async function close(context: Context): Promise<void> {
  await phase(context, finish, (error) => {
    context.results.warnings.push(`${finish.title}: ${describe(error)}`);
  });
  await context.journal.note('outcome', 'upgraded');
}

async function phase(context: Context, step: Step, onError: (error: unknown) => void): Promise<void> {
  try {
    await context.log.group(step.title, () => context.timeline.phase(step.id, step.title, () => step.run(context)));
  } catch (error) {
    onError(error);
  }
}

function explainUnvalidated(error: unknown): never {
  const known = isRunError(error) ? error : undefined;
  throw new UpgradeError(
    known?.code ?? 'unvalidated',
    `PostgreSQL 14 serves, but its data is not validated, so the applications are still stopped: ${sentence(describe(error))}`,
    known?.code === 'data-differs' ? known.remedy : 'Run "mode: upgrade" again: it goes on with the comparison.',
    { cause: error },
  );
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
