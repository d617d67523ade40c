// Questions to a database, asked in one session, of which each may fail by itself.
import { z } from 'zod';
import type { Rows } from './script.ts';

export interface Question {
  readonly id: string;
  /** SQL and commands of psql, one after the other until one of them fails; they print rows of JSON, without the key `question`. */
  readonly statements: readonly string[];
  /** Where there is no such row nothing can be found: a SELECT of what must be there, which takes less time than the question does. */
  readonly among?: {
    readonly select: string;
    /** The rows that say so, as the statements would. */
    readonly nothing: readonly object[];
  };
}

/** One statement may take so long, in milliseconds: the server is in production. */
const statementLimit = 10_000;

/**
 * A script of questions: where a statement fails, a row says so in the place of what is left of its question, and the next one is asked. A row ends each
 * question that was answered: no row is no answer, also where nothing is found.
 * A connection that can't be made still ends the script (ON_ERROR_STOP is taken away after it, and put back at the end).
 */
export function questionsScript(questions: readonly Question[]): string {
  const selects = [...new Set(questions.flatMap(({ among }) => (among === undefined ? [] : [among.select])))];
  return [
    '\\set ON_ERROR_STOP 0',
    `SET statement_timeout = ${String(statementLimit)};`,
    ...whatIsThere(selects),
    ...questions.map((question) => asked(question, selects)),
    '\\set ON_ERROR_STOP 1',
  ].join('\n');
}

const variable = (index: number) => `is_there_${String(index)}`;

/** Where that can't be told all is asked: the variables are those of the database before until then. */
function whatIsThere(selects: readonly string[]): string[] {
  if (selects.length === 0) return [];
  const columns = selects.map((select, index) => `EXISTS (${select}) AS ${variable(index)}`);
  return [...selects.map((_, index) => `\\set ${variable(index)} true`), `SELECT ${columns.join(',\n  ')}`, '\\gset'];
}

function asked({ id, statements, among }: Question, selects: readonly string[]): string {
  const question = untilOneFails(id, statements);
  if (among === undefined) return question;
  const nothing = [...among.nothing, { question: id, answered: true }].map((row) => `\\echo '${JSON.stringify(row)}'`);
  return [`\\if :${variable(selects.indexOf(among.select))}`, question, '\\else', ...nothing, '\\endif'].join('\n');
}

function untilOneFails(id: string, [first = '', ...rest]: readonly string[]): string {
  const failed = `SELECT json_build_object('question', '${id}', 'error', :'LAST_ERROR_MESSAGE');`;
  const next = rest.length === 0 ? `\\echo '{"question":"${id}","answered":true}'` : untilOneFails(id, rest);
  return [first, '\\if :ERROR', failed, '\\else', next, '\\endif'].join('\n');
}

/** The row in the place of an answer, where a question failed. */
export const failedQuestion = z.strictObject({ question: z.string(), error: z.string() });
const ending = z.union([failedQuestion, z.strictObject({ question: z.string(), answered: z.literal(true) })]);

/** The database in which a question was not answered, and why, as one sentence's part; undefined where all have answered it. */
export function firstUnanswered(rows: Rows, id: string): string | undefined {
  for (const [database, of] of rows) {
    const end = of.map((row) => ending.safeParse(row).data).find((row) => row?.question === id);
    if (end === undefined) return `database "${database}": psql left out the answer`;
    if ('error' in end) return `database "${database}": ${end.error}`;
  }
  return undefined;
}
