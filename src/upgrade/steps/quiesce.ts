import { readClients } from '../../database/clients.ts';
import { compareFingerprints, fingerprintSize, type Fingerprint } from '../../database/fingerprint.ts';
import { measure } from '../../database/measurement.ts';
import { obstacleName, obstacleRemedy, readObstacles } from '../../database/obstacles.ts';
import { describe, UpgradeError } from '../../common/errors.ts';
import { sessionIn } from '../../target/target.ts';
import { withHeartbeat, type LongWork } from '../../ports/heartbeat.ts';
import { waitFor } from '../../ports/wait.ts';
import { isStoppedByGate } from '../server/scheduling-gate.ts';
import { TooLongForJournal } from '../../journal/compress-fingerprint.ts';
import type { StepId } from '../../journal/notes.ts';
import type { Context, Step } from '../contract/step.ts';
import { expectNoUsersCode } from './users-code.ts';

/** Limit of one database's measurement before and after; a table above 1 GiB is not counted, so minutes are plenty. */
export const measurementLimit = 30 * 60_000;

/** Proves that no client is left, measures what must be the same afterwards, and writes everything to disk. */
export const quiesce: Step = {
  id: 'quiesce',
  title: 'Wait for the last client, measure the data, checkpoint',

  plan: () => [
    {
      does: 'run',
      what: 'Wait until no client is connected. Refuse prepared transactions, replication slots, and code of database users that the upgrade would run as the superuser.',
    },
    {
      does: 'run',
      what: 'Read what must be the same afterwards: rows, sizes, sequences, sort orders. Write it to disk: CHECKPOINT.',
    },
  ],

  async run(context) {
    const { journal, log, results } = context;
    if (journal.noted.measured !== undefined && (await isStoppedByGate(context))) {
      results.before = journal.noted.measured;
      log.info(`Measured before by ${journal.record.runId}: ${fingerprintSize(results.before)}`);
      return;
    }
    await seeClientsGo(context);
    await expectNoObstacle(context);
    // Before the measurement, which opens tables: PostgreSQL 12 then runs functions of partition keys.
    await expectNoUsersCode(context);
    // Side by side: to read does not change what is to be written. All come to their end before an error is told.
    const ends = await withHeartbeat(measuring(context, 'quiesce', 'measuring the data and writing it to disk'), () =>
      Promise.allSettled([
        measureAndNote(context),
        context.database.write('template1', 'CHECKPOINT;', context.inputs.shutdownTimeout),
      ]),
    );
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  },

  /** 12 from a backup, or after 14 has served beside it, is held to what was measured before the applications come back. */
  async undo(context) {
    const { measured, exchange, served } = context.journal.noted;
    if (measured === undefined || (exchange === undefined && served === undefined)) return;
    try {
      await compare(context, measured);
    } catch (error) {
      context.results.warnings.push(`12 could not be compared with what was measured: ${describe(error)}`);
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
    () => measure(database, settings.jobs, measurementLimit),
  );
  const differences = compareFingerprints(measured, now);
  if (differences.length === 0) log.info(`As it was measured before the upgrade: ${fingerprintSize(now)}`);
  else
    results.warnings.push(
      `12 differs from what was measured before the upgrade: ${differences.slice(0, 10).join('; ')}`,
    );
}

async function seeClientsGo(context: Context): Promise<void> {
  const { database, inputs } = context;
  await waitFor(
    {
      what: 'the last clients to disconnect',
      limit: inputs.clientsTimeout,
      limitInput: 'clients-timeout',
      ...context,
    },
    async () => {
      const clients = await readClients(database);
      if (clients.length === 0) return { done: undefined };
      return {
        pending: clients
          .map(
            (c) =>
              `${c.application || 'a client without a name'} (user ${c.user}, database ${c.database}, from ${c.address}, ${c.state})`,
          )
          .join('; '),
      };
    },
  );
}

/** A client may have prepared a transaction or made a slot since the checks. */
async function expectNoObstacle({ database, target }: Context): Promise<void> {
  const found = await readObstacles(database);
  if (found.length === 0) return;
  throw new UpgradeError(
    'upgrade-obstacle',
    `Since the checks there is: ${found.map(obstacleName).join('; ')}.`,
    obstacleRemedy(found, sessionIn(target)),
  );
}

async function measureAndNote({ database, settings, journal, log, results }: Context): Promise<void> {
  const { fingerprint, sortOrders } = await measure(database, settings.jobs, measurementLimit);
  results.before = fingerprint;
  log.info(`Measured ${fingerprintSize(results.before)}`);
  // A backup that an earlier run took is older than this.
  if (journal.noted.backup !== undefined) await journal.note('backup', null);
  // Before the measurement: where that is noted, another run measures nothing again.
  await journal.note('sortOrders', sortOrders);
  try {
    await journal.note('measured', fingerprint);
  } catch (error) {
    if (!(error instanceof TooLongForJournal)) throw error;
    log.info('It is too much for the journal: a run that has to go on with this one could not compare');
  }
}
