import type { Expectation, Spread } from '../report/planned-step.ts';
import { countedBytes } from '../database/fingerprint.ts';
import { predictionOf } from '../facts/prediction.ts';
import { rehearsedCut, rehearsedJob, rehearsedReady, type Facts, type FactsWithRehearsal } from '../facts/facts.ts';
import { anchorNode } from '../objects/anchor.ts';

/** Bytes a second at which a table is read or copied, on the cautious side for a network volume. */
const pace = 100 * 1024 * 1024;
const gibibyte = 1024 ** 3;

/**
 * How far predictions are off at most, by what they come from: 40 % to each side, but for a limit, which says nothing of the least. A volume that was made from a snapshot may load
 * its data only when it is read, so that what was measured on it may be more than what comes.
 */
const spreads = {
  measured: { low: 0.75, high: 1.25 },
  measuredOnCopy: { low: 0.6, high: 1.25 },
  shown: { low: 0.7, high: 1.3 },
  assumed: { low: 0.6, high: 1.4 },
  limit: { low: 0, high: 1 },
} as const satisfies Readonly<Record<string, Spread>>;

/**
 * Seconds of a step in the downtime, and of ANALYZE after it: what the rehearsal took, else of the data where it depends on that, else what such a step took on a cluster of two
 * cores. Never 0 for what is not known.
 * @returns undefined for any other step
 */
export function expectedSeconds(step: string, facts: FactsWithRehearsal): Expectation | undefined {
  return asRehearsed(step, facts) ?? byFacts(step, facts);
}

interface RehearsedStep {
  readonly stages: readonly string[];
  readonly more: number;
}

/** The stages of a rehearsal that do what a step does, and what the step does besides, in seconds. */
const rehearsedSteps: Readonly<Record<string, RehearsedStep>> = {
  // The wait for the last client, and the CHECKPOINT. The measurement takes what it takes on PostgreSQL 14.
  quiesce: { stages: ['rehearsal-data'], more: 0.5 },
  // The start of the pod. The copy had to be attached besides.
  'upgrade-job': { stages: [rehearsedJob], more: 3 },
  verify: { stages: ['rehearsal-data', 'rehearsal-sort-order'], more: 0 },
  'update-extensions': { stages: ['rehearsal-extensions'], more: 0 },
};

/** The backup, where the rehearsal proves it: otherwise step "prove-backup" measures it. One that has to be ready before pg_upgrade is predicted by nothing. */
function rehearsedBackup({ inputs, rehearsalProof: proof }: FactsWithRehearsal): RehearsedStep | undefined {
  if (proof === undefined || proof.cuts === 'late') return undefined;
  return inputs.backup === 'clone'
    ? { stages: ['rehearsal-copy', 'rehearsal-recovery'], more: 0 }
    : { stages: [rehearsedCut], more: 0 };
}

const asInRehearsal = 'what the rehearsal took';

/** How sure the seconds of a step are. What step "prove-backup" will have measured has none here. */
export function spreadOf(step: string, facts: FactsWithRehearsal): Pick<Expectation, 'spread'> {
  const expected = expectedSeconds(step, facts);
  const spread = expected?.seconds === undefined ? spreads.measured : expected.spread;
  return spread === undefined ? {} : { spread };
}

/** Where nothing keeps the volume attached, a Job waits for that besides. */
function asRehearsed(step: string, facts: FactsWithRehearsal): Expectation | undefined {
  const { rehearsed, target, inputs } = facts;
  const of = step === 'backup' ? rehearsedBackup(facts) : rehearsedSteps[step];
  if (of === undefined || (step === 'upgrade-job' && anchorNode(target) === undefined)) return undefined;
  const seconds = of.stages.reduce<number | undefined>((sum, stage) => {
    const one = rehearsed?.[stage];
    return sum === undefined || one === undefined ? undefined : sum + one;
  }, of.more);
  if (seconds === undefined) return undefined;
  if (step === 'backup') return { seconds: round(seconds), spread: spreads.assumed, basis: asInRehearsal };
  return inputs.backup === 'snapshot'
    ? {
        seconds: round(seconds),
        spread: spreads.measuredOnCopy,
        basis: `${asInRehearsal} on a copy: an upper bound where the storage loads a copy only when it is read`,
      }
    : { seconds: round(seconds), spread: spreads.measured, basis: asInRehearsal };
}

