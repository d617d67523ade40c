import type { Facts } from '../prechecks/facts.ts';
import { converge } from './converge.ts';
import { finish } from './finish.ts';
import { Journal, type JournalRecord } from './journal.ts';
import { release, reversibleSteps } from './plan.ts';
import { jobSettings } from './settings.ts';
import type { Context, Results } from './step.ts';
import { serverImage } from '../target/target.ts';
import { PrecheckError } from '../errors.ts';

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
  await given.log.group(release.title, () =>
    given.timeline.phase(release.id, release.title, () => release.run(context)),
  );
  await given.log.group(finish.title, () => given.timeline.phase(finish.id, finish.title, () => finish.run(context)));
  return context.results;
}
