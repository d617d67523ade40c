import type { RestoreResult, RestoreTestFacts } from '../probes/restore-test.ts';
import { wholeCpus } from '../inputs/resources.ts';
import { parallelJobs } from '../objects/job-settings.ts';
import type { Facts } from './facts.ts';

/** How long pg_upgrade will take, from what it does before it touches files. It comes from the restore test, and is no part of any finding. */
export interface Prediction {
  /** Of pg_upgrade, its checks included; the rest of the downtime (stop, backup, volume, start, ANALYZE) is not in it. */
  readonly pgUpgradeSeconds: number;
  /** What was measured. */
  readonly databases: readonly {
    readonly name: string;
    readonly dumpSeconds: number;
    readonly restoreSeconds: number;
  }[];
}

/**
 * What pg_upgrade needs beside the dumps and restores, in seconds: in all, and for each database. With a `pg_upgrade --check` before it, 2 s and 0.1 s were measured on two cores
 * with up to 50 databases. The check was two of the six starts of a server, so a third of the 2 s is taken off.
 */
const floor = 1.3;
const perDatabase = 0.1;

/** Undefined where the restore test did not finish the whole server. */
export function predictionOf({ inputs, databases, restoreTest }: Facts): Prediction | undefined {
  if (!restoreTest.known || !databases.known || restoreTest.value.broken !== undefined) return undefined;
  const cpus = wholeCpus(inputs.resources);
  return predict(restoreTest.value, parallelJobs(inputs.jobs, databases.value.length, cpus));
}

/** One line for people. */
export function predictionText({ pgUpgradeSeconds, databases }: Prediction): string {
  return `pg_upgrade will take about ${String(Math.ceil(pgUpgradeSeconds))} s of the downtime. The restore test dumped and restored ${String(databases.length)} databases as pg_upgrade will.`;
}

/**
 * @param jobs dumps and restores that pg_upgrade runs at a time; what a node has no CPU for takes as long as one after the other
 * @returns undefined unless everything was restored without an error: what was left out took no time
 */
export function predict({ places, cpus }: RestoreTestFacts, jobs: number): Prediction | undefined {
  const timed = places.flatMap(({ database, seconds }) => (seconds === undefined ? [] : [{ database, ...seconds }]));
  if (timed.length < places.length || places.some(isRefused)) return undefined;
  const named = timed.filter(({ database }) => database !== undefined);
  // The roles, and then template1, are restored before anything else.
  const alone = timed.filter(({ database }) => database === undefined || database === 'template1');
  const atOnce = Math.max(1, Math.min(jobs, cpus ?? jobs));
  const pgUpgradeSeconds =
    floor +
    perDatabase * named.length +
    sum(timed.filter(({ database }) => database === undefined).map(({ dump }) => dump)) +
    span(
      named.map(({ dump }) => dump),
      atOnce,
    ) +
    sum(alone.map(({ restore }) => restore)) +
    span(
      named.filter(({ database }) => database !== 'template1').map(({ restore }) => restore),
      atOnce,
    );
  return {
    pgUpgradeSeconds: rounded(pgUpgradeSeconds),
    databases: named.map(({ database = '', dump, restore }) => ({
      name: database,
      dumpSeconds: rounded(dump),
      restoreSeconds: rounded(restore),
    })),
  };
}

function isRefused({ dump, failures, more }: RestoreResult): boolean {
  return dump.length > 0 || failures.length > 0 || more > 0;
}

/** Seconds until all are done, where each goes to the job that is free first. */
function span(seconds: readonly number[], jobs: number): number {
  const busy = Array.from({ length: jobs }, () => 0);
  for (const one of seconds) {
    const free = busy.indexOf(Math.min(...busy));
    busy[free] = (busy[free] ?? 0) + one;
  }
  return Math.max(...busy);
}

function sum(seconds: readonly number[]): number {
  return seconds.reduce((all, one) => all + one, 0);
}

function rounded(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
