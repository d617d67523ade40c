import type { Clock } from '../../ports/clock.ts';
import type { Facts } from '../../facts/facts.ts';

export type FactName = keyof Facts;

/** Seconds that the reading of each fact took; no part of the facts, which are the same whenever they are read. */
export type FactSeconds = Readonly<Partial<Record<FactName, number>>>;

/** Measures the reading of facts, which goes on side by side. */
export class Stopwatch {
  private readonly milliseconds = new Map<FactName, number>();

  constructor(private readonly clock: Clock) {}

  /**
   * One reading, which may tell several facts.
   * @param facts those that are told; one that takes a second reading, later, takes both times
   */
  async measure<T>(facts: FactName | readonly FactName[], read: () => Promise<T>): Promise<T> {
    const start = this.clock.monotonic();
    try {
      return await read();
    } finally {
      const taken = this.clock.monotonic() - start;
      for (const fact of [facts].flat()) this.milliseconds.set(fact, (this.milliseconds.get(fact) ?? 0) + taken);
    }
  }

  get seconds(): FactSeconds {
    return Object.fromEntries([...this.milliseconds].map(([fact, taken]) => [fact, taken / 1000]));
  }
}
