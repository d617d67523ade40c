// Applications that somebody else starts while the upgrade has stopped them: most often a `helm upgrade` of a deployment pipeline, which sets replicas and
// images as the chart has them.
// Decision: docs/decisions/0004-scheduling-gate.md
import { sentence, UpgradeError } from '../../common/errors.ts';
import { workloadName, type Workload } from '../../target/applications.ts';
import { isGateSet } from './scheduling-gate.ts';
import type { Context } from '../contract/step.ts';

const remedy = 'Let no "helm upgrade" and no deployment run until the upgrade has come to its end, then run again.';

/**
 * Before anybody is served by 14: 12 still comes back without any loss.
 * @throws UpgradeError `applications-started` when one of the applications that were stopped is not any more
 */
export async function expectStopped(context: Context): Promise<void> {
  const started = await startedByOthers(context);
  if (started.length === 0) return;
  throw new UpgradeError(
    'applications-started',
    `While PostgreSQL was stopped, somebody else started ${started.join(', ')}.`,
    remedy,
  );
}

/**
 * Looks whether a way back by itself would lose something: 14 has been started without the gate, and applications which nobody of ours has started may have
 * written to it. That is noted, and then only `mode: rollback` goes back.
 * @param reason why it would go back, as a sentence
 * @throws UpgradeError `let-in-by-others`, which ends the run with 14 as it is
 */
export async function expectLossless(context: Context, reason: string, cause: unknown): Promise<void> {
  const { cluster, journal } = context;
  if (journal.noted.letIn === undefined) {
    if (await isGateSet(context)) return;
    const started = await startedByOthers(context);
    if (started.length === 0) return;
    await journal.note('letIn', `${started.join(', ')} at ${(await cluster.now()).toISOString()}`);
  }
  throw new UpgradeError(
    'let-in-by-others',
    `${reason} It does not go back, since that would lose what was written meanwhile: somebody else started ${sentence(journal.noted.letIn ?? '')}`,
    'Look at what the message says. "mode: upgrade" goes on with 14 then and only warns of what differs; "mode: rollback" says what 12 would lack and goes back. Let no "helm upgrade" run before.',
    { cause },
  );
}

async function startedByOthers({ cluster, target, journal }: Context): Promise<string[]> {
  const looks = journal.record.applications.map(async (workload) =>
    (await isStopped(cluster, target.namespace, workload)) ? [] : [workloadName(workload)],
  );
  return (await Promise.all(looks)).flat();
}

/** As the upgrade left it. One that is gone runs nothing, and a paused autoscaler starts nothing. */
export async function isStopped(
  cluster: Context['cluster'],
  namespace: string,
  { resource, name }: Workload,
): Promise<boolean> {
  if (resource === 'scaledobjects') return true;
  if (resource === 'cronjobs') {
    const now = await cluster.find(resource, name, namespace);
    return now === undefined || now.spec.suspend === true;
  }
  const now = await cluster.find(resource, name, namespace);
  return now === undefined || now.spec?.replicas === 0;
}
