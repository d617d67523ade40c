import { resources } from '../ports/cluster.ts';
import {
  inWholeSeconds,
  type Move,
  plannedDowntime,
  type PlannedStep,
  type Predicted,
  predictedOf,
} from './planned-step.ts';
import type { PlanReport, ReportedMove } from './plan-shape.ts';
import { objectDiff } from './object-diff.ts';

export function planReport(steps: readonly PlannedStep[]): PlanReport {
  const { unpredicted, ...predicted } = plannedDowntime(steps);
  const { seconds: predictedSeconds, lowSeconds, highSeconds } = inWholeSeconds(predicted);
  return {
    downtimeSeconds: unpredicted.length > 0 ? undefined : predictedSeconds,
    predictedSeconds,
    ...{ lowSeconds, highSeconds },
    steps: steps.map(({ id, title, isDowntime, expected, moves }) => ({
      ...{ id, title, isDowntime, ...rangeOf(expected), basis: expected?.basis },
      moves: moves.map(reported),
    })),
  };
}

/** With one digit. */
function rangeOf(expected: PlannedStep['expected']): Partial<Predicted> {
  const predicted = expected && predictedOf(expected);
  if (predicted === undefined) return {};
  const rounded = (seconds: number) => Math.round(seconds * 10) / 10;
  const { seconds, lowSeconds, highSeconds } = predicted;
  return { seconds, lowSeconds: rounded(lowSeconds), highSeconds: rounded(highSeconds) };
}

function reported(move: Move): ReportedMove {
  switch (move.does) {
    case 'run':
      return move;
    case 'create':
      return { does: 'create', manifest: manifestOf(move), until: move.until };
    case 'change': {
      const { resource, name, object, operations } = move;
      return { does: 'change', resource, name, diff: objectDiff(`${resource}/${name}`, object, operations) };
    }
  }
}

/** What is created, as kubectl would take it. */
function manifestOf({
  resource,
  object,
}: Extract<Move, { does: 'create' }>): Extract<ReportedMove, { does: 'create' }>['manifest'] {
  const { group, version, kind } = resources[resource];
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind, ...object };
}
