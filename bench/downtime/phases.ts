/** What a way to upgrade did for a time. */
interface Phase {
  readonly title: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly seconds: number;
}

/** Phases in the order in which they ended. */
export class Phases {
  readonly all: Phase[] = [];

  async measure(title: string, body: () => Promise<void>): Promise<void> {
    const from = Date.now();
    const start = performance.now();
    await body();
    this.all.push({ title, from, seconds: (performance.now() - start) / 1000 });
  }
}

/** In seconds since the first application was told to stop. */
export interface TimedPhase {
  readonly title: string;
  /** Not before that moment. */
  readonly from: number;
  readonly seconds: number;
}

/**
 * What a phase took before the downtime is no part of it.
 * @param stopped when the first application was told to stop, in milliseconds since 1970
 * @returns in the order in which they began
 */
export function sinceStop(phases: readonly Phase[], stopped: number): TimedPhase[] {
  return phases
    .map(({ title, from, seconds }) => ({ title, from: (from - stopped) / 1000, to: (from - stopped) / 1000 + seconds }))
    .filter(({ to }) => to > 0)
    .map(({ title, from, to }) => ({ title, from: Math.max(0, from), seconds: to - Math.max(0, from) }))
    .sort((a, b) => a.from - b.from);
}
