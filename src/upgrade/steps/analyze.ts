import { z } from 'zod';
import { readDatabases } from '../../database/server.ts';
import { distributeDatabases } from '../../database/distribute-databases.ts';
import { fullStatistics, quickStatistics } from '../../database/statistics.ts';
import { CancelledError, describe, sentence } from '../../common/errors.ts';
import { copyable } from '../../findings/finding.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import type { Notes, StepId } from '../../journal/notes.ts';
import type { Context, Step } from '../contract/step.ts';

/** Gives every table rough statistics, and small ones full statistics, while the applications start: pg_upgrade carries none over. */
export const quickAnalyze: Step = {
  id: 'quick-analyze',
  title: 'Estimate the statistics (quick ANALYZE)',

  plan: ({ inputs }) => [
    {
      does: 'run',
      what: `${inputs.statisticsBudget === 0 ? 'Beside the restart of the applications' : 'Before the restart of the applications, which it delays by at most `statistics-budget`'}: in each database, ANALYZE of small tables with the normal target, and of larger ones with default_statistics_target=1.`,
    },
  ],

  async run(context) {
    const { log } = context;
    // One session: the applications start meanwhile, and need the CPUs more.
    const names = await openDatabases(context);
    const pass: Pass = { id: 'quick-analyze', doing: 'estimating', sql: quickStatistics };
    await analyzeIn(context, names, pass, (name, reason) => {
      log.info(`Could not estimate the statistics of database ${name}: ${reason}`);
    });
    log.info(`Estimated the statistics of ${String(names.length)} databases`);
  },
};

/** Completes the statistics while the applications are at work. What fails is a warning: without full statistics the server is slow, not wrong. */
export const analyze: Step = {
  id: 'analyze',
  title: 'Rebuild the statistics (ANALYZE)',

  plan: () => [
    {
      does: 'run',
      what: 'Beside the applications, slowly: in each database, ANALYZE of what the quick ANALYZE read roughly, with the normal target.',
    },
  ],

  async run(context) {
    const { log, timeline, results } = context;
    // One session, the smallest database first: it takes little from the applications, and most of them soon have full statistics.
    const names = (await openDatabases(context)).toReversed();
    const pass: Pass = { id: 'analyze', doing: 'rebuilding', sql: fullStatistics };
    const warnings: string[] = [];
    await analyzeIn(context, names, pass, (name, reason) => {
      warnings.push(
        `The action could not analyze database ${name}: ${reason} Without full statistics its queries may be slow. Run ${copyable('ANALYZE;')} in this database.`,
      );
    });
    results.warnings.push(...warnings);
    if (warnings.length > 0) return;
    log.info(`Analyzed ${String(names.length)} databases`);
    timeline.statisticsComplete();
    await noteStatistics(context, 'complete');
  },
};

/** Only another run needs the note: without it, it looks again at what is left to do. */
export async function noteStatistics(
  { journal, log }: Pick<Context, 'journal' | 'log'>,
  statistics: Notes['statistics'],
): Promise<void> {
  try {
    await journal.note('statistics', statistics);
  } catch (error) {
    log.info(`Could not note that the statistics are ${statistics}: ${describe(error)}`);
  }
}

/** Milliseconds for each database. Long enough for any size, since incomplete statistics are no reason to stop. */
const analyzeLimit = 6 * 60 * 60_000;

interface Pass {
  readonly id: StepId;
  readonly doing: 'estimating' | 'rebuilding';
  /** Its rows are `[relation, reason]`: what it could not analyze. */
  readonly sql: string;
}

/** Is told a database in which something could not be analyzed, with the reason as a sentence. */
type Told = (database: string, reason: string) => void;

/** @throws CancelledError when the run was cancelled: then some databases are left */
async function analyzeIn(context: Context, names: readonly string[], pass: Pass, left: Told): Promise<void> {
  const { timeline, clock, log } = context;
  const doing = `${pass.doing} the statistics of ${String(names.length)} databases`;
  const work = {
    ...{ doing, expected: timeline.expectedTime(pass.id), limit: analyzeLimit, limitOf: 'each database', clock, log },
  };
  await withHeartbeat(work, () => analyzeTogether(context, names, pass.sql, left));
  if (context.signal.aborted) throw new CancelledError(doing);
}

/** One after the other in one session. If that fails, each in a session of its own, so that only the database with the error lacks statistics. */
async function analyzeTogether(context: Context, names: readonly string[], sql: string, left: Told): Promise<void> {
  try {
    await analyzeEach(context, names, sql, left);
  } catch {
    for (const name of names) {
      if (context.signal.aborted) return;
      try {
        await analyzeEach(context, [name], sql, left);
      } catch (error) {
        left(name, sentence(describe(error)));
      }
    }
  }
}

const failures = z.array(z.tuple([z.string(), z.string()]));

async function analyzeEach({ database }: Context, names: readonly string[], sql: string, left: Told): Promise<void> {
  for (const [name, rows] of await database.writeEach(names, sql, analyzeLimit)) {
    const failed = failures.parse(rows);
    if (failed.length === 0) continue;
    left(name, sentence(failed.map(([relation, reason]) => `${relation} (${reason})`).join(', ')));
  }
}

/** The databases that accept connections, the largest first. */
async function openDatabases({ database }: Pick<Context, 'database'>): Promise<string[]> {
  const open = (await readDatabases(database)).filter((d) => d.allowsConnections);
  return distributeDatabases(open, 1).flat();
}
