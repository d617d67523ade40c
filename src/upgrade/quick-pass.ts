import { describe, sentence } from '../common/errors.ts';
import { interruptible } from './converge.ts';
import { release, statistics } from './plan.ts';
import { noteStatistics } from './steps/analyze.ts';
import type { Context } from './contract/step.ts';

/**
 * The quick pass of ANALYZE, beside what the run does meanwhile: it ends no run, and a cancellation ends it.
 * Decision: docs/decisions/0011-statistics-and-extensions.md
 */
export class QuickPass {
  private readonly stopped = new AbortController();
  private readonly signal: AbortSignal;
  private work: Promise<void> | undefined;
  /** Once the applications were restarted, it would replace statistics of a full pass. */
  private readonly isLate: boolean;

  constructor(private readonly context: Context) {
    this.signal = AbortSignal.any([context.signal, this.stopped.signal]);
    this.isLate = context.journal.noted.step === release.id;
  }

  /** Begins it, and waits for its end, for `statistics-budget` at most. Before that it notes that the statistics are pending, since the journal takes one note at a time. */
  async hold(): Promise<void> {
    const { inputs, clock, log, journal } = this.context;
    const budget = inputs.statisticsBudget;
    if (journal.noted.statistics === undefined) await noteStatistics(this.context, 'pending');
    if (budget === 0 || this.isLate) return;
    await log.group(statistics.quick.title, async () => {
      const ended = new AbortController();
      const isOver = await Promise.race([
        this.begin().then(() => false),
        clock.sleep(budget, AbortSignal.any([this.signal, ended.signal])).then(() => !this.signal.aborted),
      ]);
      ended.abort();
      if (isOver)
        log.info(
          'The time of `statistics-budget` is over: the action restarts the applications beside the quick ANALYZE',
        );
    });
  }

  /** Begins it where that has not been done. @returns its end; it never rejects */
  begin(): Promise<void> {
    this.work ??= this.run();
    return this.work;
  }

  /** Does something else meanwhile. If that fails, it ends the pass first: nothing of it goes on beside a way back. */
  async beside<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      this.stopped.abort();
      await this.work;
      throw error;
    }
  }

  private async run(): Promise<void> {
    if (this.isLate) return;
    const { timeline, log } = this.context;
    const context = interruptible({ ...this.context, signal: this.signal });
    const { id, title } = statistics.quick;
    try {
      await timeline.phase(id, title, () => statistics.quick.run(context));
    } catch (error) {
      log.info(`${title}: ${sentence(describe(error))} The full ANALYZE takes what is left`);
    }
  }
}
