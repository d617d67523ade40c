// Questions to a database, asked in one session, of which each may fail by itself.
import { z } from 'zod';
import type { Rows } from './script.ts';

export interface Question {
  readonly id: string;
  /** SQL and commands of psql, one after the other until one of them fails; they print rows of JSON, without the key `question`. */
  readonly statements: readonly string[];
}

/** One statement may take so long, in milliseconds: the server is in production. */
const statementLimit = 10_000;

/**
 * A script of questions: where a statement fails, a row says so in the place of what is left of its question, and the next one is asked. A row ends each
 * question that was answered: no row is no answer, also where nothing is found.
 * A connection that can't be made still ends the script (ON_ERROR_STOP is taken away after it, and put back at the end).
 */
export function questionsScript(questions: readonly Question[]): string {
  return [
    '\\set ON_ERROR_STOP 0',
    `SET statement_timeout = ${String(statementLimit)};`,
    ...questions.map(({ id, statements }) => untilOneFails(id, statements)),
    '\\set ON_ERROR_STOP 1',
  ].join('\n');
}

function untilOneFails(id: string, [first = '', ...rest]: readonly string[]): string {
  const failed = `SELECT json_build_object('question', '${id}', 'error', :'LAST_ERROR_MESSAGE');`;
  const next = rest.length === 0 ? `\\echo '{"question":"${id}","answered":true}'` : untilOneFails(id, rest);
  return [first, '\\if :ERROR', failed, '\\else', next, '\\endif'].join('\n');
}

const ending = z.union([
  z.strictObject({ question: z.string(), error: z.string() }),
  z.strictObject({ question: z.string(), answered: z.literal(true) }),
]);

/** The database in which a question was not answered, and why, as one sentence's part; undefined where all have answered it. */
export function firstUnanswered(rows: Rows, id: string): string | undefined {
  for (const [database, of] of rows) {
    const end = of.map((row) => ending.safeParse(row).data).find((row) => row?.question === id);
    if (end === undefined) return `database "${database}": psql left out the answer`;
    if ('error' in end) return `database "${database}": ${end.error}`;
  }
  return undefined;
}
