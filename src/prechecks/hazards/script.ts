// The table of hazards as a script for psql, and what psql prints as answers.
import { z } from 'zod';
import type { Known } from '../finding.ts';
import type { Answers, Found, Hazard } from './hazard.ts';

/** Rows kept of each answer; the number of all is told. */
export const rowLimit = 20;

/** One statement may take so long, in milliseconds: the server is in production. */
const statementLimit = 10_000;

/**
 * Every query of one scope, each by itself: one that fails leaves its reason in the place of its rows, and the next is asked.
 * A connection that can't be made still ends the script (ON_ERROR_STOP is taken away after it, and put back at the end).
 */
export function hazardScript(hazards: readonly Hazard[], scope: 'server' | 'database'): string {
  const queries = hazards.flatMap((hazard) => {
    const query = hazard[scope];
    return query === undefined ? [] : [statement(hazard, query, scope === 'database' ? hazard.before : undefined)];
  });
  return [
    '\\set ON_ERROR_STOP 0',
    `SET statement_timeout = ${String(statementLimit)}; SET lock_timeout = 1000;`,
    ...queries,
    '\\set ON_ERROR_STOP 1',
  ].join('\n');
}

/** What a hazard does before its query is told like the query where it fails: the query would only stumble over it. */
function statement({ id }: Hazard, query: string, before: string | undefined): string {
  const failed = `\\if :ERROR\nSELECT json_build_object('hazard', '${id}', 'error', :'LAST_ERROR_MESSAGE');`;
  const asked = `SELECT json_build_object('hazard', '${id}', 'total', count(*),
  'rows', coalesce(json_agg(json_build_object('object', object, 'detail', detail, 'remedy', remedy) ORDER BY n) FILTER (WHERE n <= ${String(rowLimit)}), '[]'))
FROM (SELECT row_number() OVER (ORDER BY object, detail) AS n, object, detail, remedy FROM (
${query.trim()}
) AS found(object, detail, remedy)) AS numbered;
${failed}
\\endif`;
  return before === undefined ? asked : `${before}\n${failed}\n\\else\n${asked}\n\\endif`;
}

const row = z.object({ object: z.string(), detail: z.string(), remedy: z.string() });
const answer = z.union([
  z.strictObject({ hazard: z.string(), total: z.number(), rows: z.array(row) }),
  z.strictObject({ hazard: z.string(), error: z.string() }),
]);

/**
 * What the script of `hazardScript` printed. What is missing from it is not in the answers either.
 * @throws ZodError for rows that are no answers
 */
export function answersOf(rows: readonly unknown[]): Answers {
  return Object.fromEntries(
    z
      .array(answer)
      .parse(rows)
      .map((a) => [a.hazard, knownOf(a)]),
  );
}

function knownOf(a: z.infer<typeof answer>): Known<Found> {
  return 'error' in a
    ? { known: false, reason: a.error, code: 'query-failed' }
    : { known: true, value: { total: a.total, rows: a.rows } };
}
