import { compareFingerprints, fingerprintSize } from '../../database/compare-fingerprints.ts';
import type { Fingerprint } from '../../database/fingerprint.ts';
import { measure, measurementLimit } from '../../database/measurement.ts';
import { obstacleName, obstacleRemedy, type Obstacle } from '../../database/obstacles.ts';
import type { ListedDatabase } from '../../database/server.ts';
import { readWhatIsLeft, type Left } from '../../database/what-is-left.ts';
import type { BackgroundWorker } from '../../database/clients.ts';
import { describe, UpgradeError } from '../../common/errors.ts';
import { sessionIn } from '../../target/session.ts';
import { withHeartbeat, type LongWork } from '../../ports/heartbeat.ts';
import { waitFor } from '../../ports/wait.ts';
import { isStoppedByGate } from '../server/scheduling-gate.ts';
import { TooLongForJournal } from '../../journal/compress-fingerprint.ts';
import type { StepId } from '../../journal/notes.ts';
import type { Context, Step } from '../contract/step.ts';
import { expectNoUsersCode, usersCodeQuestions } from './users-code.ts';

/** Proves that no client is connected, measures what must be the same afterwards, and writes everything to disk. */
export const quiesce: Step = {
  id: 'quiesce',
  title: 'Wait for the last client, measure the data, checkpoint',
  undoTitle: 'Compare the data of PostgreSQL 12',

  plan: () => [
    {
      does: 'run',
      what: 'Wait until no client is connected. Stop if there are prepared transactions or replication slots. Stop if the upgrade would run code of database users as the superuser.',
    },
    {
      does: 'run',
      what: 'Measure what must be the same afterwards: rows of the smallest tables, sizes, files, sequences, sort orders. Write the data to disk: CHECKPOINT.',
    },
  ],

  async run(context) {
    const { journal, log, results } = context;
    if (journal.noted.measured !== undefined && (await isStoppedByGate(context))) {
      results.before = journal.noted.measured;
      log.info(`Using the measurement by ${journal.record.runId}: ${fingerprintSize(results.before)}`);
      return;
    }
    const { databases, obstacles, workers, answers } = await waitForClients(context);
    results.workers = workers;
    if (workers.length > 0) log.info(`Background workers still run, and may write: ${workersText(workers)}`);
    expectNoObstacle(context, obstacles);
    // Before the measurement, which opens tables: PostgreSQL 12 then runs functions of partition keys.
    await expectNoUsersCode(context, databases, answers);
    // Side by side, since the measurement only reads. Both end before an error is thrown.
    const ends = await withHeartbeat(measuring(context, 'quiesce', 'measuring the data and writing it to disk'), () =>
      Promise.allSettled([
        measureAndNote(context, databases),
        context.database.write('template1', 'CHECKPOINT;', context.inputs.shutdownTimeout),
      ]),
    );
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  },

  /** Compares PostgreSQL 12 with the measurement if it came from a backup, or if PostgreSQL 14 has served beside it, before the applications are restarted. */
  async undo(context) {
    const { measured, exchange, served } = context.journal.noted;
    if (measured === undefined) {
      context.log.info('Nothing to compare: the data was not measured');
      return;
    }
    if (exchange === undefined && served === undefined) {
      context.log.info('Nothing to compare: PostgreSQL 12 has its own files, which PostgreSQL 14 did not serve');
      return;
    }
    try {
      await compare(context, measured);
    } catch (error) {
      context.results.warnings.push(
        `The action could not compare PostgreSQL 12 with the measurement before the upgrade: ${describe(error)}`,
      );
    }
  },
};

/** A measurement, as the log tells of it while it goes on. */
export function measuring({ timeline, clock, log }: Context, step: StepId, doing: string): LongWork {
  const expected = timeline.expectedTime(step);
  return { doing, expected, limit: measurementLimit, limitOf: 'each database', clock, log };
}

async function compare(context: Context, measured: Fingerprint): Promise<void> {
  const { database, settings, log, results } = context;
  const { fingerprint: now } = await withHeartbeat(
    measuring(context, 'quiesce', 'measuring the data of PostgreSQL 12'),
    () => measure(database, settings.jobs, measurementLimit, { before: measured }),
  );
  const differences = compareFingerprints(measured, now);
  if (differences.length === 0)
    log.info(`PostgreSQL 12 has the data that was measured before the upgrade: ${fingerprintSize(now)}`);
  else
    results.warnings.push(
      `PostgreSQL 12 differs from the measurement before the upgrade: ${differences.slice(0, 10).join('; ')}`,
    );
}

/**
 * @returns what the last client has left: the same session looks at all of it, after it has looked for clients. In the databases that are known from before the
 * downtime, it also asks for users' code.
 */
async function waitForClients(context: Context): Promise<Left> {
  const { database, inputs, results } = context;
  const along = { databases: results.databases ?? [], questions: usersCodeQuestions(context) };
  return await waitFor(
    {
      what: 'the last clients to disconnect',
      limit: inputs.clientsTimeout,
      limitInput: 'clients-timeout',
      ...context,
    },
    async () => {
      const left = await readWhatIsLeft(database, along);
      if (left.clients.length === 0) return { done: left };
      return {
        pending: left.clients
          .map(
            (c) =>
              `${c.application || 'a client without a name'} (user ${c.user}, database ${c.database}, from ${c.address}, ${c.state})`,
          )
          .join('; '),
      };
    },
  );
}

/** `pg_cron launcher (database postgres)` */
export function workersText(workers: readonly BackgroundWorker[]): string {
  return workers
    .map(({ worker, database }) => `${worker} (${database === '' ? 'no database of its own' : `database ${database}`})`)
    .join(', ');
}

/** A client may have prepared a transaction or created a slot since the checks. */
function expectNoObstacle({ target }: Context, found: readonly Obstacle[]): void {
  if (found.length === 0) return;
  throw new UpgradeError(
    'upgrade-obstacle',
    `Since the checks, clients have left: ${found.map(obstacleName).join('; ')}.`,
    obstacleRemedy(found, sessionIn(target)),
  );
}

async function measureAndNote(
  { database, settings, journal, log, results }: Context,
  databases: readonly ListedDatabase[],
): Promise<void> {
  const { fingerprint, sortOrders } = await measure(database, settings.jobs, measurementLimit, { databases });
  results.before = fingerprint;
  log.info(`Measured ${fingerprintSize(results.before)}`);
  // Together with the measurement: once that is noted, another run measures nothing again. A backup that an earlier run took is older than this.
  const notes = { sortOrders, ...(journal.noted.backup === undefined ? {} : { backup: null }) };
  try {
    await journal.noteAll({ ...notes, measured: fingerprint });
  } catch (error) {
    if (!(error instanceof TooLongForJournal)) throw error;
    await journal.noteAll(notes);
    log.info(
      'Could not note the measurement: it is too large for the journal. If another run resumes this upgrade, it can not compare the data',
    );
  }
}
