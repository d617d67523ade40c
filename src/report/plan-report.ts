import { plannedDowntime, type PlannedStep } from '../upgrade/planned-upgrade.ts';
import { manifestOf } from './plan-lines.ts';
import { objectDiff } from './object-diff.ts';

/** A dry run's plan, for machines: the manifests are whole. */
export interface PlanReport {
  /** Undefined where a step of the downtime can't be foretold. */
  readonly downtimeSeconds: number | undefined;
  readonly steps: readonly {
    readonly id: string;
    readonly title: string;
    readonly isDowntime: boolean;
    readonly seconds: number | undefined;
    /** What the seconds were told from. */
    readonly basis: string | undefined;
    readonly moves: readonly PlannedMove[];
  }[];
}

type PlannedMove =
  | { readonly does: 'create'; readonly manifest: object; readonly until: string | undefined }
  | { readonly does: 'change'; readonly resource: string; readonly name: string; readonly diff: string }
  | { readonly does: 'run'; readonly what: string };

export function planReport(steps: readonly PlannedStep[]): PlanReport {
  const seconds = plannedDowntime(steps);
  return {
    downtimeSeconds: seconds === undefined ? undefined : Math.ceil(seconds),
    steps: steps.map(({ id, title, isDowntime, expected, moves }) => ({
      ...{ id, title, isDowntime, seconds: expected?.seconds, basis: expected?.basis },
      moves: moves.map((move): PlannedMove => {
        if (move.does === 'run') return { does: 'run', what: move.what };
        if (move.does === 'create') return { does: 'create', manifest: manifestOf(move), until: move.until };
        const { resource, name, object, operations } = move;
        return { does: 'change', resource, name, diff: objectDiff(`${resource}/${name}`, object, operations) };
      }),
    })),
  };
}

/** For the job summary: a line for each step, and what it makes and changes by name. */
export function planLines({ downtimeSeconds, steps }: PlanReport): string[] {
  const name = (manifest: object) => {
    const { kind = '', metadata = {} } = manifest as { kind?: string; metadata?: { name?: string } };
    return `${kind} ${metadata.name ?? ''}`;
  };
  const told = (move: PlannedMove) =>
    move.does === 'run'
      ? move.what
      : move.does === 'create'
        ? `makes \`${name(move.manifest)}\`${move.until === undefined ? '' : ` (until ${move.until})`}`
        : `changes \`${move.resource}/${move.name}\``;
  return [
    downtimeSeconds === undefined
      ? 'How long the downtime would be, nothing foretells.'
      : `The downtime would be about **${String(downtimeSeconds)} s**.`,
    '',
    ...steps.flatMap(({ title, isDowntime, seconds, basis, moves }) => [
      `- **${title}**${isDowntime ? `: ${seconds === undefined ? 'not foretold' : `about ${String(seconds)} s (${basis ?? ''})`}` : ''}`,
      ...moves.map((move) => `  - ${told(move)}`),
    ]),
    '',
    'All manifests and differences are in the log and in the report.',
    '',
  ];
}
