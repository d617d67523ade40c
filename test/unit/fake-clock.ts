import type { Clock } from '../../src/ports/clock.ts';

/** Time that passes only by sleeping. */
export class FakeClock implements Clock {
  readonly pauses: number[] = [];
  /** Runs after each sleep, for what happens meanwhile. */
  meanwhile: (elapsed: number) => void = () => undefined;
  private elapsed = 0;

  monotonic(): number {
    return this.elapsed;
  }

  now(): Date {
    return new Date(Date.UTC(2026, 0, 2, 3, 4, 5) + this.elapsed);
  }

  pass(milliseconds: number): void {
    this.elapsed += milliseconds;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    await Promise.resolve();
    this.pauses.push(milliseconds);
    if (signal?.aborted !== true) this.pass(milliseconds);
    this.meanwhile(this.elapsed);
  }
}
