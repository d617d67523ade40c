import type { Clock } from '../../src/ports/clock.ts';

/** Time that passes only by sleeping. */
export class FakeClock implements Clock {
  readonly pauses: number[] = [];
  /** Runs after each sleep, for what happens meanwhile. */
  meanwhile: (elapsed: number) => void = () => undefined;
  private elapsed = 0;
  private readonly repeated = new Set<{ readonly work: () => Promise<void>; readonly every: number; due: number }>();

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
    await this.runDue();
  }

  repeat(milliseconds: number, work: () => Promise<void>): () => void {
    const entry = { work, every: milliseconds, due: this.elapsed + milliseconds };
    this.repeated.add(entry);
    return () => this.repeated.delete(entry);
  }

  /** How many works are repeated by now. */
  get repeating(): number {
    return this.repeated.size;
  }

  /** Runs once what is due by now, as after a pause of the process. */
  async runDue(): Promise<void> {
    for (const entry of this.repeated) {
      if (entry.due > this.elapsed) continue;
      await entry.work();
      entry.due = this.elapsed + entry.every;
    }
  }
}
