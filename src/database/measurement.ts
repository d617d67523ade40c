import type { Database } from './database.ts';
import { fingerprintOf, fingerprintScript, shareOf, type Fingerprint } from './fingerprint.ts';
import { questionsScript, type Question } from './questions.ts';
import { readDatabaseNames, type ListedDatabase } from './server.ts';
import { isSortOrder, sortOrdersOf, sortOrdersQuestion, type SortOrders } from './sort-order.ts';
import { inParallel } from '../common/parallel.ts';
import type { Rows } from './script.ts';
import { distributeDatabases } from './distribute-databases.ts';

/** What an upgrade is judged by, before and after. */
export interface Measurement {
  /** What must be the same. */
  readonly fingerprint: Fingerprint;
  /** What may have changed with the C library, and then takes the indexes with it. */
  readonly sortOrders: SortOrders;
  /** What the databases answered to the questions along with it, as `questionsScript` has it. */
  readonly answers: Rows;
}

/** What is known already, so that it is not asked again. */
interface Given {
  /** The databases of the server. */
  readonly databases?: readonly ListedDatabase[];
  /** The measurement with which this one will be compared: the same tables are counted. */
  readonly before?: Fingerprint;
  /** What else to ask in the same sessions. Where that fails, the measurement does not. */
  readonly questions?: readonly Question[];
}

/** Milliseconds: limit of one database's measurement, before and after. Only the smallest tables are counted, so minutes are more than enough. */
export const measurementLimit = 30 * 60_000;

/** A row between the measurement of a database and its other answers. */
const endOfMeasurement = '{"measured":true}';

/**
 * Measures every database that accepts connections, both in one session: it is downtime.
 * @param sessions how many at a time
 * @param limit for each database, in milliseconds
 */
export async function measure(
  database: Database,
  sessions: number,
  limit: number,
  { databases, before, questions = [] }: Given = {},
): Promise<Measurement> {
  const list = databases ?? (await readDatabaseNames(database));
  const atOnce = Math.min(sessions, list.filter((d) => d.allowsConnections).length);
  const script = (names: readonly string[]) =>
    [
      fingerprintScript(before ?? shareOf(names.length, atOnce)),
      ...sortOrdersQuestion.statements,
      ...(questions.length === 0 ? [] : [`\\echo '${endOfMeasurement}'`, questionsScript(questions)]),
    ].join('\n');
  const rows = await readAll(database, list, script, sessions, limit);
  const parts = [...rows].map(([name, all]) => {
    const end = all.findIndex((row) => JSON.stringify(row) === endOfMeasurement);
    return end === -1 ? { name, own: all, others: [] } : { name, own: all.slice(0, end), others: all.slice(end + 1) };
  });
  const relations = parts.map(({ name, own }) => [name, own.filter((row) => !isSortOrder(row))] as const);
  return {
    fingerprint: fingerprintOf(new Map(relations)),
    sortOrders: sortOrdersOf(new Map(parts.map(({ name, own }) => [name, own]))),
    answers: new Map(parts.map(({ name, others }) => [name, others])),
  };
}

/**
 * Runs a script in every database that accepts connections, in a few sessions, each of which goes through its share of them.
 * @param sql prints JSON, as `Database.readEach` takes it; of a session with these databases, where that matters
 * @param sessions how many at a time
 * @param limit for each database, in milliseconds
 * @returns the rows of each, in the order of the list
 * @throws ClusterError with psql's own message when it fails in one of them
 */
export async function readAll(
  database: Database,
  databases: readonly ListedDatabase[],
  sql: string | ((names: readonly string[]) => string),
  sessions: number,
  limit?: number,
): Promise<Rows> {
  const open = databases.filter((d) => d.allowsConnections);
  const answers = await inParallel(sessions, distributeDatabases(open, sessions), (names) =>
    database.readEach(names, typeof sql === 'string' ? sql : sql(names), limit),
  );
  const rows = new Map(answers.flatMap((answer) => [...answer]));
  return new Map(open.map(({ name }) => [name, rows.get(name) ?? []]));
}
