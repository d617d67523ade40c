import type { ListedDatabase } from '../database/server.ts';
import { remedyOfUnread, unknown, worst, type Answer } from './finding.ts';
import type { Known, Unknown } from '../common/known.ts';

/** What is known of a database that accepts no connections. */
export const closedDatabase: Unknown = {
  known: false,
  reason: 'nobody can connect to this database',
  code: 'no-connections',
  remedy: { text: 'Do what the checks database-connections and invalid-databases say, then run the checks again.' },
};

/** Databases that nobody can ask. template0 is as initdb made it. */
export function closedAmong(list: readonly ListedDatabase[]): string[] {
  return list.filter((d) => !d.allowsConnections && d.name !== 'template0').map(({ name }) => name);
}

/** The answer of a check that asks each database, and that it is unknown of those which could not be asked. */
export function besidesClosed(databases: Known<readonly ListedDatabase[]>, answer: Answer): Answer {
  const closed = databases.known ? closedAmong(databases.value) : [];
  const evidence = closed.map((name) => `${name}: ${closedDatabase.reason}`);
  return closed.length === 0 ? answer : worst(answer, unknown(remedyOfUnread(closedDatabase), ...evidence));
}
