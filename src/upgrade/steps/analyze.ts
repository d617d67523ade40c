import { z } from 'zod';
import { extensionShadows, shadowsOf } from '../../database/extension-shadows.ts';
import { readDatabaseNames, readDatabases } from '../../database/server.ts';
import { distributeDatabases } from '../../database/distribute-databases.ts';
import { fullStatistics, quickStatistics } from '../../database/statistics.ts';
import { CancelledError, describe, sentence } from '../../common/errors.ts';
import { inParallel } from '../../common/parallel.ts';
import { copyable } from '../../findings/finding.ts';
import { dangerOfUpdate, planVersion, type Outdated } from '../../database/extension-versions.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import type { Notes, StepId } from '../../journal/notes.ts';
import type { Context, Step } from '../contract/step.ts';

/**
 * Updates each extension to the version that the new installation ships, within its own major. What remains, or fails, is a warning, and does not stop the upgrade: the
 * old version still works.
 * Decision: docs/decisions/0011-statistics-and-extensions.md
 */
export const updateExtensions: Step = {
  id: 'update-extensions',
  title: 'Update the extensions',

  plan: () => [
    {
      does: 'run',
      what: 'In each database: ALTER EXTENSION … UPDATE, where PostgreSQL 14 ships a later version of the same major, and no object of a role could intercept its script.',
    },
  ],

  run: updateAll,
};

type Updating = Pick<Context, 'database' | 'settings' | 'results' | 'log' | 'inputs'>;

/** The step, with what it needs of the context. */
export async function updateAll(context: Updating): Promise<void> {
  const { database, settings } = context;
  // Names only: the sizes of databases come from all of their files, which is downtime here.
  const open = (await readDatabaseNames(database)).filter((d) => d.allowsConnections);
  const answers = await inParallel(settings.jobs, distributeDatabases(open, settings.jobs), (names) =>
    database.readEach(names, outdatedSql),
  );
  const outdated = answers.flatMap((answer) => [...answer]).filter(([, rows]) => rows.length > 0);
  await inParallel(settings.jobs, outdated, ([name, rows]) => updateIn(context, name, outdatedRows.parse(rows)));
}

const outdatedRows = z.array(
  z.object({
    name: z.string(),
    installed: z.string(),
    available: z.string(),
    reachable: z.array(z.string()),
    shadows: z.array(z.string()),
    serverVersion: z.number(),
  }),
);

// The update paths of an extension hundreds of versions behind take long: asked for only where they decide.
export const outdatedSql = `WITH ${extensionShadows} SELECT pg_catalog.json_build_object('shadows', ${shadowsOf('x.oid')}, 'serverVersion', pg_catalog.current_setting('server_version_num')::int, 'name', e.name, 'installed', e.installed_version, 'available', e.default_version,
  'reachable', CASE WHEN pg_catalog.split_part(e.installed_version, '.', 1) = pg_catalog.split_part(e.default_version, '.', 1) THEN '[]'::pg_catalog.json
    ELSE (SELECT coalesce(pg_catalog.json_agg(p.target), '[]'::pg_catalog.json) FROM pg_catalog.pg_extension_update_paths(e.name) p
      WHERE p.source OPERATOR(pg_catalog.=) e.installed_version AND p.path IS NOT NULL) END)
  FROM pg_catalog.pg_available_extensions e JOIN pg_catalog.pg_extension x ON x.extname OPERATOR(pg_catalog.=) e.name WHERE e.installed_version IS NOT NULL AND e.installed_version OPERATOR(pg_catalog.<>) e.default_version ORDER BY e.name;`;

async function updateIn(
  { database, results, log, inputs }: Updating,
  name: string,
  extensions: readonly (Outdated & { readonly serverVersion: number })[],
): Promise<void> {
  for (const extension of extensions) {
    const { target, left } = planVersion(extension);
    const danger = dangerOfUpdate(extension, extension.serverVersion);
    const otherMajor =
      left === undefined
        ? ''
        : ` The image ships ${left}, which is another major and may break what uses the extension. Read its release notes.`;
    if (danger !== undefined) {
      const command = copyable(updateCommand(extension.name, target ?? extension.available));
      results.warnings.push(
        `${name}: extension ${extension.name} stays at ${extension.installed}. ${danger}${otherMajor} Find out who created the objects in the extension's schema, then run ${command} in this database.`,
      );
      continue;
    }
    let version = extension.installed;
    if (target !== undefined) {
      const command = updateCommand(extension.name, target);
      try {
        await database.write(name, command, inputs.startTimeout);
        log.info(`${name}: updated extension ${extension.name} from ${version} to ${target}`);
        version = target;
      } catch (error) {
        results.warnings.push(`${name}: extension ${extension.name} stays at version ${version}: ${describe(error)}`);
      }
    }
    if (left !== undefined)
      results.warnings.push(
        `${name}: extension ${extension.name} stays at ${version}.${otherMajor} Then run ${copyable(updateCommand(extension.name, left))} in this database.`,
      );
  }
}

function updateCommand(extension: string, version: string): string {
  return `ALTER EXTENSION "${extension.replaceAll('"', '""')}" UPDATE TO '${version.replaceAll("'", "''")}';`;
}

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
