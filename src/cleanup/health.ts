import type { V1ContainerStatus } from '@kubernetes/client-node';
import { isUpgradeOf, type CleanupFacts } from './facts.ts';

/** Since when PostgreSQL 14 has been healthy, and what tells it. */
export interface Health {
  readonly since: Date;
  readonly why: string;
}

type Seen = Pick<CleanupFacts, 'history' | 'target' | 'files'>;

/**
 * Since when PostgreSQL 14 has served the applications: by the journal since the upgrade restarted them, else since the server's container runs.
 * @returns undefined where neither tells it
 */
export function servingSince(facts: Seen): Date | undefined {
  return begun(facts)?.since;
}

function begun(facts: Seen): Health | undefined {
  const { history, target } = facts;
  if (isUpgradeOf(facts)) {
    const releasedAt = history.known ? history.value?.releasedAt : undefined;
    return releasedAt && { since: releasedAt, why: 'the upgrade restarted the applications then' };
  }
  const status = target.pod?.status?.containerStatuses?.find(({ name }) => name === target.container.name);
  const since = timeOf(status?.state?.running?.startedAt);
  const why = "the server's container runs since then, and no journal says more";
  return since === undefined ? undefined : { since, why };
}

/**
 * Since when PostgreSQL 14 has been healthy: since it serves the applications, and since the last end of a container of its pod that was no success or is not known. Kubernetes
 * keeps the last end of each container alone.
 */
export function healthySince(facts: Seen): Health | undefined {
  const first = begun(facts);
  if (first === undefined) return undefined;
  const { initContainerStatuses = [], containerStatuses = [] } = facts.target.pod?.status ?? {};
  const ends = [...initContainerStatuses, ...containerStatuses].flatMap(lastFailure);
  return ends.reduce((latest, end) => (end.since > latest.since ? end : latest), first);
}

function lastFailure({ name, restartCount, state, lastState }: V1ContainerStatus): Health[] {
  const now = state?.terminated;
  const failedNow = now !== undefined && now.exitCode !== 0 ? failure(name, now.exitCode, timeOf(now.finishedAt)) : [];
  const last = lastState?.terminated;
  if (restartCount === 0 && last === undefined) return failedNow;
  if (last === undefined)
    return [...failedNow, ...unknownEnd(name, timeOf(state?.running?.startedAt ?? now?.startedAt))];
  const told =
    last.exitCode === 0
      ? restartCount > 1
        ? unknownEnd(name, timeOf(last.startedAt))
        : []
      : failure(name, last.exitCode, timeOf(last.finishedAt));
  return [...failedNow, ...told];
}

function failure(name: string, exitCode: number, at: Date | undefined): Health[] {
  return [{ since: at ?? never, why: `container ${name} ended with exit code ${String(exitCode)} then` }];
}

/** It ended before this one began. */
function unknownEnd(name: string, before: Date | undefined): Health[] {
  return [{ since: before ?? never, why: `container ${name} had ended before, and how is not known` }];
}

/** Later than any time that the API server says: what nothing dates may have been just now. */
export const never = new Date(8_640_000_000_000_000);

/** The API's times are texts, whatever their types say. */
function timeOf(time: Date | string | undefined): Date | undefined {
  const date = time === undefined ? undefined : new Date(time);
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}
