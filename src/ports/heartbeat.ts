import { shortened } from '../text/shortened.ts';
import { oneLine } from '../text/visible.ts';
import type { Clock } from './clock.ts';
import type { Log } from './runner.ts';

/** Milliseconds between two lines of the log about work that goes on. */
const beat = 60_000;

/** Characters of what others say in a line about what is waited for. */
const longestState = 500;

/** Work that may take long. */
export interface LongWork {
  /** Completes "Still …": `rebuilding the statistics`. */
  readonly doing: string;
  /** How long it is expected to take, in milliseconds; undefined where nothing tells it. */
  readonly expected?: number | undefined;
  /** When it is ended, in milliseconds; undefined where nothing ends it. */
  readonly limit?: number | undefined;
  /** What the limit is for, where it is not for all of the work: `each database`. */
  readonly limitOf?: string;
  /** What is known of it by now. */
  readonly state?: () => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Does the work, and logs a line a minute meanwhile: how long it has taken, how long it is expected to take, and its limit.
 * Decision: docs/decisions/0007-waits.md
 */
export async function withHeartbeat<T>(work: LongWork, body: () => Promise<T>): Promise<T> {
  const { doing, clock, log } = work;
  const start = clock.monotonic();
  const stop = clock.repeat(beat, () => {
    const state = stateOf(work);
    log.info(
      `Still ${doing}${state === undefined ? '' : `: ${stateText(state)}`} (${timesOf(work, clock.monotonic() - start)})`,
    );
    return Promise.resolve();
  });
  try {
    return await body();
  } finally {
    stop();
  }
}

/** A line of the log must not end the work: the clock's timer has nobody who could catch an error. */
function stateOf({ state, log }: LongWork): string | undefined {
  try {
    return state?.();
  } catch (error) {
    log.debug(`No state of the work: ${String(error)}`);
    return undefined;
  }
}

/** What others say, in one line of the log. */
export function stateText(state: string): string {
  return shortened(oneLine(state), longestState);
}

function timesOf({ expected, limit, limitOf }: LongWork, elapsed: number): string {
  const most =
    limit === undefined ? [] : [`at most ${durationText(limit)}${limitOf === undefined ? '' : ` for ${limitOf}`}`];
  const foreseen = expected === undefined ? [] : [`expected about ${durationText(expected)}`];
  return [durationText(elapsed), ...foreseen, ...most].join(', ');
}

/**
 * A duration as people read it: `45 s`, `12 min`, `1 h 30 min`. What is under two minutes is told in seconds.
 * @param milliseconds rounded to the nearest unit that is shown
 */
function durationText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 120) return `${String(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${String(minutes)} min`;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return rest === 0 ? `${String(hours)} h` : `${String(hours)} h ${String(rest)} min`;
}
