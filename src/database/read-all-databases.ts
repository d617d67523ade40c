import { inParallel } from '../common/parallel.ts';
import type { Database } from './database.ts';
import type { Rows } from './script.ts';
import type { DatabaseFacts } from './server.ts';
import { shares } from './distribute-databases.ts';

/**
 * Runs a script in every database that accepts connections, in a few sessions, each of which goes through its share of them.
 * @param sql prints JSON, as `Database.readEach` takes it
 * @param sessions how many at a time
 * @param limit for each database, in milliseconds
 * @returns the rows of each, in the order of the list
 * @throws ClusterError with psql's own message when it fails in one of them
 */
export async function readAll(
  database: Database,
  databases: readonly DatabaseFacts[],
  sql: string,
  sessions: number,
  limit?: number,
): Promise<Rows> {
  const open = databases.filter((d) => d.allowsConnections);
  const answers = await inParallel(sessions, shares(open, sessions), (names) => database.readEach(names, sql, limit));
  const rows = new Map(answers.flatMap((answer) => [...answer]));
  return new Map(open.map(({ name }) => [name, rows.get(name) ?? []]));
}
