import type { ListedDatabase } from '../database/server.ts';
import { removeReason, unknown, worst, type Answer } from './finding.ts';
import type { Known } from '../common/known.ts';

export const notAccepting = 'nobody can connect to it: look at the checks database-connections and invalid-databases';

/** Databases that nobody can ask. template0 is as initdb made it. */
export function closedAmong(list: readonly ListedDatabase[]): string[] {
  return list.filter((d) => !d.allowsConnections && d.name !== 'template0').map(({ name }) => name);
}

/** The answer of a check that asks each database, and that it is unknown of those which could not be asked. */
export function besidesClosed(databases: Known<readonly ListedDatabase[]>, answer: Answer): Answer {
  const closed = databases.known ? closedAmong(databases.value) : [];
  return closed.length === 0
    ? answer
    : worst(answer, unknown(removeReason, ...closed.map((name) => `${name}: ${notAccepting}`)));
}
