import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { RunError } from '../common/errors.ts';
import { serverImage, type Target } from '../target/target.ts';
import { failedTries } from '../objects/failed-tries.ts';
import { isScaled, workloadName, workloadState } from '../target/applications.ts';
import { backupName } from '../objects/backup.ts';
import { hasGate } from '../objects/scheduling-gate.ts';
import type { Journal } from '../journal/journal.ts';
import type { findHolding } from '../lock/lease.ts';
import { leaseName } from '../objects/lease.ts';
import { release } from './plan.ts';
import { copyable } from '../text/commands.ts';
import { remedyOf, type Remedy } from '../text/remedy.ts';
import { isReady } from './server/server-ready.ts';

/** Where an upgrade stands, for people and for later steps of a workflow. */
export interface Status {
  /** `not-started`: the StatefulSet has the image of PostgreSQL 12, and no journal is open. `unfinished`: a journal is open. `upgraded`: the StatefulSet has the image of PostgreSQL 14, and no journal is open. */
  readonly state: 'not-started' | 'unfinished' | 'upgraded';
  /** The last step of an unfinished upgrade. */
  readonly step?: string | undefined;
  /** Address of the run that holds the Lease, or held it when it died. */
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
  /** Why the journal can't be trusted. */
  readonly doubt?: RunError | undefined;
  /** Whoever has the Lease. */
  readonly holding: Awaited<ReturnType<typeof findHolding>>;
  /** The upgrade's Jobs, ended ones too. */
  readonly jobs: readonly V1Job[];
  /** The image of PostgreSQL 14. */
  readonly newImage: string;
}

/** Reads from the cluster and the journal where an upgrade stands; guesses nothing. */
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
      evidence: [...evidence, ...tries.map((name) => `Job ${name}, which this action did not create, failed`)],
      safe: 'Do not start PostgreSQL. A failed upgrade without this action may have renamed the data directory. The image would then create an empty cluster instead.',
      next: remedyOf(
        'Look at the volume as README says under "After a failed try of another way". Then delete that Job.',
      ),
    };
  }
  return serverImage(target) === newImage
    ? {
        state: 'upgraded',
        evidence,
        ...restOf(
          active,
          'values.yaml must name the same image before the next helm upgrade ("mode: values" opens the pull request).',
        ),
      }
    : {
        state: 'not-started',
        evidence,
        ...restOf(active, 'Run "mode: precheck", then "mode: upgrade".'),
      };
}

function unfinished(seen: Seen, journal: Journal): Status {
  const { target, jobs, holding } = seen;
  const { record, noted } = journal;
  const active = activeLines(jobs);
  const isPending = areStatisticsLeft(journal);
  return {
    state: 'unfinished',
    step: noted.step,
    holder: holding?.holder,
    evidence: [
      ...holderLines(seen),
      `upgrade of StatefulSet ${record.statefulSet}, begun at ${record.startedAt} by ${record.runId}`,
      `last step: ${noted.step ?? 'none, nothing was changed'}${noted.validated === undefined ? '' : '; the data of PostgreSQL 14 is validated'}`,
      ...(noted.back === undefined
        ? []
        : [`undoing the steps (last undone: ${noted.undone ?? 'none'}), because: ${noted.back}`]),
      ...(isPending
        ? ['the action began to restart the applications; some tables may have no full statistics yet']
        : []),
      ...(noted.letIn === undefined ? [] : [`while PostgreSQL 14 served, somebody else started ${noted.letIn}`]),
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
        : isPending
          ? 'PostgreSQL 14 serves with the same data. Queries of large tables may be slow until the statistics are complete. Do not scale PostgreSQL and do not run helm upgrade until the upgrade has ended.'
          : 'The data is on the volume as the last step left it. Do not scale PostgreSQL and do not run helm upgrade until the upgrade has ended.',
    next: remedyOf(
      isHeld(seen)
        ? `Wait until ${holding?.holder ?? ''} has ended.`
        : noted.rollback === undefined
          ? isPending
            ? 'Run "mode: upgrade" with the same inputs: it restarts the applications that are still stopped, and completes the statistics.'
            : 'Run "mode: upgrade" with the same inputs: it resumes this upgrade.'
          : 'Run "mode: rollback" with the same inputs: it resumes this rollback.',
    ),
  };
}

/** The applications were asked to start, no way back has begun, and the statistics are not complete. */
function areStatisticsLeft({ noted }: Journal): boolean {
  const { step, back, rollback, statistics } = noted;
  return step === release.id && back === undefined && rollback === undefined && statistics !== 'complete';
}

/** A Job of this name may be at work without a journal: then this action did not create it, and it may rename the data directory too. */
function restOf(active: readonly string[], next: string): Pick<Status, 'safe' | 'next'> {
  return active.length === 0
    ? { safe: 'No upgrade is open, and nothing of this action is at work.', next: remedyOf(next) }
    : {
        safe: 'Wait. Do not delete the Job or its pod, do not start PostgreSQL, do not run helm upgrade.',
        next: remedyOf('Wait until the Job has ended. Then run "mode: status" again.'),
      };
}

/** Without a journal that can be trusted, an upgrade may be under way: it is reported as if one were. */
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
        : 'An upgrade may be under way. Do not scale PostgreSQL and do not run helm upgrade until that is clear.',
    next: isHeld(seen) ? remedyOf(`Wait until ${holding?.holder ?? ''} has ended.`) : remedy,
  };
}

