import { z } from 'zod';
import { applicationName, type Database } from './database.ts';
import { jsonLines } from './script.ts';

const client = z.object({
  pid: z.number(),
  database: z.string(),
  user: z.string(),
  application: z.string(),
  address: z.string(),
  state: z.string(),
});

export type Client = z.infer<typeof client>;

export const clients = z.array(client);

/** Of pg_stat_activity: every session of a client, but the one that asks. */
const isClient = `backend_type = 'client backend' AND pid <> pg_backend_pid() AND datname IS NOT NULL AND usename IS NOT NULL`;

/** In SQL, whether there is one. */
export const isAnyClient = `EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE ${isClient})`;

/** Every other session of our name and our own role. Anybody may give that name to theirs. */
const ofOurs = `FROM pg_catalog.pg_stat_activity
     WHERE ${isClient} AND application_name = '${applicationName}' AND usename = session_user`;

/**
 * A session of ours that has come to its end stays in the list for some milliseconds, and the next look is much later. So each of these statements waits a moment if
 * there is one. No session is left out by its name, which anybody may give to theirs: who is still there is a client. Only a session of our own role is waited for.
 */
const whileOursEnds = `SELECT 1 FROM (SELECT ${ofOurs} LIMIT 1) AS ours WHERE pg_catalog.pg_sleep(0.02) IS NULL;
`.repeat(5);

/** Every session of a client, but the one that asks. */
export const clientRows = `${whileOursEnds}SELECT json_build_object('pid', pid, 'database', datname, 'user', usename, 'application', application_name,
       'address', coalesce(host(client_addr), 'local'), 'state', coalesce(state, ''))
     FROM pg_catalog.pg_stat_activity
     WHERE ${isClient}
     ORDER BY pid;`;

/** Every session of a client, but the one that asks. */
export async function readClients(database: Database): Promise<Client[]> {
  return clients.parse(jsonLines(await database.read('template1', clientRows)));
}

/**
 * Ends the sessions that a run which died has left at work in the server's pod: psql has all of its script already. PostgreSQL 14 only, which can wait for that.
 * @throws ClusterError where one does not end within half a minute
 */
export async function endEarlierSessions(database: Database): Promise<void> {
  await database.write(
    'template1',
    `DO $$ BEGIN
       PERFORM pg_terminate_backend(pid, 30000) ${ofOurs};
       PERFORM pg_stat_clear_snapshot();
       IF EXISTS (SELECT ${ofOurs}) THEN RAISE EXCEPTION 'a session of an earlier run of the action does not end'; END IF;
     END $$;`,
    120_000,
  );
}

/** Processes of PostgreSQL itself, by `backend_type`, and those of pg_prewarm, which write into no table. Workers of subscriptions have a check of their own. */
const ownProcesses = [
  ...['client backend', 'parallel worker', 'autovacuum launcher', 'autovacuum worker', 'archiver', 'startup'],
  ...['background writer', 'checkpointer', 'walwriter', 'walsender', 'walreceiver'],
  ...['logical replication launcher', 'logical replication worker', 'autoprewarm worker'],
];

/** Of a row of pg_stat_activity: a process that a library of an extension runs. It writes without a client. */
export const isBackgroundWorker = `backend_type NOT IN (${ownProcesses.map((type) => `'${type}'`).join(', ')})`;

const backgroundWorker = z.object({ worker: z.string(), database: z.string() });

/** By its type; its database is '' where it has none of its own. */
export type BackgroundWorker = z.infer<typeof backgroundWorker>;

export const backgroundWorkers = z.array(backgroundWorker);

export const backgroundWorkerRows = `SELECT DISTINCT jsonb_build_object('worker', backend_type, 'database', coalesce(datname, ''))
     FROM pg_catalog.pg_stat_activity WHERE ${isBackgroundWorker};`;

/** Processes that write without a client. */
export async function readBackgroundWorkers(database: Database): Promise<BackgroundWorker[]> {
  return backgroundWorkers.parse(jsonLines(await database.read('template1', backgroundWorkerRows)));
}
