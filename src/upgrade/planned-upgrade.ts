import type { PlannedStep } from '../report/planned-step.ts';
import type { Facts } from '../facts/facts.ts';
import { planBeginning } from './steps/begin.ts';
import { expectedSeconds } from './expected-seconds.ts';
import { finish } from './steps/finish.ts';
import type { PlanContext } from './contract/step.ts';
import { improvements, release, reversibleSteps, validation } from './plan.ts';
import { stopApplications } from './steps/applications.ts';

/** All that an upgrade does where nothing is in its way, in its order. */
export function planUpgrade(draft: PlanContext, facts: Facts): PlannedStep[] {
  const steps = [...reversibleSteps, validation, ...improvements, release];
  const downtime = new Set(steps.slice(steps.indexOf(stopApplications)).map(({ id }) => id));
  const beginning = {
    id: 'begin',
    title: 'Begin',
    moves: planBeginning(draft),
    isDowntime: false,
    expected: undefined,
  };
  return [
    beginning,
    ...[...steps, finish].map((step) => ({
      id: step.id,
      title: step.title,
      moves: step.plan(draft),
      isDowntime: downtime.has(step.id),
      expected: downtime.has(step.id) ? expectedSeconds(step.id, facts) : undefined,
    })),
  ];
}
