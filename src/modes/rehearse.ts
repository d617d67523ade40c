import { describe, isLeaseLost, PrecheckError, sentence } from '../common/errors.ts';
import { seenBy } from '../facts/job-of.ts';
import { blocks, statusText } from '../findings/finding.ts';
import { ofRehearsal } from '../journal/seal.ts';
import { expectNoUpgrade, withRehearsalLease } from '../rehearsal/lease.ts';
import type { LeasedCluster } from '../ports/cluster.ts';
import { planRehearsal } from '../rehearsal/plan.ts';
import { proofOf } from '../rehearsal/backup-proof.ts';
import { identityOf, writeRecord } from '../rehearsal/record.ts';
import { hasRun, rehearse, type Rehearsal, type RehearsalFinding } from '../rehearsal/rehearse.ts';
import { settingsDigest } from '../rehearsal/settings-digest.ts';
import { remedyText } from '../text/remedy.ts';
import { verdictOf } from '../prechecks/judge.ts';
import { checkServer, findServer, type CheckedServer } from './check-server.ts';
import type { ClusterModeContext } from './mode.ts';

/**
 * Runs every check, and then the whole upgrade on a copy of the volume, while production serves.
 * @throws PrecheckError when a check blocks the upgrade, when the server can't be rehearsed, or when the rehearsal did not pass
 */
export async function rehearseUpgrade(given: ClusterModeContext): Promise<void> {
  const { context, server: found } = await findServer(given);
  const { cluster, inputs, progress, log, runId, scripts } = context;
  await expectNoUpgrade(cluster, found);
  const checked = await checkServer(context, found);
  if (checked === undefined) return;
  // Until it has passed: the checks alone have.
  progress.verdict = 'failed';
  const mark = { runId, begunAt: await cluster.now() };
  const plan = planRehearsal(checked.facts, mark);
  const { findings } = await withRehearsalLease(context, found, runId, {
    rehearse: async (leased) => {
      context.runner.saveState('rehearsed', inputs.namespace);
      const given = { ...context, ...plan, cluster: leased, target: checked.target, scripts: scripts.job, mark };
      return await rehearse({ ...given, database: checked.database.over(leased) });
    },
    keep: (leased, rehearsal) => keepRecord(context, checked, leased, rehearsal),
  });
  progress.rehearsal = findings;
  progress.verdict = verdictOf([...progress.findings, ...findings]);
  for (const finding of findings) tell(log, finding);
  const blocking = findings.filter((finding) => blocks(finding, inputs.failOn));
  if (blocking.length === 0) {
    log.annotate('notice', 'rehearsed', 'The upgrade passed on a copy of the volume.');
    return;
  }
  throw new PrecheckError(
    'rehearsal-failed',
    `The rehearsal did not pass. ${blocking.filter(hasRun).map(blockingText).join(' ')} Production is as it was.`,
    'Do what each of them says, in the log. Then rehearse again.',
  );
}

/** For the upgrade that comes next. What fails here only keeps that from counting the rehearsal. */
async function keepRecord(
  { runId, timeline, log, inputs, scripts, version }: ClusterModeContext,
  { target, facts, seal }: CheckedServer,
  leased: LeasedCluster,
  { findings, databases, images, seconds, restored }: Rehearsal,
): Promise<void> {
  const passed = !findings.some((finding) => blocks(finding, inputs.failOn));
  // One that did not pass may have run none.
  const probes = passed ? [] : [facts.upgradeProbe, facts.servingProbe];
  const [ofJob, ofServer] = probes.map((probe) => seenBy(probe)?.imageId ?? '');
  const [upgradeImage = ofJob, servingImage = ofServer] = images;
  const identity = databases && identityOf(target, databases);
  const settings = settingsDigest(facts, { version, scripts });
  const isOfKnown = identity !== undefined && settings !== undefined;
  if (!isOfKnown || databases === undefined || upgradeImage === undefined || servingImage === undefined) {
    const why = 'it is not known which server, schema, settings or images it was of';
    if (passed)
      log.annotate('warning', 'rehearsal', `The result does not count for an upgrade, and is not kept: ${why}`);
    return;
  }
  const stages = timeline.phases.filter(({ id }) => id.startsWith('rehearsal-'));
  const secondsOf = Object.fromEntries(stages.map(({ id, seconds: of }) => [id, of]));
  const proof = proofOf(facts, restored);
  try {
    await writeRecord(leased, target.namespace, seal.for(ofRehearsal), {
      schema: 2,
      runId,
      endedAt: (await leased.now()).toISOString(),
      passed,
      rehearsed: { server: identity, settings, images: [upgradeImage, servingImage], databases },
      seconds: { ...secondsOf, ...seconds },
      ...(proof === undefined ? {} : { proof }),
    });
  } catch (error) {
    if (isLeaseLost(error)) throw error;
    log.annotate('warning', 'rehearsal', `The result of the rehearsal could not be kept: ${describe(error)}`);
  }
}

function blockingText(finding: RehearsalFinding): string {
  return sentence(`${finding.title} (${statusText(finding)}): ${finding.evidence[0] ?? ''}`);
}

function tell(log: ClusterModeContext['log'], finding: RehearsalFinding): void {
  const { title, id, evidence, remedy } = finding;
  log.info(`${title} (${id}: ${statusText(finding)})`);
  for (const line of evidence) log.info(`    ${line}`);
  if (remedy !== undefined) log.info(`What to do: ${remedyText(remedy)}`);
}
