import type { ListedDatabase } from '../../database/server.ts';
import { UpgradeError } from '../../common/errors.ts';
import { askDatabases } from '../../database/ask-databases.ts';
import { judgeHazard } from '../../hazards/judge-hazard.ts';
import { codeHazards } from '../../hazards/code.ts';
import { hazardFacts } from '../../hazards/gather.ts';
import { hazardQuestions } from '../../hazards/script.ts';
import type { Context } from '../contract/step.ts';

/** Lines of evidence in the error; the checks show all of it. */
const mostEvidence = 10;

/**
 * Runs the checks of `codeHazards` again: a database's user may have created such an object since the checks ran, and pg_upgrade would run its code as the
 * superuser. A check that `ignore-checks` names is left out, since a person has decided it.
 * Decision: docs/decisions/0028-users-code.md
 * @throws UpgradeError where a check finds something, or a database could not be asked
 */
export async function expectNoUsersCode(
  { database, inputs, settings }: Pick<Context, 'database' | 'inputs' | 'settings'>,
  list: readonly ListedDatabase[],
): Promise<void> {
  const asked = codeHazards.filter(({ id }) => !inputs.ignoreChecks.has(id));
  if (asked.length === 0) return;
  const answers = await askDatabases(database, list, hazardQuestions(asked, 'database'), settings.jobs);
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
