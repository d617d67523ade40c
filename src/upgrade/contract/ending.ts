import { UpgradeError } from '../../common/errors.ts';
import type { Remedy } from '../../text/remedy.ts';

/** How the work on the server ended. What leaves everything where it is, for another run to resume, is thrown instead. */
export type Ending = Completed | WayBack;

/** PostgreSQL 14 serves, and the applications are restarted. */
interface Completed {
  readonly end: 'completed';
}

/** How a revert or a rollback ended. */
export type WayBack = Told &
  (
    | { /** All steps are undone: PostgreSQL 12 has its files and its image again. */ readonly end: 'reverted' }
    | { /** A step could not be undone. Another run resumes there. */ readonly end: 'way-back-failed' }
    | { /** Nothing was undone: PostgreSQL 14 still serves. */ readonly end: 'not-rolled-back' }
  );

/** What the run reports of it. */
interface Told {
  /** Why the action reverted, and how the server was left. */
  readonly message: string;
  /** What to do next. */
  readonly remedy: Remedy;
  readonly cause?: unknown;
}

export const completed: Ending = { end: 'completed' };

/** For an upgrade. @throws UpgradeError with the end of the revert as its code */
export function expectCompleted(ending: Ending): void {
  if (ending.end !== 'completed') throw errorOf(ending);
}

/** For a rollback. @throws UpgradeError when PostgreSQL 12 is not restored */
export function expectReverted(wayBack: WayBack): void {
  if (wayBack.end !== 'reverted') throw errorOf(wayBack);
}

function errorOf({ end, message, remedy, cause }: WayBack): UpgradeError {
  return new UpgradeError(end, message, remedy, { cause });
}
