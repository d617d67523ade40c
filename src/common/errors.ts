import { remedyOf, type Remedy } from '../text/remedy.ts';
import { endOf, failed, type CodeOf, type End, type ErrorCode } from './error-codes.ts';

/** A line of a file, from the root of the repository. */
export interface FileLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

interface RunErrorOptions extends ErrorOptions {
  /** The line of a file in the repository that it is about. */
  readonly place?: FileLine;
}

/**
 * What can end a run. Each error says in one line what is wrong and where, and
 * in `remedy` what to do next; `code` is one of error-codes.ts.
 */
abstract class RunError<C extends ErrorCode = ErrorCode> extends Error {
  readonly place: FileLine | undefined;
  readonly remedy: Remedy;

  constructor(
    readonly code: C,
    message: string,
    remedy: string | Remedy,
    options?: RunErrorOptions,
  ) {
    super(message, options);
    this.remedy = remedyOf(remedy);
    this.place = options?.place;
    this.name = new.target.name;
  }
}

/** An input, or what it points to, is wrong. Nothing was touched. */
export class ConfigurationError extends RunError<CodeOf<'ConfigurationError'>> {}

/** The cluster could not be reached, refused a call or lacks what is needed. */
export class ClusterError extends RunError<CodeOf<'ClusterError'>> {}

/** GitHub could not be reached, refused a call, or holds something that is not ours to change. */
export class GitHubError extends RunError<CodeOf<'GitHubError'>> {}

/** A check failed or could not tell. Nothing was touched. */
export class PrecheckError extends RunError<CodeOf<'PrecheckError'>> {}

/** A step of the upgrade failed; the message says in which state the server is left. */
export class UpgradeError extends RunError<CodeOf<'UpgradeError'>> {}

/** A wait reached its limit. */
export class WaitError extends RunError<CodeOf<'WaitError'>> {}

/** The workflow run was cancelled (SIGINT or SIGTERM). */
export class CancelledError extends RunError<CodeOf<'CancelledError'>> {
  constructor(doing: string) {
    super('cancelled', `Cancelled while ${doing}`, 'Run the workflow again when you are ready.');
  }
}

export type { RunError };

/** Whether another run has taken the Lease. */
export function isLeaseLost(error: unknown): error is UpgradeError {
  return error instanceof UpgradeError && error.code === 'lease-lost';
}

export function isRunError(error: unknown): error is RunError {
  return error instanceof RunError;
}

/** How a run ends that ends with this. */
export function endWith(error: unknown): End {
  return isRunError(error) ? endOf(error.code) : failed;
}

/** The text with a full stop at its end, so that another sentence can follow. */
export function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** One line for any thrown thing, also for what is not an Error. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.message}${cause}`;
}
