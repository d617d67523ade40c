import { CancelledError, WaitError } from '../common/errors.ts';
import type { Clock } from './clock.ts';
import type { Log } from './runner.ts';

/** What a look at the cluster says: it is done, or what is still missing. A look that throws ends the wait. */
export type Look<T> = { readonly done: T } | { readonly pending: string };

export interface Wait {
  /** Completes "Waiting for …". */
  readonly what: string;
  /** Milliseconds. */
  readonly limit: number;
  /** The input that sets the limit. */
  readonly limitInput: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

const shortestPause = 100;
const longestPause = 1000;
/** The pause as a part of the time waited so far: what is over is seen late by no more than that. */
const lateness = 1 / 20;

/**
 * Looks again and again until it is done, one end or the other: a look throws
 * when what is waited for can no longer come. Reads instead of watches, since
 * watches of Kubernetes clients end in silence when nothing happens.
 * Decision: docs/decisions/0007-waits.md
 * @throws WaitError at the limit, CancelledError when the run is cancelled
 */
export async function waitFor<T>(wait: Wait, look: () => Promise<Look<T>>): Promise<T> {
  const { clock, log, signal } = wait;
  const start = clock.monotonic();
  let told = '';
  for (;;) {
    if (signal?.aborted === true) throw new CancelledError(`waiting for ${wait.what}`);
    const result = await look();
    if ('done' in result) return result.done;
    if (result.pending !== told) {
      told = result.pending;
      log.info(`Waiting for ${wait.what}: ${told}`);
    }
    const waited = clock.monotonic() - start;
    if (waited > wait.limit) {
      throw new WaitError(
        'wait-limit',
        `Waited ${String(Math.round(wait.limit / 1000))} s for ${wait.what}, in vain: ${told}.`,
        `Look at what holds it up, or raise the input "${wait.limitInput}".`,
      );
    }
    await clock.sleep(Math.min(Math.max(waited * lateness, shortestPause), longestPause), signal);
  }
}
