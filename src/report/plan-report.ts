import { resources } from '../ports/cluster.ts';
import { type Move, plannedDowntime, type PlannedStep } from './planned-step.ts';
import type { PlanReport, ReportedMove } from './plan-shape.ts';
import { objectDiff } from './object-diff.ts';

export function planReport(steps: readonly PlannedStep[]): PlanReport {
  const { seconds, unpredicted } = plannedDowntime(steps);
  const predictedSeconds = Math.ceil(seconds);
  return {
    downtimeSeconds: unpredicted.length > 0 ? undefined : predictedSeconds,
    predictedSeconds,
    steps: steps.map(({ id, title, isDowntime, expected, moves }) => ({
      ...{ id, title, isDowntime, seconds: expected?.seconds, basis: expected?.basis },
      moves: moves.map(reported),
    })),
  };
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