function activeLines(jobs: readonly V1Job[]): string[] {
  return jobs.filter(isAtWork).map((job) => `Job ${job.metadata?.name ?? ''} is at work on the volume`);
}

/** A terminating pod counts until its node has confirmed its end. */
function isAtWork({ status }: V1Job): boolean {
  return (status?.active ?? 0) + (status?.terminating ?? 0) > 0;
}

function backupLines({ record, noted }: Journal): string[] {
  const { kind } = record.backup;
  if (kind === 'copy' && !noted.backup && noted.copying !== undefined)
    return [`PersistentVolumeClaim ${noted.copying} holds no complete copy of the volume`];
  return kind === 'external' || !noted.backup
    ? []
    : [`${backupName({ kind, name: noted.backup })} holds the data from before the upgrade`];
}

function isHeld({ holding }: Seen): boolean {
  return holding?.isExpired === false;
}

function holderLines({ holding }: Seen): string[] {
  if (holding === undefined) return [];
  const { holder, since, renewed, isExpired, isForged } = holding;
  if (isForged === true)
    return [
      `no run of this action wrote Lease ${leaseName}: its renewTime ${renewed.toISOString()} is in the future. If no run is at work, delete the Lease`,
    ];
  return [
    isExpired
      ? `${holder} began at ${since.toISOString()} and has not renewed its Lease since ${renewed.toISOString()}`
      : `${holder} has been at work since ${since.toISOString()}`,
  ];
}

function serverLines(target: Target): string[] {
  const { spec } = target.statefulSet;
  return [
    `StatefulSet ${target.name}: image ${serverImage(target)}, ${String(target.replicas)} replicas${hasGate(spec?.template.spec) ? ", with the upgrade's scheduling gate" : ''}`,
    `pod ${target.podName}: ${podState(target.pod)}`,
  ];
}

function podState(pod: V1Pod | undefined): string {
  if (pod === undefined) return 'does not exist';
  return isReady(pod) ? 'ready' : `not ready (${pod.status?.phase ?? 'unknown'})`;
}

function earlierLines(journal: Journal | undefined): string[] {
  if (journal === undefined) return [];
  const { record, noted } = journal;
  const outcome = noted.rollback === undefined ? noted.outcome : 'rolled back';
  const end = `the last upgrade began at ${record.startedAt} (${record.runId}) and ended as ${outcome ?? ''}`;
  return noted.outcome === 'upgraded' && noted.statistics === 'pending'
    ? [
        end,
        `some tables had no full statistics then: unless somebody has done so, run ${copyable('ANALYZE;')} in each database`,
      ]
    : [end];
}
