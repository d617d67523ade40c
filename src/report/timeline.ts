import type { Clock } from '../ports/clock.ts';

export interface Phase {
  readonly id: string;
  readonly title: string;
  /** By the runner's clock, as ISO 8601 in UTC. */
  readonly startedAt: string;
  readonly seconds: number;
  /** What it was expected to take; undefined where nothing told that before. */
  readonly expectedSeconds?: number | undefined;
  readonly outcome: 'done' | 'failed';
}

interface Begin {
  readonly place: number;
  /** Milliseconds, monotonic. */
  readonly start: number;
  readonly startedAt: string;
}

/** Measures what the run does, phase by phase, and the downtime of the applications. */
export class Timeline {
  /** In the order in which they began; undefined while one has not ended. */
  private readonly begun: (Phase | undefined)[] = [];
  /** Those that have not ended, by their ids. */
  private readonly open = new Map<string, Begin>();
  private expected: Readonly<Record<string, number | undefined>> = {};
  private downAt: number | undefined;
  private upAt: number | undefined;
  private analyzedAt: number | undefined;

  constructor(private readonly clock: Clock) {}

  /** Those that have ended, in the order in which they began. Some go on beside others. */
  get phases(): readonly Phase[] {
    return this.begun.filter((phase) => phase !== undefined);
  }

  async phase<T>(id: string, title: string, body: () => Promise<T>): Promise<T> {
    this.open.set(id, this.beginNow());
    let outcome: Phase['outcome'] = 'failed';
    try {
      const result = await body();
      outcome = 'done';
      return result;
    } finally {
      this.end(id, { id, title, outcome });
    }
  }

  /**
   * What a phase that goes on has done so far becomes a phase of its own, and the rest of it counts from now.
   * @param done what it was
   */
  split(id: string, done: Pick<Phase, 'id' | 'title'>): void {
    this.end(id, { ...done, outcome: 'done' });
    this.open.set(id, this.beginNow());
  }

  private beginNow(): Begin {
    const place = this.begun.push(undefined) - 1;
    return { place, start: this.clock.monotonic(), startedAt: this.clock.now().toISOString() };
  }

  private end(id: string, phase: Pick<Phase, 'id' | 'title' | 'outcome'>): void {
    const begin = this.open.get(id);
    if (begin === undefined) return;
    this.open.delete(id);
    const expectedSeconds = this.expected[phase.id];
    this.begun[begin.place] = {
      ...{ id: phase.id, title: phase.title, startedAt: begin.startedAt },
      ...{ seconds: seconds(this.clock.monotonic() - begin.start), outcome: phase.outcome },
      ...(expectedSeconds === undefined ? {} : { expectedSeconds }),
    };
  }

  /**
   * What phases to come are expected to take.
   * @param expected seconds, by the id of the phase
   */
  expect(expected: Readonly<Record<string, number | undefined>>): void {
    this.expected = { ...this.expected, ...expected };
  }

  /** Milliseconds that a phase is expected to take; undefined where nothing tells it. */
  expectedTime(id: string): number | undefined {
    const expected = this.expected[id];
    return expected === undefined ? undefined : expected * 1000;
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

  /** All tables have full statistics. */
  statisticsComplete(): void {
    this.analyzedAt = this.clock.monotonic();
  }

  /** Undefined when nothing was stopped, or not all is back. */
  get downtimeSeconds(): number | undefined {
    return this.sinceDown(this.upAt);
  }

  /** From the stop of the first application until the statistics were complete; undefined where they are not. */
  get statisticsSeconds(): number | undefined {
    return this.sinceDown(this.analyzedAt);
  }

  private sinceDown(at: number | undefined): number | undefined {
    return this.downAt === undefined || at === undefined ? undefined : seconds(at - this.downAt);
  }
}

/** Seconds with one digit. */
function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
