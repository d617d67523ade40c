import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { RunError } from '../common/errors.ts';
import { serverImage, type Target } from '../target/target.ts';
import { failedTries } from '../objects/failed-tries.ts';
import { isScaled, workloadName, workloadState } from '../target/applications.ts';
import { backupName } from '../objects/backup.ts';
import { hasGate } from '../objects/scheduling-gate.ts';
import type { Journal } from '../journal/journal.ts';
import type { findHolding } from './lock/lease.ts';
import { leaseName } from '../objects/lease.ts';
import { remedyOf, type Remedy } from '../text/remedy.ts';
import { isReady } from './server/server-ready.ts';

/** Where an upgrade stands, for people and for later steps of a workflow. */
export interface Status {
  /** `not-started`: 12 is on the StatefulSet and no upgrade is open. `unfinished`: a journal is open. `upgraded`: 14 is, and none is open. */
  readonly state: 'not-started' | 'unfinished' | 'upgraded';
  /** The last step of an unfinished upgrade. */
  readonly step?: string | undefined;
  /** Address of the run that has the upgrade in hand, or had when it died. */
  readonly holder?: string | undefined;
  /** What was seen, a line each. */
  readonly evidence: readonly string[];
  /** What may be done now, and what may not. */
  readonly safe: string;
  /** What to run next. */
  readonly next: Remedy;
}

export interface Seen {
  readonly target: Target;
  readonly journal: Journal | undefined;
  /** Why the journal that there is can't be trusted. */
  readonly doubt?: RunError | undefined;
  /** Whoever has the Lease. */
  readonly holding: Awaited<ReturnType<typeof findHolding>>;
  /** The upgrade's Jobs, ended ones too. */
  readonly jobs: readonly V1Job[];
  /** The image that serves 14. */
  readonly newImage: string;
}

/** Tells from the cluster and the journal where an upgrade stands; nothing is guessed. */
export function statusOf(seen: Seen): Status {
  const { target, journal, newImage } = seen;
  if (seen.doubt !== undefined) return doubtful(seen, seen.doubt);
  if (journal?.isClosed === false) return unfinished(seen, journal);
  const active = activeLines(seen.jobs);
  const evidence = [...holderLines(seen), ...active, ...serverLines(target), ...earlierLines(journal)];
  const tries = failedTries(seen.jobs);
  if (tries.length > 0 && !(target.pod !== undefined && isReady(target.pod))) {
    return {
      state: 'not-started',
      evidence: [...evidence, ...tries.map((name) => `Job ${name}, not of this action, failed`)],
      safe: 'Do not start PostgreSQL: a failed upgrade by another way may have renamed the data directory, and the image makes an empty cluster in its place.',
      next: remedyOf(
        'Look at the volume as "After a failed try of another way" in the README tells, then delete that Job.',
      ),
    };
  }
  return serverImage(target) === newImage
    ? {
        state: 'upgraded',
        evidence,
        ...restOf(
          active,
          'values.yaml has to name the same image before the next helm upgrade ("mode: values" opens the pull request).',
        ),
      }
    : {
        state: 'not-started',
        evidence,
        ...restOf(active, '"mode: precheck", then "mode: upgrade".'),
      };
}

function unfinished(seen: Seen, journal: Journal): Status {
  const { target, jobs, holding } = seen;
  const { record, noted } = journal;
  const active = activeLines(jobs);
  return {
    state: 'unfinished',
    step: noted.step,
    holder: holding?.holder,
    evidence: [
      ...holderLines(seen),
      `upgrade of ${record.statefulSet} begun at ${record.startedAt} by ${record.runId}`,
      `last step: ${noted.step ?? 'none, nothing was changed'}${noted.validated === undefined ? '' : '; PostgreSQL 14 is validated'}`,
      ...(noted.back === undefined
        ? []
        : [`going back (last undone: ${noted.undone ?? 'nothing'}), because: ${noted.back}`]),
      ...(noted.letIn === undefined ? [] : [`while 14 served, somebody else started ${noted.letIn}`]),
      ...backupLines(journal),
      ...active,
      ...serverLines(target),
      ...record.applications.map((w) =>
        w.resource === 'cronjobs'
          ? `${workloadName(w)}: was ${w.suspended ? 'suspended' : 'not suspended'}`
          : `${workloadName(w)}: ${isScaled(w) ? 'had' : 'was'} ${workloadState(w)}`,
      ),
    ],
    safe:
      active.length > 0 || isHeld(seen)
        ? 'Wait. Do not delete the Job or its pod, do not scale PostgreSQL, do not run helm upgrade.'
        : 'The data is on the volume as the last step left it. Do not scale PostgreSQL and do not run helm upgrade before the upgrade is finished.',
    next: remedyOf(
      isHeld(seen)
        ? `Wait for ${holding?.holder ?? ''}.`
        : noted.rollback === undefined
          ? '"mode: upgrade" with the same inputs: it goes on with this upgrade.'
          : '"mode: rollback" with the same inputs: it goes on going back to 12.',
    ),
  };
}

