import type { Facts } from '../facts/facts.ts';
import { planBeginning } from './steps/begin.ts';
import { expectedSeconds, type Expectation } from './expected-seconds.ts';
import { finish } from './steps/finish.ts';
import type { Draft, Move } from './contract/moves.ts';
import { improvements, release, reversibleSteps, validation } from './plan.ts';
import { stopApplications } from './steps/applications.ts';

/** One step of an upgrade that has not begun. */
export interface PlannedStep {
  readonly id: string;
  readonly title: string;
  readonly moves: readonly Move[];
  /** The applications are stopped. */
  readonly isDowntime: boolean;
  /** Undefined where nothing that was seen foretells it. */
  readonly expected: Expectation | undefined;
}

/** All that an upgrade does where nothing is in its way, in its order. */
export function planUpgrade(draft: Draft, facts: Facts): PlannedStep[] {
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

/** Seconds of the steps in the downtime; undefined where one of them can't be foretold. */
export function plannedDowntime(steps: readonly PlannedStep[]): number | undefined {
  const seconds = steps.filter(({ isDowntime }) => isDowntime).map(({ expected }) => expected?.seconds);
  return seconds.includes(undefined) ? undefined : seconds.reduce<number>((sum, one) => sum + (one ?? 0), 0);
}
