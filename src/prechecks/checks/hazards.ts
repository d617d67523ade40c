import type { Check } from '../../facts/check.ts';
import { judgeFact, shellRemedy, type Answer } from '../../findings/finding.ts';
import type { Facts } from '../../facts/facts.ts';
import type { Hazard } from '../../hazards/hazard.ts';
import { judgeHazard } from '../../hazards/judge-hazard.ts';
import { listLocales } from './locale.ts';

/** The check of a hazard: passed only where every place was asked and none has it. */
export function hazardCheck(hazard: Hazard): Check {
  const { id, title, expected, why, says, shows, advice } = hazard;
  return {
    id,
    title,
    expected,
    subject: 'database',
    why,
    shows,
    advice,
    ...(says === undefined ? {} : { says }),
    run: (facts) => {
      const answer = judgeFact(facts.hazards, (found) => judgeHazard(hazard, found));
      return hazard.needsLocales === true ? withLocales(answer, facts) : answer;
    },
  };
}

function withLocales(answer: Answer, facts: Facts): Answer {
  const isFound = answer.status === 'failed' || answer.status === 'warning';
  if (!isFound || answer.remedy === undefined) return answer;
  return { ...answer, remedy: shellRemedy(answer.remedy.text, ...listLocales(facts)) };
}