function byFacts(step: string, facts: FactsWithRehearsal): Expectation | undefined {
  const { inputs } = facts;
  const bytes = facts.databases.known ? facts.databases.value.reduce((sum, one) => sum + one.bytes, 0) : undefined;
  const reading = bytes === undefined ? undefined : bytes / pace;
  const data = bytes === undefined ? '' : `${(bytes / gibibyte).toFixed(1)} GiB of data at 100 MiB/s`;
  switch (step) {
    case 'stop-applications':
      return assumed(1, 'pods that end at once; each may take up to its terminationGracePeriodSeconds');
    case 'quiesce':
    case 'verify':
      return bytes === undefined
        ? unread
        : assumed(
            (step === 'quiesce' ? 1 : 0.5) + Math.min(bytes, countedBytes) / pace,
            'counting rows of the smallest tables, of at most 512 MiB at 100 MiB/s',
          );
    case 'stop-postgresql':
      return attached(facts, assumed(1.2, 'a server that has just written everything to disk'));
    case 'backup':
      return backup(facts, reading, data);
    case 'upgrade-job':
      return attached(facts, job(facts, reading, data));
    case 'backup-ready':
      return backupReady(facts);
    case 'activate':
      return attached(facts, assumed(1.2, 'the node has the image and the volume'));
    case 'update-extensions':
      return assumed(1, 'a few statements');
    case 'before-applications':
      return beforeApplications(inputs);
    case 'quick-analyze':
      return { seconds: inputs.statisticsBudget / 1000, spread: spreads.limit, basis: 'at most statistics-budget' };
    case 'analyze':
      return reading === undefined
        ? unread
        : assumed(1 + reading, `samples of all tables, with pauses: at most ${data}`);
    case 'server-ready':
      return ready(facts);
    case 'restore-applications':
      return applications(facts);
    default:
      return undefined;
  }
}

function assumed(seconds: number, basis: string): Expectation {
  return { seconds: round(seconds), spread: spreads.assumed, basis };
}

const unread: Expectation = { basis: 'the size of the data could not be read' };

/** Without the anchor, the storage detaches the volume from its node and attaches it again, as long as that takes. */
function attached({ target }: Facts, expected: Expectation): Expectation {
  return anchorNode(target) === undefined
    ? { basis: 'nothing keeps the volume attached to its node, and nothing shows how long the storage takes for that' }
    : expected;
}

function backup(
  { inputs: { backup: kind, snapshotGate, verifyBackup }, rehearsalProof: proof }: FactsWithRehearsal,
  reading: number | undefined,
  data: string,
): Expectation {
  if (kind === 'external') return { seconds: 0, basis: 'no backup is taken' };
  const measured = 'step "prove-backup" measures it';
  if (kind === 'copy') {
    if (reading === undefined) return unread;
    const tried = verifyBackup ? '; step "prove-backup" measures how fast the volume is written' : '';
    return assumed(5 + 2 * reading, `copying ${data}, and reading the copy${tried}`);
  }
  if (kind !== 'snapshot') return { basis: verifyBackup ? measured : 'how long the storage copies the data' };
  if (proof?.cuts === 'late')
    return { basis: 'the storage cuts snapshots late, so the action waits until the snapshot is ready' };
  return verifyBackup || snapshotGate === 'cut'
    ? assumed(1, `storage that cuts a snapshot at once${verifyBackup ? `; ${measured}` : ''}`)
    : { basis: 'without "verify-backup" the action waits until the snapshot is ready' };
}

