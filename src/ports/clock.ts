/** Time, as a parameter, so that tests need not wait. */
export interface Clock {
  /** Milliseconds that only ever grow; for measuring. */
  monotonic(): number;
  now(): Date;
  /** Resolves after `milliseconds`, or at once when `signal` aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /**
   * Calls `work` again and again, each time `milliseconds` after its last end,
   * until the answer is called. It keeps no process alive; `work` must not throw.
   */
  repeat(milliseconds: number, work: () => Promise<void>): () => void;
}

/** Seconds with one digit. @param begun by `clock.monotonic()` */
export function secondsSince(clock: Pick<Clock, 'monotonic'>, begun: number): number {
  return Math.round((clock.monotonic() - begun) / 100) / 10;
}

/** Milliseconds by which the clocks of two API servers may differ: each writes its own into what it creates, in whole seconds. */
export const clockSkew = 5000;
