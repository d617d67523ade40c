import type { PatchOperation, ResourceName } from '../ports/cluster.ts';

/** One step of an upgrade that has not begun. */
export interface PlannedStep {
  readonly id: string;
  readonly title: string;
  readonly moves: readonly Move[];
  /** The applications are stopped. */
  readonly isDowntime: boolean;
  /** Undefined outside of the downtime. */
  readonly expected: Expectation | undefined;
}

/** How far a prediction may be off: the least and the most, as parts of the seconds. */
export interface Spread {
  readonly low: number;
  readonly high: number;
}

/** How long a step of the downtime will take. */
export interface Expectation {
  /** Undefined where nothing predicts it. */
  readonly seconds?: number | undefined;
  /** Missing where the seconds are certain, or nothing predicts them. */
  readonly spread?: Spread;
  /** What it was predicted from, or why it was not. */
  readonly basis: string;
}

/** One thing that an upgrade will do, as `dry-run` shows it. */
export type Move =
  | {
      readonly does: 'create';
      readonly resource: ResourceName;
      /** As it will be sent, but for the time in its name. */
      readonly object: object;
      /** When it is removed again; undefined when it stays. */
      readonly until?: string;
    }
  | {
      readonly does: 'change';
      readonly resource: ResourceName;
      readonly name: string;
      /** The object as it is before the upgrade, as far as it is known. */
      readonly object: object;
      /** Of the patch; its tests are left out. */
      readonly operations: readonly PatchOperation[];
    }
  | {
      readonly does: 'run';
      /** What runs in the server, as a sentence. */
      readonly what: string;
    };

/** Stands in names for the time at which an object will be made, down to the second. */
export const timeToCome = 'YYYYMMDDhhmmss';

/** A prediction with its range, in seconds. */
export interface Predicted {
  readonly seconds: number;
  readonly lowSeconds: number;
  readonly highSeconds: number;
}

/** @returns undefined where nothing predicts it */
export function predictedOf({ seconds, spread }: Omit<Expectation, 'basis'>): Predicted | undefined {
  if (seconds === undefined) return undefined;
  const { low, high } = spread ?? { low: 1, high: 1 };
  return { seconds, lowSeconds: seconds * low, highSeconds: seconds * high };
}

/** As if all were off to the same side: what one step depends on, others do too. */
export function sumOf(predicted: readonly Predicted[]): Predicted {
  const sum = (of: keyof Predicted) => predicted.reduce((all, one) => all + one[of], 0);
  return { seconds: sum('seconds'), lowSeconds: sum('lowSeconds'), highSeconds: sum('highSeconds') };
}

/** In whole seconds, so that the range only becomes wider. */
export function inWholeSeconds({ seconds, lowSeconds, highSeconds }: Predicted): Predicted {
  return { seconds: Math.ceil(seconds), lowSeconds: Math.floor(lowSeconds), highSeconds: Math.ceil(highSeconds) };
}

/** What is predicted of the steps in the downtime that can be, and the others. */
export function plannedDowntime(steps: readonly PlannedStep[]): Predicted & {
  readonly unpredicted: readonly PlannedStep[];
} {
  const downtime = steps.filter(({ isDowntime }) => isDowntime);
  const predicted = downtime.flatMap(({ expected }) => (expected && predictedOf(expected)) ?? []);
  return { ...sumOf(predicted), unpredicted: downtime.filter(({ expected }) => expected?.seconds === undefined) };
}
