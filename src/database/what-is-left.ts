import { clientRows, clients, type Client } from './clients.ts';
import type { Database } from './database.ts';
import { obstacleRows, obstacles, type Obstacle } from './obstacles.ts';
import { jsonLines } from './script.ts';
import { databaseNames, listedDatabases, type ListedDatabase } from './server.ts';

/** Who is still connected, then what clients have left behind, and the databases. */
export interface Left {
  readonly clients: readonly Client[];
  readonly obstacles: readonly Obstacle[];
  readonly databases: readonly ListedDatabase[];
}

/** In one session, since each program in the pod is downtime. The clients come first: while there are any, the rest may still change. */
export async function readWhatIsLeft(database: Database): Promise<Left> {
  const rows = jsonLines(await database.read('template1', [clientRows, obstacleRows, databaseNames].join('\n')));
  const has = (name: string) => (row: unknown) => typeof row === 'object' && row !== null && name in row;
  const ofDatabases = rows.filter((row) => !has('pid')(row) && !has('kind')(row));
  return {
    clients: clients.parse(rows.filter(has('pid'))),
    obstacles: obstacles.parse(rows.filter(has('kind'))),
    databases: listedDatabases.parse(ofDatabases),
  };
}
