// The table of hazards as questions, and what psql prints as answers.
import { z } from 'zod';
import { failedQuestion, type Question } from '../database/questions.ts';
import type { Known } from '../common/known.ts';
import type { Answers, Found, Hazard } from './hazard.ts';

/** Rows kept of each answer; it has the number of all rows. */
export const rowLimit = 20;

/** Every query of one scope. Where the statement `before` a query fails, that is the answer: the query could only fail after it. */
export function hazardQuestions(hazards: readonly Hazard[], scope: 'server' | 'database'): Question[] {
  return hazards.flatMap((hazard) => {
    const query = hazard[scope];
    if (query === undefined) return [];
    if (scope === 'server') return [{ id: hazard.id, statements: [statement(hazard, query)] }];
    const statements = [...(hazard.before === undefined ? [] : [hazard.before]), statement(hazard, query)];
    const nothing = [{ hazard: hazard.id, total: 0, rows: [] }];
    return [
      {
        id: hazard.id,
        statements,
        ...(hazard.onlyIfExists && { onlyIfExists: { selects: hazard.onlyIfExists, nothing } }),
      },
    ];
  });
}

function statement({ id }: Hazard, query: string): string {
  return `SELECT json_build_object('hazard', '${id}', 'total', count(*),
  'rows', coalesce(json_agg(json_build_object('object', object, 'detail', detail, 'remedy', remedy) ORDER BY n) FILTER (WHERE n <= ${String(rowLimit)}), '[]'))
FROM (SELECT row_number() OVER (ORDER BY object, detail) AS n, object, detail, remedy FROM (
${query.trim()}
) AS found(object, detail, remedy)) AS numbered;`;
}

const row = z.object({ object: z.string(), detail: z.string(), remedy: z.string() });
const found = z.strictObject({ hazard: z.string(), total: z.number(), rows: z.array(row) });

/**
 * What the script of these questions printed, among other rows. What is missing from it is not in the answers either.
 * @throws ZodError for rows that are no answers
 */
export function answersOf(rows: readonly unknown[]): Answers {
  const answers = rows.filter((r) => typeof r === 'object' && r !== null && ('hazard' in r || 'error' in r));
  return Object.fromEntries(
    z
      .array(z.union([found, failedQuestion]))
      .parse(answers)
      .map(answerOf),
  );
}

function answerOf(a: z.infer<typeof found> | z.infer<typeof failedQuestion>): [string, Known<Found>] {
  return 'error' in a
    ? [a.question, { known: false, reason: a.error, code: 'query-failed' }]
    : [a.hazard, { known: true, value: { total: a.total, rows: a.rows } }];
}
