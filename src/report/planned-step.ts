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

/** How long a step of the downtime will take. */
export interface Expectation {
  /** Undefined where nothing predicts it. */
  readonly seconds?: number | undefined;
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

/** Seconds of the steps in the downtime that can be predicted, and the others. */
export function plannedDowntime(steps: readonly PlannedStep[]): {
  readonly seconds: number;
  readonly unpredicted: readonly PlannedStep[];
} {
  const downtime = steps.filter(({ isDowntime }) => isDowntime);
  return {
    seconds: downtime.reduce((sum, { expected }) => sum + (expected?.seconds ?? 0), 0),
    unpredicted: downtime.filter(({ expected }) => expected?.seconds === undefined),
  };
}
