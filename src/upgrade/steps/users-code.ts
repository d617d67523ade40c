import type { ListedDatabase } from '../../database/server.ts';
import { UpgradeError } from '../../common/errors.ts';
import { askDatabases, type DatabaseAnswers } from '../../database/ask-databases.ts';
import type { Question } from '../../database/questions.ts';
import { judgeHazard } from '../../hazards/judge-hazard.ts';
import { codeHazards } from '../../hazards/code.ts';
import { hazardFacts } from '../../hazards/gather.ts';
import { hazardQuestions } from '../../hazards/script.ts';
import type { Context } from '../contract/step.ts';

/** Lines of evidence in the error; the checks show all of it. */
const mostEvidence = 10;

type Asking = Pick<Context, 'database' | 'inputs' | 'settings'>;

/** A check that `ignore-checks` names is left out, since a person has decided it. */
function askedHazards({ inputs }: Pick<Asking, 'inputs'>) {
  return codeHazards.filter(({ id }) => !inputs.ignoreChecks.has(id));
}

/** What `expectNoUsersCode` asks in each database. */
export function usersCodeQuestions(context: Pick<Asking, 'inputs'>): readonly Question[] {
  return hazardQuestions(askedHazards(context), 'database');
}

/**
 * Runs the checks of `codeHazards` again: a database's user may have created such an object since the checks ran, and pg_upgrade would run its code as the
 * superuser.
 * Decision: docs/decisions/0028-users-code.md
 * @param answered what databases have answered already; all are asked where those are others than the listed ones
 * @throws UpgradeError where a check finds something, or a database could not be asked
 */
export async function expectNoUsersCode(
  context: Asking,
  list: readonly ListedDatabase[],
  answered?: DatabaseAnswers,
): Promise<void> {
  const asked = askedHazards(context);
  if (asked.length === 0) return;
  const answers =
    answered !== undefined && areAnswersOf(list, answered)
      ? answered
      : await askDatabases(context.database, list, usersCodeQuestions(context), context.settings.jobs);
  const facts = hazardFacts({ known: true, value: {} }, list, answers);
  for (const hazard of asked) {
    const { status, evidence, remedy } = judgeHazard(hazard, facts);
    if (status === 'passed') continue;
    const left = evidence.length - mostEvidence;
    const seen = [...evidence.slice(0, mostEvidence), ...(left > 0 ? [`${String(left)} more`] : [])].join('; ');
    throw new UpgradeError(
      'upgrade-obstacle',
      `The action ran the check ${hazard.id} again before stopping PostgreSQL, and its finding is ${status}: ${seen}.`,
      remedy ?? `Do what the check ${hazard.id} says, then run the upgrade again.`,
    );
  }
}

function areAnswersOf(list: readonly ListedDatabase[], answers: DatabaseAnswers): boolean {
  const open = list.filter((d) => d.allowsConnections);
  return open.length === Object.keys(answers).length && open.every(({ name }) => Object.hasOwn(answers, name));
}
