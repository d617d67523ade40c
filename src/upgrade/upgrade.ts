import type { Facts } from '../prechecks/facts.ts';
import { converge } from './converge.ts';
import { finish } from './finish.ts';
import { Journal, type JournalRecord } from './journal.ts';
import { improvements, release, reversibleSteps, validation } from './plan.ts';
import { jobSettings } from './settings.ts';
import type { Context, Results, Step } from './step.ts';
import { serverImage } from '../target/target.ts';
import { describe, isRunError, PrecheckError, sentence, UpgradeError } from '../errors.ts';

export type Preparation = Pick<
  Context,
  'cluster' | 'clock' | 'log' | 'signal' | 'database' | 'scripts' | 'timeline' | 'results'
> & { readonly facts: Facts; readonly runId: string };

/**
 * The upgrade itself, after all checks have passed.
 * @throws UpgradeError when a step failed; it says how the server was left
 */
export async function runUpgrade({ facts, runId, ...given }: Preparation): Promise<Results> {
  const { inputs, target, serving } = facts;
  const { server, databases, snapshotClass } = facts;
  if (!server.known || !databases.known || !snapshotClass.known || snapshotClass.value.chosen === undefined) {
    throw new PrecheckError(
      'facts-missing',
      'The checks left facts unknown that the upgrade needs.',
      'Run the checks again.',
    );
  }
  const record: JournalRecord = {
    schema: 1,
    runId,
    startedAt: given.clock.now().toISOString(),
    statefulSet: target.name,
    claim: target.volume.claimName,
    image: serverImage(target),
    newImage: serving.reference,
    replicas: target.replicas,
    applications: [...target.applications],
  };
  const journal = await Journal.begin(given.cluster, target.namespace, record);
  const context: Context = {
    ...given,
    inputs,
    target,
    serving,
    journal,
    snapshotClass: snapshotClass.value.chosen.metadata.name,
    settings: jobSettings(inputs, server.value, databases.value, runId),
  };
  await converge(reversibleSteps, context);
  await goOn({ ...context, signal: new AbortController().signal });
  return context.results;
}

/** After 14 has served there is no way back by itself, so the run goes on to its end, also when it is cancelled. */
async function goOn(context: Context): Promise<void> {
  context.results.serving = true;
  await phase(context, validation, explainUnvalidated);
  for (const step of improvements) {
    await phase(context, step, (error) => {
      context.results.warnings.push(`${step.title}: ${describe(error)}`);
    });
  }
  context.results.validated = true;
  await context.journal.note('outcome', 'upgraded');
  try {
    await phase(context, release, explainUnreleased);
  } finally {
    await phase(context, finish, (error) => {
      context.results.warnings.push(`${finish.title}: ${describe(error)}`);
    });
  }
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
    known?.code === 'data-differs' ? known.remedy : 'The README says how to go on ("If a run was interrupted").',
    { cause: error },
  );
}

function explainUnreleased(error: unknown): never {
  throw new UpgradeError(
    'applications-not-back',
    `PostgreSQL 14 serves with the same data, but the applications are not all back: ${sentence(describe(error))}`,
    'Look at the pods that are named. The upgrade itself is done and must not be run again; put the image into values.yaml.',
    { cause: error },
  );
}
