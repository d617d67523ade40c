import { CancelledError, describe, PrecheckError, UpgradeError } from '../common/errors.ts';
import { discover } from '../target/discover.ts';
import { serverImage, type Target } from '../target/target.ts';
import { backupName } from '../objects/backup.ts';
import { expectCompleted } from '../upgrade/contract/ending.ts';
import { expectShortPlan, expectStartInTime } from '../upgrade/steps/gates.ts';
import { draftUpgrade, runUpgrade } from '../upgrade/upgrade.ts';
import { awaitNoHolder, releaseExpired } from '../lock/lease.ts';
import { withUpgradeLease } from '../lock/upgrade-lease.ts';
import { rehearsalsOf } from '../rehearsal/lease.ts';
import { findJournal } from '../journal/find-journal.ts';
import type { Journal } from '../journal/journal.ts';
import { expectConfirmed } from '../upgrade/recorded.ts';
import { resumeUpgrade } from '../upgrade/resume.ts';
import { checkServer, findServer, withRehearsal, type FoundServer } from './check-server.ts';
import { dryRun } from './dry-run.ts';
import type { ClusterModeContext } from './mode.ts';
import { publishValues } from './pull-request.ts';

/**
 * The checks, the upgrade, and the pull request for values.yaml.
 * @throws PrecheckError, UpgradeError; ConfigurationError or GitHubError when only the pull request failed
 */
export async function upgrade(given: ClusterModeContext): Promise<void> {
  if (given.inputs.dryRun) {
    await dryRun(given);
    return;
  }
  // Before anything is read: a run that lives still changes it.
  await awaitNoHolder(given, given.inputs.namespace);
  const { context, server: found } = await findServer(given);
  const { progress, timeline, inputs, log } = context;
  const { results } = progress;
  const rehearsals = rehearsalsOf(context, context.runId, { ...context, target: found.target });
  const journal = await findJournal(context.cluster, found.target, found.seal);
  try {
    if (journal?.isClosed === false) await resume(context, found, journal, rehearsals);
    else if (!(await begin(context, found, rehearsals, journal))) {
      await publishValues(context);
      return;
    }
  } catch (error) {
    // Whether or not all applications are ready, values.yaml must name the new image.
    const isAnothersNow = error instanceof UpgradeError && error.code === 'lease-lost';
    if (results.validated && !isAnothersNow) await publishOrWarn(context);
    throw error;
  }
  progress.verdict = 'upgraded';
  const { downtimeSeconds = 0, statisticsSeconds } = timeline;
  const statistics =
    statisticsSeconds === undefined
      ? ''
      : ` The statistics were complete ${String(statisticsSeconds)} s after its begin.`;
  log.annotate(
    'notice',
    'upgraded',
    `PostgreSQL ${results.job?.newVersion ?? ''} serves in namespace ${inputs.namespace}; the downtime was ${String(downtimeSeconds)} s.${statistics}`,
  );
  try {
    if (results.unwell === undefined) await publishUpgrade(context);
    else await publishOrWarn(context);
  } finally {
    // Last, and without the upgrade's Lease: nobody has to wait for it.
    await rehearsals.sweepAgain();
  }
  if (results.unwell !== undefined) throw results.unwell;
}

type Rehearsals = ReturnType<typeof rehearsalsOf>;

/**
 * @param earlier journal of the last upgrade
 * @returns false when there is nothing to upgrade
 */
