import type { Check } from '../../facts/check.ts';
import { judgeFact } from '../../findings/finding.ts';
import type { Hazard } from '../../hazards/hazard.ts';
import { judgeHazard } from '../../hazards/judge-hazard.ts';

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
    run: ({ hazards }) => judgeFact(hazards, (facts) => judgeHazard(hazard, facts)),
  };
}
