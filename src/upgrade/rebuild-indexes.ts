import { z } from 'zod';
import { readDatabases } from '../database/server.ts';
import { changedOrders, readSortOrders, reindexSql, sortOrders } from '../database/sort-order.ts';
import type { Step } from './step.ts';

/** Limit of rebuilding the indexes of one database. */
const limit = 6 * 60 * 60_000;

/**
 * The C library or ICU of 14's image may sort text in another way than 12's did:
 * every index on such text is then rebuilt before anybody reads through it. 14
 * itself gives no warning for the collation of a database.
 */
export const rebuildIndexes: Step = {
  id: 'rebuild-indexes',
  title: 'Rebuild the indexes whose collation sorts in another way now',

  async run({ database, journal, settings, log, results }) {
    const before = sortOrders.parse(JSON.parse(journal.noted.sortOrders ?? '{}'));
    const after = await readSortOrders(database, await readDatabases(database), settings.jobs);
    const changed = Object.entries(changedOrders(before, after));
    if (changed.length === 0) {
      log.info('Every collation sorts as it did');
      return;
    }
    for (const [name, collations] of changed) {
      const answers = await database.writeEach([name], reindexSql(collations), limit);
      const rebuilt = z.array(z.object({ reindexed: z.string() })).parse(answers.get(name));
      log.info(`${name}: ${rebuilt.map((r) => r.reindexed).join(', ')}`);
      results.warnings.push(
        `Collations of database ${name} sort in another way now (${collations.join(', ')}): ${String(rebuilt.length)} indexes were rebuilt. Sorted output of queries may differ.`,
      );
    }
  },
};
