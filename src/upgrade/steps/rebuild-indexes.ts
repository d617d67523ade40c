import { z } from 'zod';
import { changedOrders, reindexSql, type SortOrders } from '../../database/sort-order.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import type { Context } from '../contract/step.ts';

/** Limit of rebuilding the indexes of one database. */
const limit = 6 * 60 * 60_000;

/**
 * The C library or ICU in the image of PostgreSQL 14 may sort text differently than that of PostgreSQL 12:
 * then every index on such text is rebuilt before anybody uses it. PostgreSQL 14
 * itself gives no warning for the collation of a database.
 * @throws ClusterError with psql's message where an index can't be rebuilt
 */
export async function rebuildIndexes(
  { database, clock, log, results }: Context,
  before: SortOrders,
  after: SortOrders,
): Promise<void> {
  const changed = Object.entries(changedOrders(before, after));
  if (changed.length === 0) log.info('Every collation sorts text as before');
  for (const [name, collations] of changed) {
    log.info(`Rebuilding indexes of database ${name}: text sorts differently now …`);
    const work = { doing: `rebuilding the indexes of database ${name}`, limit, clock, log };
    const answers = await withHeartbeat(work, () => database.writeEach([name], reindexSql(collations), limit));
    const rebuilt = z.array(z.object({ reindexed: z.string() })).parse(answers.get(name));
    log.info(`Rebuilt in database ${name}: ${rebuilt.map((r) => r.reindexed).join(', ')}`);
    results.warnings.push(
      `Collations of database ${name} sort text differently now (${collations.join(', ')}). The action rebuilt ${String(rebuilt.length)} indexes. The order of query results may differ.`,
    );
  }
}
