import type { Database } from './database.ts';
import { firstUnanswered, questionsScript, type Question } from './questions.ts';
import type { Rows } from './script.ts';
import type { ListedDatabase } from './server.ts';
import { distributeDatabases } from './distribute-databases.ts';
import { inParallel } from '../common/parallel.ts';
import { type Known, known, mapFact } from '../common/known.ts';

/** For each database, in milliseconds; a single statement ends much earlier. */
const limit = 300_000;

/** By database, all rows that it printed: answers, and reasons why there is none. */
export type DatabaseAnswers = Readonly<Record<string, Known<readonly unknown[]>>>;

/**
 * Asks each database that accepts connections, in a few sessions that go from one to the next. What can't be read is unknown by itself: a question in
 * one database, a database.
 * @param sessions how many at a time
 * @throws CancelledError only
 */
export async function askDatabases(
  database: Database,
  list: readonly ListedDatabase[],
  questions: readonly Question[],
  sessions: number,
): Promise<DatabaseAnswers> {
  const open = list.filter((d) => d.allowsConnections);
  const script = questionsScript(questions);
  const answers = await inParallel(sessions, distributeDatabases(open, sessions), (names) =>
    togetherOrAlone(names, (some) => database.readEach(some, script, limit)),
  );
  return Object.fromEntries(answers.flat());
}

/**
 * All of them in one session; where that fails each by itself, so that the one which is broken does not lose the others.
 * @param session goes through such databases
 */
export async function togetherOrAlone(
  names: readonly string[],
  session: (names: readonly string[]) => Promise<Rows>,
): Promise<(readonly [string, Known<readonly unknown[]>])[]> {
  const rows = await known(() => session(names));
  if (rows.known) return names.map((name) => [name, { known: true, value: rows.value.get(name) ?? [] }] as const);
  if (names.length === 1) return names.map((name) => [name, rows] as const);
  const alone = [];
  for (const name of names) alone.push(...(await togetherOrAlone([name], session)));
  return alone;
}

/**
 * What all databases together answered to some questions; unknown where one of them did not.
 * @param parse takes its own rows from those of all questions
 */
export function answerOfAll<T>(
  answers: Known<DatabaseAnswers>,
  questions: readonly Question[],
  parse: (rows: Rows) => T,
): Known<T> {
  if (!answers.known) return answers;
  const rows = new Map<string, readonly unknown[]>();
  for (const [name, answer] of Object.entries(answers.value)) {
    if (!answer.known) return answer;
    rows.set(name, answer.value);
  }
  const reason = questions.map(({ id }) => firstUnanswered(rows, id)).find((unanswered) => unanswered !== undefined);
  return reason === undefined
    ? mapFact({ known: true, value: rows }, parse)
    : { known: false, reason, code: 'query-failed' };
}
