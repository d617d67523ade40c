import type { Comparison } from '../ports/github.ts';

/** Our branch as it is. */
export interface BranchState {
  readonly head: string;
  /** Against the base. */
  readonly comparison: Comparison;
  /** SHA of the values file on the branch. */
  readonly blob: string | undefined;
  /** Whether the file, as it is on the branch, is what it is to be. */
  readonly fits: boolean;
  /** Whether the file in the base is another one than the branch started from. */
  readonly baseChanged: boolean;
}
