import { CancelledError, describe, PrecheckError, UpgradeError } from '../common/errors.ts';
import { discover } from '../target/discover.ts';
import type { Target } from '../target/target.ts';
import { backupName } from '../objects/backup.ts';
import { expectCompleted } from '../upgrade/contract/ending.ts';
import { runUpgrade } from '../upgrade/upgrade.ts';
import { expectNoHolder, releaseExpired } from '../upgrade/lock/lease.ts';
import { withUpgradeLease } from '../upgrade/lock/upgrade-lease.ts';
import { findJournal } from '../journal/find-journal.ts';
import type { Journal } from '../journal/journal.ts';
import { expectConfirmed } from '../upgrade/recorded.ts';
import { resumeUpgrade } from '../upgrade/resume.ts';
import { checkServer, findServer, type FoundServer } from './check-server.ts';
import { dryRun } from './dry-run.ts';
import type { ClusterModeContext } from './mode.ts';
import { publishValues } from './pull-request.ts';

/**
 * The checks, the upgrade, and the pull request for values.yaml.
 * @throws PrecheckError, UpgradeError; ConfigurationError or GitHubError when only the pull request failed
 */
export async function upgrade(context: ClusterModeContext): Promise<void> {
  if (context.inputs.dryRun) {
    await dryRun(context);
    return;
  }
  const { progress, timeline, inputs, log } = context;
  const { results } = progress;
  const found = await findServer(context);
  const journal = await findJournal(context.cluster, found.target, found.seal);
  try {
    if (journal?.isClosed === false) await resume(context, found, journal);
    else if (!(await begin(context, found))) {
      await publishValues(context);
      return;
    }
  } catch (error) {
    // An application that does not come back changes nothing about what values.yaml has to say.
    const isAnothersNow = error instanceof UpgradeError && error.code === 'lease-lost';
    if (results.validated && !isAnothersNow) await publishOrWarn(context);
    throw error;
  }
  progress.verdict = 'upgraded';
  log.annotate(
    'notice',
    'upgraded',
    `PostgreSQL ${results.job?.newVersion ?? ''} serves in namespace ${inputs.namespace}; downtime ${String(timeline.downtimeSeconds ?? 0)} s.`,
  );
  await publishUpgrade(context);
}

/** @returns false when there is nothing to upgrade */
async function begin(context: ClusterModeContext, found: FoundServer): Promise<boolean> {
  const { progress, inputs, signal, scripts, runId } = context;
  await expectNoHolder(context.cluster, inputs.namespace);
  const checked = await checkServer(context, found);
  if (checked === undefined) {
    await releaseExpired(context, inputs.namespace, runId);
    return false;
  }
  // From here on a cancellation has something to take back.
  if (signal.aborted) throw new CancelledError('the checks ran; the upgrade has not begun');
  context.runner.saveState('began', inputs.namespace);
  const { name: statefulSet, namespace, applications } = checked.target;
  const volume = checked.target.volume.persistentVolume?.metadata?.name ?? '';
  await withUpgradeLease(context, { namespace, statefulSet, applications, volume }, runId, async (cluster) => {
    expectUnchanged(checked.target, await discover(cluster, inputs));
    const database = checked.database.over(cluster);
    const given = { ...context, ...checked, cluster, database, scripts: scripts.job, results: progress.results };
    // While the Lease is held: its loss is told instead of what a way back says of a server that another run changes by now.
    expectCompleted(await runUpgrade(given));
  });
  return true;
}

async function resume(context: ClusterModeContext, found: FoundServer, earlier: Journal): Promise<void> {
  const { progress, log, scripts, inputs, runId } = context;
  const { servingImage: serving } = inputs;
  const { reference } = earlier.record.serving;
  if (reference !== serving.reference) {
    log.annotate(
      'warning',
      'upgrade',
      `The unfinished upgrade goes to ${reference}, not to ${serving.reference} as the inputs say now; it goes on with its own image.`,
    );
  }
  await expectConfirmed({ ...context, target: found.target, journal: earlier });
  context.runner.saveState('began', inputs.namespace);
  await withUpgradeLease(context, { ...earlier.record, namespace: inputs.namespace }, runId, async (cluster) => {
    // Until the Lease was taken, the run that had it may have gone on.
    const journal = await findJournal(cluster, found.target, found.seal);
    if (journal === undefined || journal.isClosed) throw endedMeanwhile();
    const database = found.database.over(cluster);
    const given = { ...context, ...found, cluster, database, scripts: scripts.job, results: progress.results };
    expectCompleted(await resumeUpgrade(given, journal));
  });
}

function endedMeanwhile(): UpgradeError {
  return new UpgradeError(
    'ended-meanwhile',
    'Another run brought the upgrade to its end just now. This one changed nothing.',
    'Run again: it tells what serves now.',
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
    context.progress.results.warnings.push(`The pull request for values.yaml could not be made: ${describe(error)}`);
  }
}

/** The checks may have taken minutes: what is recorded and brought back must be what is there now. */
function expectUnchanged(checked: Target, now: Target): void {
  const facts = ({ statefulSet, replicas, container, volume, applications }: Target) =>
    JSON.stringify([statefulSet.metadata?.uid, replicas, container.image, volume.claim.metadata?.uid, applications]);
  if (facts(checked) === facts(now)) return;
  throw new PrecheckError(
    'changed-meanwhile',
    'The StatefulSet or the applications were changed while the checks ran.',
    'Let the change come to its end, then run again.',
  );
}
