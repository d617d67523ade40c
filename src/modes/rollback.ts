import type { Consent } from '../inputs/consent.ts';
import { PrecheckError, UpgradeError } from '../common/errors.ts';
import type { ClusterReader, LeasedCluster } from '../ports/cluster.ts';
import { valuesUpdate } from '../pull-request/values-update.ts';
import { parseImage, type Image } from '../common/image.ts';
import { volumeName } from '../target/target.ts';
import { Journal } from '../journal/journal.ts';
import { awaitNoHolder } from '../lock/lease.ts';
import { lossOfRollback } from '../upgrade/steps/loss.ts';
import { withUpgradeLease } from '../lock/upgrade-lease.ts';
import { expectConfirmed, isOfFormerStatefulSet } from '../upgrade/recorded.ts';
import { expectReverted } from '../upgrade/contract/ending.ts';
import { beginRollback, mayLose, rollBack } from '../upgrade/rollback.ts';
import { noteLetIn, startedOnFourteen } from '../upgrade/server/external-start.ts';
import { contextOf } from '../upgrade/upgrade.ts';
import { beginWithoutJournal, readEvidence } from '../upgrade/without-journal.ts';
import { findServer, type FoundServer } from './check-server.ts';
import type { ClusterModeContext } from './mode.ts';
import { publishValues } from './pull-request.ts';

/**
 * Rolls back to PostgreSQL 12 from an upgrade that is under way or done. Reports first what would
 * be lost, and changes nothing without consent to that.
 * @throws PrecheckError when the consent is missing; UpgradeError when there is nothing to roll back, or the rollback failed
 */
export async function rollback(given: ClusterModeContext): Promise<void> {
  // Before anything is read: a run that lives still changes it.
  await awaitNoHolder(given, given.inputs.namespace);
  const { context, server: found } = await findServer(given);
  const { cluster, inputs, runId } = context;
  const { consent } = inputs;
  if (consent?.withoutJournal === true) {
    await rollbackWithoutJournal(context, found, consent);
    return;
  }
  const earlier = await Journal.find(cluster, inputs.namespace, found.seal, volumeName(found.target));
  if (earlier === undefined || earlier.noted.outcome === 'reverted') throw nothingToRollBack(earlier);
  await expectConfirmed({ cluster, inputs, target: found.target, journal: earlier });
  const { target } = found;
  const isLossy =
    earlier.noted.rollback === undefined &&
    (mayLose(earlier) || (await startedOnFourteen({ cluster, target, journal: earlier })).length > 0);
  if (isLossy) await expectConsent(context, found, earlier);
  context.runner.saveState('began', inputs.namespace);
  const { applications } = earlier.isClosed ? found.target : earlier.record;
  const theirs = { ...earlier.record, applications, namespace: inputs.namespace };
  await withUpgradeLease(context, theirs, runId, async (ours) => {
    const now = await Journal.find(ours, inputs.namespace, found.seal, volumeName(found.target));
    if (now === undefined || now.noted.outcome === 'reverted') throw nothingToRollBack(now);
    await expectConfirmed({ cluster: ours, inputs, target: found.target, journal: now });
    const started = await startedOnFourteen({ cluster: ours, target, journal: now });
    if (started.length > 0 && !mayLose(now)) {
      if (!isLossy) await expectConsent(context, found, now);
      await noteLetIn({ cluster: ours, journal: now }, started);
    }
    const journal = await beginRollback(ours, found, now, {
      runId,
      startedAt: (await ours.now()).toISOString(),
      reason: `${runId} ran "mode: rollback"`,
    });
    await completeRollback(context, found, ours, journal);
  });
  await reportRollback(context, earlier.record.image);
}

/**
 * Rolls back to PostgreSQL 12 where the journal can't be trusted. Reports first what it would use, and needs consent twice, since what it loses is unknown.
 * @throws PrecheckError when the journal can be trusted after all, or the consent is missing
 */
