// Questions to a database, asked in one session, of which each may fail by itself.
import { z } from 'zod';
import type { Rows } from './script.ts';

export interface Question {
  readonly id: string;
  /** SQL and commands of psql, one after the other until one of them fails; they print rows of JSON, without the key `question`. */
  readonly statements: readonly string[];
  /** The question is asked only if one of these SELECTs finds a row. They take less time than the question. */
  readonly onlyIfExists?: {
    readonly selects: readonly string[];
    /** The rows of the answer where none finds a row, as the statements would print them. */
    readonly nothing: readonly object[];
  };
}

/** The server is in production: a statement ends after so many milliseconds, and takes no parallel workers. */
const polite = ['SET statement_timeout = 10000;', 'SET max_parallel_workers_per_gather = 0;'];

/**
 * A script of questions. Where a statement fails, a row says so instead of the rest of its question, and the next question is asked. A row ends each
 * question that was answered: without that row there is no answer, even where nothing is found.
 * A connection that can't be made still ends the script: ON_ERROR_STOP is off only between the connection and the end.
 */
export function questionsScript(questions: readonly Question[]): string {
  const selects = [...new Set(questions.flatMap(({ onlyIfExists }) => onlyIfExists?.selects ?? []))];
  return [
    '\\set ON_ERROR_STOP 0',
    ...polite,
    ...whatIsThere(questions, selects),
    ...questions.map(asked),
    '\\set ON_ERROR_STOP 1',
  ].join('\n');
}

/** psql's variable that says whether to ask a question. */
const variable = (index: number) => `is_asked_${String(index)}`;

/** Each SELECT runs once, however many questions need it. Where it fails, every question is asked: so the variables of the previous database are reset first. */
function whatIsThere(questions: readonly Question[], selects: readonly string[]): string[] {
  if (selects.length === 0) return [];
  const found = selects.map((select, index) => `EXISTS (${select}) AS found_${String(index)}`);
  const columns = questions.flatMap(({ onlyIfExists }, index) => {
    const founds = onlyIfExists?.selects.map((select) => `found_${String(selects.indexOf(select))}`);
    return founds === undefined ? [] : [{ name: variable(index), founds }];
  });
  return [
    ...columns.map(({ name }) => `\\set ${name} true`),
    `SELECT ${columns.map(({ name, founds }) => `${founds.join(' OR ')} AS ${name}`).join(', ')}`,
    `FROM (SELECT ${found.join(',\n  ')} OFFSET 0) AS there`,
    '\\gset',
  ];
}

function asked({ id, statements, onlyIfExists }: Question, index: number): string {
  const question = untilOneFails(id, statements);
  if (onlyIfExists === undefined) return question;
  const nothing = [...onlyIfExists.nothing, { question: id, answered: true }].map(
    (row) => `\\echo '${JSON.stringify(row)}'`,
  );
  return [`\\if :${variable(index)}`, question, '\\else', ...nothing, '\\endif'].join('\n');
}

function untilOneFails(id: string, [first = '', ...rest]: readonly string[]): string {
  const failed = `SELECT json_build_object('question', '${id}', 'error', :'LAST_ERROR_MESSAGE');`;
  const next = rest.length === 0 ? `\\echo '{"question":"${id}","answered":true}'` : untilOneFails(id, rest);
  return [first, '\\if :ERROR', failed, '\\else', next, '\\endif'].join('\n');
}

/** The row instead of an answer, where a question failed. */
export const failedQuestion = z.strictObject({ question: z.string(), error: z.string() });
const ending = z.union([failedQuestion, z.strictObject({ question: z.string(), answered: z.literal(true) })]);

/** The database in which a question was not answered, and why, as one sentence's part; undefined where all have answered it. */
export function firstUnanswered(rows: Rows, id: string): string | undefined {
  for (const [database, of] of rows) {
    const end = ending.safeParse(of.find((row) => isOf(row, id))).data;
    if (end === undefined) return `database "${database}": psql left out the answer`;
    if ('error' in end) return `database "${database}": ${end.error}`;
  }
  return undefined;
}

function isOf(row: unknown, id: string): boolean {
  return typeof row === 'object' && row !== null && 'question' in row && row.question === id;
}
