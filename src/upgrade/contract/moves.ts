import type { PatchOperation, ResourceName } from '../../ports/cluster.ts';
import type { Context } from './step.ts';

/** One thing that an upgrade will do, told before it does: by `dry-run`. */
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

/** What the moves of an upgrade follow from. */
export type Draft = Pick<Context, 'inputs' | 'target' | 'serving' | 'snapshotClass' | 'settings' | 'scripts'> & {
  readonly record: Context['journal']['record'];
};

/** Stands in names for the time at which an object will be made, down to the second. */
export const timeToCome = 'YYYYMMDDhhmmss';