async function rollbackWithoutJournal(
  context: ClusterModeContext,
  found: FoundServer,
  consent: Consent,
): Promise<void> {
  const { cluster, inputs, log, runId } = context;
  const { namespace } = inputs;
  await expectDoubt(cluster, found, namespace);
  const startedAt = (await cluster.now()).toISOString();
  const evidence = await readEvidence(cluster, { inputs, target: found.target, consent, runId, startedAt });
  await log.group('What a rollback without the journal would use', () => {
    for (const line of evidence.lines) log.info(line);
    return Promise.resolve();
  });
  if (!inputs.acceptDataLoss)
    throw new PrecheckError(
      'consent-missing',
      `Without the journal, the action can't tell what a rollback to PostgreSQL 12 would lose. It would use this: ${evidence.lines.join('; ')}. Nothing was changed.`,
      'If all of that is right, also set "accept-data-loss: true" (outside of GitHub: `--accept-data-loss`).',
    );
  context.runner.saveState('began', namespace);
  await withUpgradeLease(context, { ...evidence.record, namespace }, runId, async (ours) => {
    await expectDoubt(ours, found, namespace);
    const reason = `${runId} ran "mode: rollback" without the journal`;
    const journal = await beginWithoutJournal(ours, found.seal, namespace, evidence, reason);
    await completeRollback(context, found, ours, journal);
  });
  context.progress.results.warnings.push(
    `The applications are as they were when this run began. ${evidence.lines.slice(2).join('; ')}`,
  );
  await reportRollback(context, evidence.record.image);
}

/** @throws PrecheckError for a journal that can be trusted and is this server's: it holds more than the cluster shows */
async function expectDoubt(cluster: ClusterReader, { target, seal }: FoundServer, namespace: string): Promise<void> {
  let journal: Journal | undefined;
  try {
    journal = await Journal.find(cluster, namespace, seal, volumeName(target));
  } catch (error) {
    if (error instanceof UpgradeError) return;
    throw error;
  }
  if (journal === undefined || isOfFormerStatefulSet(journal, target)) return;
  throw new PrecheckError(
    'journal-authentic',
    `The journal in namespace ${namespace} is authentic, so the rollback must use it. Nothing was changed.`,
    `Set "confirm: ${namespace}".`,
  );
}

async function completeRollback(
  context: ClusterModeContext,
  found: FoundServer,
  ours: LeasedCluster,
  journal: Journal<LeasedCluster>,
): Promise<void> {
  const { results } = context.progress;
  const database = found.database.over(ours);
  const given = { ...context, ...found, cluster: ours, database, scripts: context.scripts.job, results };
  expectReverted(await rollBack({ ...contextOf(given, journal), isResumed: true }));
}

async function reportRollback(context: ClusterModeContext, reference: string): Promise<void> {
  const { progress, log, inputs } = context;
  progress.verdict = 'rolled-back';
  const image = parseImage(reference);
  if (image !== undefined) progress.image = image;
  log.annotate('notice', 'rolled back', `PostgreSQL 12 serves again in namespace ${inputs.namespace}.`);
  await publishFormer(context, reference, image);
}

/** values.yaml must name the image of PostgreSQL 12 again; the inputs name that of PostgreSQL 14. */
async function publishFormer(context: ClusterModeContext, reference: string, image: Image | undefined): Promise<void> {
  const { pullRequest, inputs, runId, progress } = context;
  if (pullRequest === undefined) return;
  const settings = image && valuesUpdate(inputs, image, runId);
  if (settings === undefined) {
    progress.results.warnings.push(
      `values.yaml must name ${reference} again. The action opened no pull request for it, since that image has no tag.`,
    );
    return;
  }
  await publishValues({ ...context, pullRequest: { ...pullRequest, settings } });
}

async function expectConsent(
  { inputs, log }: ClusterModeContext,
  { database }: FoundServer,
  earlier: Journal,
): Promise<void> {
  const loss = await log.group('What a rollback to PostgreSQL 12 would lose', async () => {
    const lines = await lossOfRollback(database, earlier, log);
    for (const line of lines) log.info(line);
    return lines;
  });
  if (inputs.acceptDataLoss) return;
  throw new PrecheckError(
    'consent-missing',
    `The applications have been restarted on PostgreSQL 14. A rollback to PostgreSQL 12 would lose what they have written since: ${loss.slice(0, 5).join('; ')}${loss.length > 5 ? ` … (${String(loss.length)} lines in the log)` : ''}. Nothing was changed.`,
    'To lose that and roll back, set "accept-data-loss: true" (outside of GitHub: `--accept-data-loss`).',
  );
}

function nothingToRollBack(journal: Journal | undefined): UpgradeError {
  return new UpgradeError(
    'nothing-to-roll-back',
    journal === undefined
      ? 'There is no upgrade in this namespace to roll back.'
      : `The last upgrade (begun at ${journal.record.startedAt}) was undone already. Reason: ${journal.noted.back ?? ''}`,
    'Run "mode: status" to see where the server stands.',
  );
}
