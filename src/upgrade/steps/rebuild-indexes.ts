import { z } from 'zod';
import { changedOrders, reindexSql, type SortOrders } from '../../database/sort-order.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import type { Context } from '../contract/step.ts';

/** Limit of rebuilding the indexes of one database. */
const limit = 6 * 60 * 60_000;

/**
 * The C library or ICU of 14's image may sort text in another way than 12's did:
 * every index on such text is then rebuilt before anybody reads through it. 14
 * itself gives no warning for the collation of a database.
 * @throws ClusterError with psql's message where one can't be rebuilt
 */
export async function rebuildIndexes(
  { database, clock, log, results }: Context,
  before: SortOrders,
  after: SortOrders,
): Promise<void> {
  const changed = Object.entries(changedOrders(before, after));
  if (changed.length === 0) log.info('Every collation sorts as it did');
  for (const [name, collations] of changed) {
    log.info(`${name}: text sorts in another way now; its indexes are being rebuilt …`);
    const work = { doing: `rebuilding the indexes of database ${name}`, limit, clock, log };
    const answers = await withHeartbeat(work, () => database.writeEach([name], reindexSql(collations), limit));
    const rebuilt = z.array(z.object({ reindexed: z.string() })).parse(answers.get(name));
    log.info(`${name}: ${rebuilt.map((r) => r.reindexed).join(', ')}`);
    results.warnings.push(
      `Collations of database ${name} sort in another way now (${collations.join(', ')}): ${String(rebuilt.length)} indexes were rebuilt. Sorted output of queries may differ.`,
    );
  }
}
