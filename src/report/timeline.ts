import type { Clock } from '../ports/clock.ts';

export interface Phase {
  readonly id: string;
  readonly title: string;
  readonly seconds: number;
  readonly outcome: 'done' | 'failed';
}

/** Measures what the run does, phase by phase, and the downtime of the applications. */
export class Timeline {
  readonly phases: Phase[] = [];
  private downAt: number | undefined;
  private upAt: number | undefined;

  constructor(private readonly clock: Clock) {}

  async phase<T>(id: string, title: string, body: () => Promise<T>): Promise<T> {
    const start = this.clock.monotonic();
    let outcome: Phase['outcome'] = 'failed';
    try {
      const result = await body();
      outcome = 'done';
      return result;
    } finally {
      this.phases.push({ id, title, seconds: seconds(this.clock.monotonic() - start), outcome });
    }
  }

  /**
   * The first application is about to be stopped, or was before this run began.
   * @param since milliseconds ago
   */
  downtimeBegins(since = 0): void {
    this.downAt ??= this.clock.monotonic() - since;
  }

  /** The last application is back. */
  downtimeEnds(): void {
    this.upAt = this.clock.monotonic();
  }

  /** Undefined when nothing was stopped, or not all is back. */
  get downtimeSeconds(): number | undefined {
    return this.downAt === undefined || this.upAt === undefined ? undefined : seconds(this.upAt - this.downAt);
  }
}

/** Seconds with one digit. */
function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
