import { dump } from 'js-yaml';
import { resources } from '../ports/cluster.ts';
import type { Move } from '../upgrade/moves.ts';
import type { PlannedStep } from '../upgrade/planned-upgrade.ts';
import { objectDiff } from './object-diff.ts';

/** Characters; a script is told by its size in the log, and whole in the report. */
const longestText = 2000;

/** `Run pg_upgrade in a Job: about 12.3 s of downtime (…)`, for the head of a group. */
export function stepLine({ title, isDowntime, expected }: PlannedStep): string {
  if (!isDowntime) return `${title} (no downtime)`;
  return `${title}: ${expected === undefined ? 'not foretold' : `about ${String(expected.seconds)} s (${expected.basis})`}`;
}

/** A move as people read it, in lines. */
export function moveLines(move: Move): string[] {
  switch (move.does) {
    case 'create':
      return [
        `+ create${move.until === undefined ? '' : `, until ${move.until}`}:`,
        ...indented(dump(shortened(manifestOf(move)), { lineWidth: 160, noRefs: true, skipInvalid: true })),
      ];
    case 'change':
      return ['~ change:', ...indented(objectDiff(`${move.resource}/${move.name}`, move.object, move.operations))];
    case 'run':
      return [`> ${move.what}`];
  }
}

/** What is created, as kubectl would take it. */
export function manifestOf({ resource, object }: Extract<Move, { does: 'create' }>): object {
  const { group, version, kind } = resources[resource];
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind, ...object };
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string')
    return value.length > longestText ? `(${String(value.length)} characters, in the report)` : value;
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shortened(one)]));
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`);
}
