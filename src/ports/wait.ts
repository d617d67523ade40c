import { CancelledError, sentence, WaitError } from '../common/errors.ts';
import { copyable } from '../text/commands.ts';
import type { Clock } from './clock.ts';
import { stateText, withHeartbeat } from './heartbeat.ts';
import type { Log } from './runner.ts';

/** What a look at the cluster says: it is done, or what is still missing. A look that throws ends the wait. */
export type Look<T> = { readonly done: T } | { readonly pending: string };

export interface Wait {
  /** Completes "Waiting for …". */
  readonly what: string;
  /** Milliseconds. */
  readonly limit: number;
  /** The input that sets the limit; undefined where none does. */
  readonly limitInput?: string;
  /** How long it is expected to take, in milliseconds; undefined where nothing tells it. */
  readonly expected?: number | undefined;
  /** A command for a shell that shows what holds it up; for the error at the limit. */
  readonly lookAt?: string;
  /**
   * How far it has come, where that changes too often for a line of the log each time: it is told once a minute. Callers spread whole contexts into
   * this object, and none of them has anything of this name.
   */
  readonly stage?: () => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

const shortestPause = 100;
const longestPause = 1000;
/** The pause as a part of the time waited so far: what is over is seen late by no more than that. */
const lateness = 1 / 80;

/**
 * Looks again and again until it is done, one end or the other: a look throws
 * when what is waited for can no longer come. Reads instead of watches, since
 * watches of Kubernetes clients end in silence when nothing happens.
 * Decision: docs/decisions/0007-waits.md
 * @throws WaitError at the limit, CancelledError when the run is cancelled
 */
export async function waitFor<T>(wait: Wait, look: () => Promise<Look<T>>): Promise<T> {
  const { clock, log, signal, what, limit, expected, stage } = wait;
  const start = clock.monotonic();
  let told = '';
  const state = () => stage?.() ?? (told === '' ? undefined : told);
  return await withHeartbeat({ doing: `waiting for ${what}`, expected, limit, state, clock, log }, async () => {
    for (;;) {
      if (signal?.aborted === true) throw new CancelledError(`waiting for ${what}`);
      const result = await look();
      if ('done' in result) return result.done;
      const pending = stateText(result.pending);
      if (pending !== told) log.info(`Waiting for ${what}: ${pending}`);
      told = pending;
      const waited = clock.monotonic() - start;
      if (waited > limit) throw atLimit(wait, told);
      await clock.sleep(Math.min(Math.max(waited * lateness, shortestPause), longestPause), signal);
    }
  });
}

function atLimit({ what, limit, limitInput, lookAt }: Wait, pending: string): WaitError {
  return new WaitError(
    'wait-limit',
    `Timed out after ${String(Math.round(limit / 1000))} s waiting for ${what}: ${sentence(pending)}`,
    `${limitInput === undefined ? 'Look' : `Raise \`${limitInput}\`, or look`} at what holds it up${lookAt === undefined ? '' : `: ${copyable(lookAt)}`}.`,
  );
}
