import type { LeasedCluster } from '../ports/cluster.ts';
import type { Facts, FactsWithRehearsal } from '../facts/facts.ts';
import { seeBackupReady } from './backup/backup-ready.ts';
import { converge } from './converge.ts';
import { Journal } from '../journal/journal.ts';
import { seenImageGrammar, type JournalRecord } from '../journal/record.ts';
import type { JournalSeal } from '../journal/seal.ts';
import { hooksOf, reversibleSteps, improvements, ready, release, statistics, validation } from './plan.ts';
import type { PlannedStep } from '../report/planned-step.ts';
import { jobOf, recordedBy } from '../facts/job-of.ts';
import { completeUpgrade } from './complete.ts';
import type { Ending } from './contract/ending.ts';
import type { Context, PlanContext, Step } from './contract/step.ts';
import type { RecordedImage } from '../target/image-digests.ts';
import { serverImage, type Target } from '../target/target.ts';
import { PrecheckError } from '../common/errors.ts';
import { planBeginning } from './steps/begin.ts';
import { expectedSeconds, spreadOf } from './expected-seconds.ts';
import { finish } from './steps/finish.ts';
import { stopApplications } from './steps/applications.ts';

export type UpgradeRequest = Pick<
  Context,
  | ('cluster' | 'clock' | 'log' | 'signal' | 'database' | 'scripts' | 'timeline' | 'results' | 'runCommands')
  | 'sweepRehearsals'
> & { readonly facts: FactsWithRehearsal; readonly runId: string; readonly seal: JournalSeal };

/**
 * The upgrade itself, after all checks have passed.
 * @returns `completed`, or how the revert ended
 * @throws UpgradeError where neither forward nor back is possible now
 */
export async function runUpgrade({ facts, runId, seal, ...given }: UpgradeRequest): Promise<Ending> {
  const { inputs, target } = facts;
  const record = recordOf(facts, runId, given.clock.now());
  const journal = await Journal.begin(given.cluster, target.namespace, seal, record);
  const { rehearsalProof: rehearsal } = facts;
  const downtime = downtimeSteps(facts).map(({ id, title }) => ({ id, title, ...spreadOf(id, facts) }));
  const context = contextOf({ ...given, inputs, target, rehearsal, downtime }, journal);
  given.timeline.expect(expectedTimes(facts));
  const ending = await converge(reversibleSteps, context);
  return ending.end === 'completed' ? await completeUpgrade(context) : ending;
}

/**
 * What the upgrade would do, without doing any of it.
 * @throws PrecheckError when facts that it needs are unknown
 */
export function draftUpgrade(
  facts: FactsWithRehearsal,
  scripts: Context['scripts'],
  runId: string,
  now: Date,
): PlannedStep[] {
  const { inputs, target, rehearsalProof: rehearsal } = facts;
  const record = recordOf(facts, runId, now);
  return planUpgrade({ inputs, target, scripts, record, rehearsal, ...settled(record) }, facts);
}

/**
 * What the journal begins with.
 * @throws PrecheckError when facts are unknown that the upgrade needs
 */
function recordOf(facts: Facts, runId: string, now: Date): JournalRecord {
  const { target, serving } = facts;
  const job = jobOf(facts);
  const { metadata: volume, spec: volumeSpec } = target.volume.persistentVolume ?? {};
  const backup = backupOf(facts);
  if (job === undefined || backup === undefined || volume?.name === undefined) {
    throw new PrecheckError(
      'facts-missing',
      'Facts that the upgrade needs are unknown. Nothing was changed.',
      'Look at the findings that are unknown, then run the checks again.',
    );
  }
  return {
    schema: 4,
    runId,
    startedAt: now.toISOString(),
    statefulSet: target.name,
    claim: target.volume.claimName,
    uids: uidsOf(target),
    image: serverImage(target),
    serving,
    replicas: target.replicas,
    applications: [...target.applications],
    volume: volume.name,
    reclaimPolicy: volumeSpec?.persistentVolumeReclaimPolicy ?? 'Delete',
    backup,
    job,
    seen: { upgrade: recorded(facts, facts.upgradeProbe), serving: recorded(facts, facts.servingProbe) },
  };
}

/** Of the objects that the journal names. */
export function uidsOf({ statefulSet, volume }: Target): JournalRecord['uids'] {
  return { statefulSet: statefulSet.metadata?.uid ?? '', claim: volume.claim.metadata?.uid ?? '' };
}

function recorded(facts: Facts, probe: Facts['upgradeProbe']): RecordedImage | undefined {
  // A value that the journal can't hold is not compared.
  return seenImageGrammar.safeParse(recordedBy(facts, probe)).data;
}

/** Undefined for a snapshot whose class is unknown. */
function backupOf({ inputs, snapshotClass }: Facts): JournalRecord['backup'] | undefined {
  if (inputs.backup !== 'snapshot') return { kind: inputs.backup };
  const chosen = snapshotClass.known ? snapshotClass.value.chosen : undefined;
  return chosen && { kind: 'snapshot', class: chosen.metadata.name };
}

type ContextParts = Omit<Context, 'serving' | 'settings' | 'snapshotClass' | 'journal'>;

/** What the steps work with: by the journal, not by the inputs of this run, which may differ. */
export function contextOf(given: ContextParts, journal: Journal<LeasedCluster>): Context {
  return { ...given, journal, ...settled(journal.record) };
}

function settled({ serving, backup, job, runId, startedAt }: JournalRecord) {
  const snapshotClass = backup.kind === 'snapshot' ? backup.class : '';
  // The Job belongs to this upgrade, not to the run: a run may try twice, and must not read the result of its first try.
  const settings = { ...job, runId: `${runId}@${startedAt}` };
  return { serving, snapshotClass, settings };
}

/** Seconds that the steps of the downtime and the full ANALYZE are expected to take, by their ids. */
function expectedTimes(facts: FactsWithRehearsal): Readonly<Record<string, number | undefined>> {
  const timed = [...downtimeSteps(facts), statistics.full];
  return Object.fromEntries(timed.map(({ id }) => [id, expectedSeconds(id, facts)?.seconds]));
}

/** The steps of an upgrade in their order, those that can be undone first. The quick ANALYZE goes on beside the restart of the applications, or before it. */
function allSteps({ inputs }: Facts): readonly Step[] {
  const { quick, full } = statistics;
  const { before, after } = hooksOf(inputs);
  const restart = inputs.statisticsBudget === 0 ? [ready, release, quick] : [quick, ready, release];
  const completing = [...improvements, ...before, ...restart, ...after, full, seeBackupReady, finish];
  return [...reversibleSteps, validation, ...completing];
}

function downtimeSteps(facts: Facts): readonly Step[] {
  const steps = allSteps(facts);
  return steps.slice(steps.indexOf(stopApplications), steps.indexOf(release) + 1);
}

/** All that an upgrade does if nothing fails, in its order. */
function planUpgrade(draft: PlanContext, facts: FactsWithRehearsal): PlannedStep[] {
  const downtime = new Set(downtimeSteps(facts).map(({ id }) => id));
  const beginning = {
    id: 'begin',
    title: 'Take the Lease and begin the journal',
    moves: planBeginning(draft),
    isDowntime: false,
    expected: undefined,
  };
  return [
    beginning,
    ...allSteps(facts).map((step) => ({
      id: step.id,
      title: step.title,
      moves: step.plan(draft),
      isDowntime: downtime.has(step.id),
      expected: downtime.has(step.id) ? expectedSeconds(step.id, facts) : undefined,
    })),
  ];
}
