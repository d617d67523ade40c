import type { Database } from './database.ts';
import { readAll } from './read-all-databases.ts';
import { fingerprintOf, fingerprintSql, type Fingerprint } from './fingerprint.ts';
import { readDatabases } from './server.ts';
import { isSortOrder, sortOrdersOf, sortOrdersQuestion, type SortOrders } from './sort-order.ts';

/** What an upgrade is judged by, before and after. */
export interface Measurement {
  /** What must be the same. */
  readonly fingerprint: Fingerprint;
  /** What may have changed with the C library, and then takes the indexes with it. */
  readonly sortOrders: SortOrders;
}

/**
 * Measures every database that accepts connections, both in one session: it is downtime.
 * @param sessions how many at a time
 * @param limit for each database, in milliseconds
 */
export async function measure(database: Database, sessions: number, limit: number): Promise<Measurement> {
  const list = await readDatabases(database);
  const script = [fingerprintSql, ...sortOrdersQuestion.statements].join('\n');
  const rows = await readAll(database, list, script, sessions, limit);
  const others = new Map([...rows].map(([name, all]) => [name, all.filter((row) => !isSortOrder(row))] as const));
  return { fingerprint: fingerprintOf(others), sortOrders: sortOrdersOf(rows) };
}
