import { z } from 'zod';
import type { Database } from './database.ts';
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

/** Every session of a client, but the one that asks. */
export const clientRows = `SELECT json_build_object('pid', pid, 'database', datname, 'user', usename, 'application', application_name,
       'address', coalesce(host(client_addr), 'local'), 'state', coalesce(state, ''))
     FROM pg_catalog.pg_stat_activity
     WHERE ${isClient}
     ORDER BY pid;`;

/** Every session of a client, but the one that asks. */
export async function readClients(database: Database): Promise<Client[]> {
  return clients.parse(jsonLines(await database.read('template1', clientRows)));
}
