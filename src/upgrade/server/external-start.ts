// Applications that somebody else starts although the upgrade has stopped them: mostly a `helm upgrade` by a deployment pipeline, which sets replicas and
// images as in the chart.
// Decision: docs/decisions/0004-scheduling-gate.md
import { sentence, UpgradeError } from '../../common/errors.ts';
import type { Journal } from '../../journal/journal.ts';
import type { ClusterReader, LeasedCluster } from '../../ports/cluster.ts';
import { workloadName, type Workload } from '../../target/applications.ts';
import { isGateSet, type Looking } from './scheduling-gate.ts';
import type { Context } from '../contract/step.ts';

/** Of the step that starts PostgreSQL 14 (steps/activate.ts). */
const activateId = 'activate';

const remedy = 'Do not run "helm upgrade" or a deployment until the upgrade has ended. Then run again.';

/**
 * Before PostgreSQL 14 serves anybody: a revert still loses nothing.
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
 * Expects that a revert would lose nothing. If PostgreSQL 14 has been started without the gate, applications that somebody else started may have
 * written to it. Then the journal notes that, and only `mode: rollback` restores PostgreSQL 12.
 * @param reason why the action would revert, as a sentence
 * @throws UpgradeError `let-in-by-others`, which ends the run and leaves PostgreSQL 14 as it is
 */
export async function expectLossless(context: Context, reason: string, cause: unknown): Promise<void> {
  const { journal } = context;
  if (journal.noted.letIn === undefined) {
    const started = await startedUngated(context);
    if (started.length === 0) return;
    await noteLetIn(context, started);
  }
  throw new UpgradeError(
    'let-in-by-others',
    `${reason} The action does not revert, since that could lose what applications have written meanwhile. Somebody else started ${sentence(journal.noted.letIn ?? '')}`,
    'Fix what the message says, and do not run "helm upgrade" meanwhile. Then run "mode: upgrade" to continue with PostgreSQL 14: it only warns of data that differs. Or run "mode: rollback" to restore PostgreSQL 12: it first says what that would lose.',
    { cause },
  );
}

/** What it takes to look at the applications, too. */
type LookingAtAll = Looking & { readonly journal: Journal };

/**
 * Applications that somebody else has started on the PostgreSQL 14 of an upgrade that is not done: they may have written to it, as those may that the upgrade
 * restarts. None where the upgrade had not come so far, or was going back, or where a rollback was noted: it had what consent it needed.
 */
export async function startedOnFourteen(looking: LookingAtAll): Promise<string[]> {
  const { noted, isClosed } = looking.journal;
  const hasServed = noted.validated !== undefined || noted.step === activateId;
  if (isClosed || noted.back !== undefined || noted.rollback !== undefined || !hasServed) return [];
  return await startedUngated(looking);
}

/** From then on, a way back to PostgreSQL 12 needs consent. */
export async function noteLetIn(
  { cluster, journal }: { readonly cluster: ClusterReader; readonly journal: Journal<LeasedCluster> },
  started: readonly string[],
): Promise<void> {
  await journal.note('letIn', `${started.join(', ')} at ${(await cluster.now()).toISOString()}`);
}

async function startedUngated(looking: LookingAtAll): Promise<string[]> {
  return (await isGateSet(looking)) ? [] : await startedByOthers(looking);
}

async function startedByOthers({ cluster, target, journal }: LookingAtAll): Promise<string[]> {
  const looks = journal.record.applications.map(async (workload) =>
    (await isStopped(cluster, target.namespace, workload)) ? [] : [workloadName(workload)],
  );
  return (await Promise.all(looks)).flat();
}

/** Whether the workload is as the upgrade left it. A deleted one runs nothing, and a paused autoscaler starts nothing. */
export async function isStopped(
  cluster: ClusterReader,
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
