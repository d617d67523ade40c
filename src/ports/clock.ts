/** Time, as a parameter, so that tests need not wait. */
export interface Clock {
  /** Milliseconds that only ever grow; for measuring. */
  monotonic(): number;
  now(): Date;
  /** Resolves after `milliseconds`, or at once when `signal` aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
