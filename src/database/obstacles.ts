import { z } from 'zod';
import { copyable } from '../text/commands.ts';
import { isPasteable } from '../text/psql.ts';
import { notPasteable } from '../text/shell.ts';
import { visible } from '../text/visible.ts';
import type { Database } from './database.ts';
import { jsonLines } from './script.ts';

const obstacle = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('prepared transaction'), gid: z.string(), database: z.string(), owner: z.string() }),
  z.object({
    kind: z.literal('replication slot'),
    name: z.string(),
    type: z.string(),
    database: z.string().nullable(),
    /** Who reads from it just now: `pid 77, cdc-reader, from 10.0.0.7`. */
    usedBy: z.string().nullable(),
  }),
]);

/** What pg_upgrade refuses (a prepared transaction) or silently leaves behind (a replication slot). */
export type Obstacle = z.infer<typeof obstacle>;

export const obstacles = z.array(obstacle);

/** All of the server's, whatever database they belong to. A temporary slot ends with its session and is none. */
export const obstacleRows = `SELECT json_build_object('kind', 'prepared transaction', 'gid', gid, 'database', database, 'owner', owner)
     FROM pg_catalog.pg_prepared_xacts ORDER BY prepared;
     SELECT json_build_object('kind', 'replication slot', 'name', slot_name, 'type', slot_type, 'database', database, 'usedBy', CASE WHEN active THEN concat_ws(', ', 'pid ' || active_pid,
       (SELECT concat_ws(', ', nullif(application_name, ''), 'from ' || host(client_addr)) FROM pg_catalog.pg_stat_activity WHERE pid = active_pid)) END)
     FROM pg_catalog.pg_replication_slots WHERE NOT temporary ORDER BY slot_name;`;

export async function readObstacles(database: Database): Promise<Obstacle[]> {
  return obstacles.parse(jsonLines(await database.read('template1', obstacleRows)));
}

/** One line for people: what it is, and whose. */
export function obstacleName(found: Obstacle): string {
  if (found.kind === 'prepared transaction')
    return `prepared transaction ${quoted(found.gid)} in database "${found.database}", of ${found.owner}`;
  const where = found.database === null ? '' : ` in database "${found.database}"`;
  return `${found.type} replication slot ${found.name}${where}, ${found.usedBy === null ? 'inactive' : `in use by ${found.usedBy}`}`;
}

/**
 * What takes them away, with their names, for psql as the superuser.
 * @param session the command that starts it
 */
export function obstacleRemedy(found: readonly Obstacle[], session: string): string {
  const prepared = found.flatMap((o) => (o.kind === 'prepared transaction' ? [o] : []));
  const slots = found.flatMap((o) => (o.kind === 'replication slot' ? [o] : []));
  const rollBack = prepared.map(
    ({ gid, database }) =>
      `In database "${visible(database)}": ${statement(`ROLLBACK PREPARED ${quoted(gid)};`)} (or COMMIT PREPARED, if whoever prepared it says so).`,
  );
  const drop = slots.map(({ name }) => `SELECT pg_catalog.pg_drop_replication_slot(${quoted(name)});`).join(' ');
  const asSuperuser = `As the superuser (${copyable(session)}):`;
  return [
    ...(prepared.length === 0 ? [] : [asSuperuser, ...rollBack]),
    ...(slots.length === 0
      ? []
      : [
          '1. Stop the readers of the slots, or the slots stay in use. PostgreSQL 14 starts without slots, and the readers have to start again.',
          `2. ${asSuperuser} ${statement(drop)}`,
        ]),
  ].join(' ');
}

function statement(sql: string): string {
  return copyable(isPasteable(sql) ? sql : notPasteable);
}

/** A text as a literal of SQL, which means the same with and without `standard_conforming_strings`. */
export function quoted(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return text.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}
