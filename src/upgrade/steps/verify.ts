import { compareData } from '../../database/compare-data.ts';
import { fingerprintSize } from '../../database/compare-fingerprints.ts';
import type { Fingerprint } from '../../database/fingerprint.ts';
import { readBackgroundWorkers, type BackgroundWorker } from '../../database/clients.ts';
import { outdatedIn } from '../../database/extension-updates.ts';
import { UpgradeError } from '../../common/errors.ts';
import { known } from '../../common/known.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import { measuring, workersText } from './quiesce.ts';
import { rebuildIndexes } from './rebuild-indexes.ts';
import type { Context, Step } from '../contract/step.ts';

/** Compares the data of the new server with the measurement, and rebuilds indexes on text that sorts differently now. */
export const verify: Step = {
  id: 'verify',
  title: 'Compare the data with the measurement before the upgrade',

  plan: () => [
    {
      does: 'run',
      what: 'Measure again and compare. Compare the files of each table with those of PostgreSQL 12. REINDEX what sorts differently now.',
    },
  ],

  async run(context) {
    const { journal, results, log, database, target, settings } = context;
    const before = measuredBefore(context);
    const server = { database, dataDirectory: target.dataDirectory, sessions: settings.jobs };
    const { after, differences, files, warnings } = await withHeartbeat(
      measuring(context, 'verify', 'measuring the data of PostgreSQL 14'),
      () => compareData(server, before),
    );
    results.warnings.push(...warnings);
    if (differences.length === 0) {
      results.comparison = `The data is as measured before the upgrade: ${fingerprintSize(after.fingerprint)}. ${files}`;
      log.info(results.comparison);
    } else if (journal.noted.letIn === undefined) throw dataDiffers(differences, await workersOf(context));
    else
      results.warnings.push(
        `The data differs from the measurement before the upgrade: ${shortened(differences)}. The action can't tell why, since somebody else had started ${journal.noted.letIn}`,
      );
    results.outdated = outdatedIn(after.answers);
    await rebuildIndexes(context, journal.noted.sortOrders ?? {}, after.sortOrders);
    await journal.noteAll({ validated: true, statistics: journal.noted.statistics ?? 'pending' });
    results.validated = true;
  },
};

function dataDiffers(differences: readonly string[], workers: readonly BackgroundWorker[]): UpgradeError {
  return new UpgradeError(
    'data-differs',
    `The data differs from the measurement before the upgrade: ${shortened(differences)}.`,
    `Find out why before you run again. ${usualCause(differences, workers)}`,
  );
}

/** A worker with a database of its own mostly writes there; a scheduler such as pg_cron also has sessions in other ones. */
function usualCause(differences: readonly string[], workers: readonly BackgroundWorker[]): string {
  const client = 'The usual cause is a client that writes while the applications are stopped.';
  if (workers.length === 0) return client;
  const isTheirs = (difference: string) =>
    workers.some(({ database }) => database === '' || difference.startsWith(`${database}: `));
  const others = differences.filter((difference) => !isTheirs(difference));
  return others.length === 0
    ? `Background workers run where it differs: ${workersText(workers)}. They write without a client. Pause them until the upgrade is done: see the check background-workers.`
    : `${client} Background workers run too, in other databases: ${workersText(workers)}. A scheduler such as pg_cron also writes where it differs: pause it, see the check background-workers.`;
}

/** Those of PostgreSQL 12, where this run has seen them, and those of PostgreSQL 14. */
async function workersOf({ database, results }: Context): Promise<readonly BackgroundWorker[]> {
  const now = await known(() => readBackgroundWorkers(database));
  const all = [...(results.workers ?? []), ...(now.known ? now.value : [])];
  return [...new Map(all.map((one) => [`${one.worker} ${one.database}`, one])).values()];
}

function shortened(differences: readonly string[]): string {
  const more = differences.length - 10;
  return `${differences.slice(0, 10).join('; ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

function measuredBefore({ journal, results }: Context): Fingerprint {
  const before = results.before ?? journal.noted.measured;
  if (before !== undefined) return before;
  throw new UpgradeError(
    'not-measured',
    'The journal does not have the measurement before the upgrade, so this run can not compare the data.',
    'Run the upgrade again: it measures again.',
  );
}
