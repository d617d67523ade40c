import { resources } from '../ports/cluster.ts';
import type { Move } from '../upgrade/contract/moves.ts';
import { plannedDowntime, type PlannedStep } from '../upgrade/planned-upgrade.ts';
import { objectDiff } from './object-diff.ts';

/** A dry run's plan, for machines: the manifests are whole. Log and summary are written from it too. */
export interface PlanReport {
  /** Undefined where a step of the downtime can't be foretold. */
  readonly downtimeSeconds: number | undefined;
  readonly steps: readonly ReportedStep[];
}

export interface ReportedStep {
  readonly id: string;
  readonly title: string;
  readonly isDowntime: boolean;
  readonly seconds: number | undefined;
  /** What the seconds were told from. */
  readonly basis: string | undefined;
  readonly moves: readonly ReportedMove[];
}

export type ReportedMove =
  | { readonly does: 'create'; readonly manifest: object; readonly until: string | undefined }
  | { readonly does: 'change'; readonly resource: string; readonly name: string; readonly diff: string }
  | { readonly does: 'run'; readonly what: string };

export function planReport(steps: readonly PlannedStep[]): PlanReport {
  const seconds = plannedDowntime(steps);
  return {
    downtimeSeconds: seconds === undefined ? undefined : Math.ceil(seconds),
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
function manifestOf({ resource, object }: Extract<Move, { does: 'create' }>): object {
  const { group, version, kind } = resources[resource];
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind, ...object };
}
