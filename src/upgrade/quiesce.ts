import { readClients } from '../database/clients.ts';
import { fingerprintSize, takeFingerprint } from '../database/fingerprint.ts';
import { waitFor } from '../wait.ts';
import type { Step } from './step.ts';

/** Limit of one database's measurement before and after; a table above 1 GiB is not counted, so minutes are plenty. */
export const fingerprintLimit = 30 * 60_000;

/** Proves that no client is left, measures what must be the same afterwards, and writes everything to disk. */
export const quiesce: Step = {
  id: 'quiesce',
  title: 'See the last client go, measure the data, checkpoint',

  async run(context) {
    const { database, inputs, log, results } = context;
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
    results.before = await takeFingerprint(database, context.settings.jobs, fingerprintLimit);
    log.info(`Measured ${fingerprintSize(results.before)}`);
    await database.write('template1', 'CHECKPOINT;', inputs.shutdownTimeout);
  },
};
