import type { Clock } from '../../ports/clock.ts';
import type { Facts } from '../../facts/facts.ts';

export type FactName = keyof Facts;

/** Seconds that the reading of each fact took; no part of the facts, which are the same whenever they are read. */
export type FactSeconds = Readonly<Partial<Record<FactName, number>>>;

/** Measures the reading of facts, which run side by side. */
export class Stopwatch {
  private readonly milliseconds = new Map<FactName, number>();
  /** Names of the facts of each reading that has not come to its end. */
  private readonly reading = new Set<readonly FactName[]>();

  constructor(private readonly clock: Clock) {}

  /**
   * Measures one reading, which may give several facts.
   * @param facts those that it gives; a fact that is read twice takes both times
   */
  async measure<T>(facts: FactName | readonly FactName[], read: () => Promise<T>): Promise<T> {
    const start = this.clock.monotonic();
    const names = [facts].flat();
    this.reading.add(names);
    try {
      return await read();
    } finally {
      this.reading.delete(names);
      const taken = this.clock.monotonic() - start;
      for (const fact of names) this.milliseconds.set(fact, (this.milliseconds.get(fact) ?? 0) + taken);
    }
  }

  /** The facts that are being read, each once, in words: `upgrade probe, hazards`. */
  get pending(): string {
    const names = [...new Set([...this.reading].flat())];
    return names.map((name) => name.replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`)).join(', ');
  }

  get seconds(): FactSeconds {
    return Object.fromEntries([...this.milliseconds].map(([fact, taken]) => [fact, taken / 1000]));
  }
}