/** A Job of this name that is at work without a journal: it may be another way's, which renames the data directory too. */
function restOf(active: readonly string[], next: string): Pick<Status, 'safe' | 'next'> {
  return active.length === 0
    ? { safe: 'No upgrade is open: nothing of this action is at work.', next: remedyOf(next) }
    : {
        safe: 'Wait. Do not delete the Job or its pod, do not start PostgreSQL, do not run helm upgrade.',
        next: remedyOf('Wait until the Job has ended, then "mode: status".'),
      };
}

/** Whether an upgrade is under way can't be told then: it is told as if one were. */
function doubtful(seen: Seen, { message, remedy }: RunError): Status {
  const { holding, jobs, target } = seen;
  const active = activeLines(jobs);
  return {
    state: 'unfinished',
    holder: holding?.holder,
    evidence: [message, ...holderLines(seen), ...active, ...serverLines(target)],
    safe:
      active.length > 0 || isHeld(seen)
        ? 'Wait. Do not delete Jobs or pods, do not scale PostgreSQL, do not run helm upgrade.'
        : 'An upgrade may be under way. Do not scale PostgreSQL and do not run helm upgrade before that is clear.',
    next: isHeld(seen) ? remedyOf(`Wait for ${holding?.holder ?? ''}.`) : remedy,
  };
}

function activeLines(jobs: readonly V1Job[]): string[] {
  return jobs.filter(isAtWork).map((job) => `Job ${job.metadata?.name ?? ''} is at work on the volume`);
}

/** A pod that is to go counts until its node has confirmed that it is gone. */
function isAtWork({ status }: V1Job): boolean {
  return (status?.active ?? 0) + (status?.terminating ?? 0) > 0;
}

function backupLines({ record, noted }: Journal): string[] {
  const { kind } = record.backup;
  return kind === 'external' || !noted.backup ? [] : [`${backupName({ kind, name: noted.backup })} of the data before`];
}

function isHeld({ holding }: Seen): boolean {
  return holding?.isExpired === false;
}

function holderLines({ holding }: Seen): string[] {
  if (holding === undefined) return [];
  const { holder, since, renewed, isExpired, isForged } = holding;
  if (isForged === true)
    return [
      `Lease ${leaseName} was not written by a run of this action: it says that it was renewed at ${renewed.toISOString()}, which is in the future. If no run is at work, delete it`,
    ];
  return [
    isExpired
      ? `${holder} began at ${since.toISOString()} and has not been heard of since ${renewed.toISOString()}`
      : `${holder} is at work since ${since.toISOString()}`,
  ];
}

function serverLines(target: Target): string[] {
  const { spec } = target.statefulSet;
  return [
    `StatefulSet ${target.name}: image ${serverImage(target)}, ${String(target.replicas)} replicas${hasGate(spec?.template.spec) ? ', with our scheduling gate' : ''}`,
    `pod ${target.podName}: ${podState(target.pod)}`,
  ];
}

function podState(pod: V1Pod | undefined): string {
  if (pod === undefined) return 'there is none';
  return isReady(pod) ? 'ready' : `not ready (${pod.status?.phase ?? 'unknown'})`;
}

function earlierLines(journal: Journal | undefined): string[] {
  if (journal === undefined) return [];
  const { record, noted } = journal;
  return [`the last upgrade began at ${record.startedAt} (${record.runId}) and ended as ${noted.outcome ?? ''}`];
}