async function begin(
  context: ClusterModeContext,
  found: FoundServer,
  rehearsals: Rehearsals,
  earlier: Journal | undefined,
): Promise<boolean> {
  const { progress, inputs, signal, scripts, runId } = context;
  // Before checks that take minutes; where PostgreSQL 14 serves already, they only say so.
  if (serverImage(found.target) !== inputs.servingImage.reference) await expectStartInTime(context);
  const judged = await checkServer(context, found);
  if (judged === undefined) {
    await releaseExpired(context, inputs.namespace, runId);
    return false;
  }
  const checked = await withRehearsal(context, judged, earlier);
  if (inputs.maxDowntime !== undefined)
    expectShortPlan(inputs, draftUpgrade(checked.facts, scripts.job, runId, context.clock.now()), context.log);
  // From here on a cancellation has something to undo.
  if (signal.aborted) throw new CancelledError('the checks ran; the upgrade had not begun');
  context.runner.saveState('began', inputs.namespace);
  const { name: statefulSet, namespace, applications } = checked.target;
  const volume = checked.target.volume.persistentVolume?.metadata?.name ?? '';
  await withUpgradeLease(context, { namespace, statefulSet, applications, volume }, runId, async (cluster) => {
    // May take minutes: what the journal records is looked at after it.
    await rehearsals.end();
    expectUnchanged(checked.target, await discover(cluster, inputs));
    const { sweepAgain: sweepRehearsals } = rehearsals;
    const database = checked.database.over(cluster);
    const given = { ...context, ...checked, cluster, database, scripts: scripts.job, results: progress.results };
    // While the Lease is held: otherwise a lost Lease would be reported as a failed revert of a server that another run changes.
    expectCompleted(await runUpgrade({ ...given, sweepRehearsals }));
  });
  return true;
}

async function resume(
  context: ClusterModeContext,
  found: FoundServer,
  earlier: Journal,
  rehearsals: Rehearsals,
): Promise<void> {
  const { progress, log, scripts, inputs, runId } = context;
  const { servingImage: serving } = inputs;
  const { reference } = earlier.record.serving;
  if (reference !== serving.reference) {
    log.annotate(
      'warning',
      'upgrade',
      `The unfinished upgrade uses image ${reference}, but the inputs now say ${serving.reference}. The action resumes it with ${reference}.`,
    );
  }
  await expectConfirmed({ ...context, target: found.target, journal: earlier });
  context.runner.saveState('began', inputs.namespace);
  await withUpgradeLease(context, { ...earlier.record, namespace: inputs.namespace }, runId, async (cluster) => {
    // Until this run took the Lease, the run that held it may have written.
    const journal = await findJournal(cluster, found.target, found.seal);
    if (journal === undefined || journal.isClosed) throw endedMeanwhile();
    const database = found.database.over(cluster);
    const given = { ...context, ...found, cluster, database, scripts: scripts.job, results: progress.results };
    const { sweepAgain: sweepRehearsals } = rehearsals;
    expectCompleted(await resumeUpgrade({ ...given, sweepRehearsals }, journal));
  });
}

function endedMeanwhile(): UpgradeError {
  return new UpgradeError(
    'ended-meanwhile',
    'Another run has just completed or undone the upgrade. This run changed nothing.',
    'Run again: the run then reports which version serves.',
  );
}

async function publishUpgrade(context: ClusterModeContext): Promise<void> {
  const { progress, timeline } = context;
  const { job, backup } = progress.results;
  await publishValues(context, {
    before: job?.oldVersion ?? '12',
    after: job?.newVersion ?? '14',
    phases: [...timeline.phases],
    downtimeSeconds: timeline.downtimeSeconds,
    backup: backup && backupName(backup),
  });
}

async function publishOrWarn(context: ClusterModeContext): Promise<void> {
  try {
    await publishUpgrade(context);
  } catch (error) {
    context.progress.results.warnings.push(
      `The action could not create the pull request for values.yaml: ${describe(error)}`,
    );
  }
}

/** The checks may have taken minutes: what the journal records, and a revert restores, must be the present state. */
function expectUnchanged(checked: Target, now: Target): void {
  const facts = ({ statefulSet, replicas, container, volume, applications }: Target) =>
    JSON.stringify([statefulSet.metadata?.uid, replicas, container.image, volume.claim.metadata?.uid, applications]);
  if (facts(checked) === facts(now)) return;
  throw new PrecheckError(
    'changed-meanwhile',
    'Somebody changed the StatefulSet or the applications while the checks ran. The upgrade was not begun.',
    'Wait until that change is complete, then run again.',
  );
}
