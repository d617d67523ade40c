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
  }),
]);

/** What pg_upgrade refuses (a prepared transaction) or silently leaves behind (a replication slot). */
export type Obstacle = z.infer<typeof obstacle>;

export const obstacles = z.array(obstacle);

/** All of the server's, whatever database they belong to. A temporary slot ends with its session and is none. */
export const obstacleRows = `SELECT json_build_object('kind', 'prepared transaction', 'gid', gid, 'database', database, 'owner', owner)
     FROM pg_catalog.pg_prepared_xacts ORDER BY prepared;
     SELECT json_build_object('kind', 'replication slot', 'name', slot_name, 'type', slot_type, 'database', database)
     FROM pg_catalog.pg_replication_slots WHERE NOT temporary ORDER BY slot_name;`;

export async function readObstacles(database: Database): Promise<Obstacle[]> {
  return obstacles.parse(jsonLines(await database.read('template1', obstacleRows)));
}

/** One line for people: what it is, and whose. */
export function obstacleName(found: Obstacle): string {
  return found.kind === 'prepared transaction'
    ? `prepared transaction ${quoted(found.gid)} in database "${found.database}", of ${found.owner}`
    : `${found.type} replication slot ${found.name}${found.database === null ? '' : ` in database "${found.database}"`}`;
}

/**
 * What takes them away, with their names, for psql as the superuser.
 * @param session the command that starts it
 */
export function obstacleRemedy(found: readonly Obstacle[], session: string): string {
  const prepared = found.flatMap((o) => (o.kind === 'prepared transaction' ? [o] : []));
  const slots = found.flatMap((o) => (o.kind === 'replication slot' ? [o] : []));
  const sentences = [
    ...prepared.map(
      ({ gid, database }) =>
        `In database "${visible(database)}": ${statement(`ROLLBACK PREPARED ${quoted(gid)};`)} (or COMMIT PREPARED, if whoever prepared it says so).`,
    ),
    ...(slots.length === 0
      ? []
      : [
          `${statement(slots.map(({ name }) => `SELECT pg_catalog.pg_drop_replication_slot(${quoted(name)});`).join(' '))} PostgreSQL 14 starts without slots, and their readers have to start again: stop the readers first.`,
        ]),
  ];
  return `As the superuser (${copyable(session)}): ${sentences.join(' ')}`;
}

function statement(sql: string): string {
  return copyable(isPasteable(sql) ? sql : notPasteable);
}

/** A text as a literal of SQL, which means the same with and without `standard_conforming_strings`. */
export function quoted(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return text.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}
