import type { Expectation } from '../report/planned-step.ts';
import { countedBytes } from '../database/fingerprint.ts';
import { predictionOf } from '../facts/prediction.ts';
import type { Facts } from '../facts/facts.ts';

/** Bytes a second at which a table is read or copied, on the cautious side for a network volume. */
const pace = 100 * 1024 * 1024;
const gibibyte = 1024 ** 3;

/**
 * Seconds of a step in the downtime, and of ANALYZE after it: of the data where it depends on that, else what such a step took on a cluster of two cores whose pods end at once.
 * @returns undefined where nothing predicts it
 */
export function expectedSeconds(step: string, facts: Facts): Expectation | undefined {
  const bytes = facts.databases.known ? facts.databases.value.reduce((sum, one) => sum + one.bytes, 0) : undefined;
  const reading = bytes === undefined ? undefined : bytes / pace;
  const data = bytes === undefined ? '' : `${(bytes / gibibyte).toFixed(1)} GiB of data at 100 MiB/s`;
  switch (step) {
    case 'stop-applications':
      return { seconds: 2, basis: 'pods that end at once; each may take up to its terminationGracePeriodSeconds' };
    case 'quiesce':
    case 'verify':
      return bytes === undefined
        ? undefined
        : {
            seconds: round(1.5 + Math.min(bytes, countedBytes) / pace),
            basis: 'counting rows of the smallest tables, of at most 512 MiB at 100 MiB/s',
          };
    case 'stop-postgresql':
      return { seconds: 2, basis: 'a server that has just written everything to disk' };
    case 'backup':
      return backup(facts);
    case 'upgrade-job':
      return job(facts, reading, data);
    case 'backup-ready':
      return {
        seconds: 0,
        basis:
          'a snapshot that is ready when pg_upgrade is. Where the storage copies it first, step "prove-backup" shows how long that takes',
      };
    case 'activate':
      return {
        seconds: 2,
        basis: 'the node has the image and the volume; where the volume was detached, attaching it takes longer',
      };
    case 'update-extensions':
      return { seconds: 1, basis: 'a few statements' };
    case 'quick-analyze':
      return { seconds: facts.inputs.statisticsBudget / 1000, basis: 'at most statistics-budget' };
    case 'analyze':
      return reading === undefined
        ? undefined
        : { seconds: round(1 + reading), basis: `samples of all tables, with pauses: at most ${data}` };
    case 'restore-applications':
      return { seconds: 3, basis: 'pods that are ready at once' };
    default:
      return undefined;
  }
}

function backup({ inputs }: Facts): Expectation {
  return inputs.backup === 'external'
    ? { seconds: 0, basis: 'no backup is taken' }
    : {
        seconds: inputs.backup === 'snapshot' ? 1 : 5,
        basis: 'storage that does not copy the data; the duration of step "prove-backup" predicts it better',
      };
}

function job(facts: Facts, reading: number | undefined, data: string): Expectation | undefined {
  const prediction = predictionOf(facts);
  if (prediction === undefined || reading === undefined) return undefined;
  const isCopy = facts.inputs.transfer === 'copy';
  return {
    seconds: round(3 + prediction.pgUpgradeSeconds + (isCopy ? reading : 0)),
    basis: `the start of the pod, and dumps and restores as the restore test measured them${isCopy ? `, and copying ${data}` : ''}`,
  };
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
