// What an error of the cluster says of the call.
import { ClusterError } from '../common/errors.ts';

/** Whether it was done is not known: the answer was lost, or the API server failed in the middle. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof ClusterError && (error.code === 'unreachable' || error.code === 'server-error');
}

/** The API server is away or overloaded: the same call may work later. */
export function isAway(error: unknown): error is ClusterError {
  return isUnanswered(error) || (error instanceof ClusterError && error.code === 'too-many-requests');
}

/** Somebody else changed or made the object just then. */
export function isConflict(error: unknown): boolean {
  return error instanceof ClusterError && error.code === 'conflict';
}