function backupReady(facts: FactsWithRehearsal): Expectation {
  const { backup: kind, snapshotGate, verifyBackup } = facts.inputs;
  const { rehearsed, rehearsalProof: proof } = facts;
  const transfer = transferOf(facts);
  if (kind !== 'snapshot') return { seconds: 0, basis: 'no snapshot to wait for' };
  if (snapshotGate === 'cut') return { seconds: 0, basis: 'no wait with "snapshot-gate: cut"' };
  if (transfer === 'clone' || transfer === 'copy')
    return { seconds: 0, basis: 'no wait: PostgreSQL 12 keeps files of its own' };
  if (proof?.cuts === 'late') return { seconds: 0, basis: 'no wait: the snapshot is ready before' };
  const ready = proof && rehearsed?.[rehearsedReady];
  if (ready !== undefined) {
    // The Job goes on meanwhile.
    const seconds = ready - (expectedSeconds('upgrade-job', facts)?.seconds ?? 0);
    return assumed(Math.max(0, seconds), `${asInRehearsal}, beside the Job`);
  }
  if (!verifyBackup) return { seconds: 0, basis: 'no wait: without "verify-backup" the snapshot is ready before' };
  return { basis: 'how long the storage copies the snapshot; step "prove-backup" measures it' };
}

/** How the Job will transfer the files; undefined where nobody has tried. */
function transferOf({ inputs, volumeTrial }: Facts): 'clone' | 'link' | 'copy' | undefined {
  if (inputs.transfer !== 'auto') return inputs.transfer;
  if (!volumeTrial.known) return undefined;
  const { clone, link } = volumeTrial.value;
  return clone.works ? 'clone' : link.works ? 'link' : 'copy';
}

function job(facts: Facts, reading: number | undefined, data: string): Expectation {
  const prediction = predictionOf(facts);
  if (prediction === undefined) return { basis: 'the restore test did not measure all dumps and restores' };
  if (reading === undefined) return unread;
  const transfer = transferOf(facts);
  const copying =
    transfer === 'copy'
      ? `, and copying ${data}`
      : transfer === undefined
        ? '; where the volume has neither reflinks nor hard links, the Job copies all data besides'
        : '';
  return {
    seconds: round(3 + prediction.pgUpgradeSeconds + (transfer === 'copy' ? reading : 0)),
    spread: spreads.shown,
    basis: `the start of the pod, and dumps and restores as the restore test measured them${copying}`,
  };
}

/** Nothing tells more of them than their limit. */
function beforeApplications({ beforeApplicationsSql, beforeApplications, hookTimeout }: Facts['inputs']): Expectation {
  const hooks = [beforeApplicationsSql, beforeApplications].filter((script) => script !== '').length;
  return { seconds: (hooks * hookTimeout) / 1000, spread: spreads.limit, basis: 'at most hook-timeout' };
}

/** Since the container runs, at the least the start of PostgreSQL, the comparison and the extensions have taken their time. */
function ready({ target, missingPermissions }: Facts): Expectation {
  const { initialDelaySeconds: delay = 0, periodSeconds: period = 10 } = target.container.readinessProbe ?? {};
  const first = `its readiness probe, which asks first ${String(delay)} s after the start of the container`;
  const isLeft =
    missingPermissions.known &&
    missingPermissions.value.some(({ verb, resource }) => verb === 'patch' && resource === 'pods');
  return isLeft && target.container.readinessProbe !== undefined
    ? {
        seconds: Math.max(0.5, delay + period - 2),
        spread: spreads.assumed,
        basis: `${first}, and again ${String(period)} s later: without the right \`patch pods\` the kubelet is not asked before`,
      }
    : assumed(Math.max(0.5, delay - 2), first);
}

function applications({ applicationStart }: Facts): Expectation {
  const seconds = applicationStart.known ? applicationStart.value : undefined;
  return seconds === undefined
    ? { basis: 'no pod of the applications shows how long it took until it was ready' }
    : {
        seconds: round(1 + seconds),
        spread: spreads.shown,
        basis: 'what the slowest application took until it was ready, at its last start',
      };
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
