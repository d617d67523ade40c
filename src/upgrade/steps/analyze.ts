import { z } from 'zod';
import { extensionShadows, shadowsOf } from '../../database/extension-shadows.ts';
import { readDatabases } from '../../database/server.ts';
import { distributeDatabases } from '../../database/distribute-databases.ts';
import { describe, sentence, UpgradeError } from '../../common/errors.ts';
import { inParallel } from '../../common/parallel.ts';
import { copyable } from '../../findings/finding.ts';
import { dangerOfUpdate, planVersion, type Outdated } from '../../database/extension-versions.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
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
  const answers = await inParallel(settings.jobs, await sessions(context), (names) =>
    database.readEach(names, outdatedSql),
  );
  const outdated = answers.flatMap((answer) => [...answer]).filter(([, rows]) => rows.length > 0);
  await inParallel(settings.jobs, outdated, ([name, rows]) => updateIn(context, name, outdatedRows.parse(rows)));
}

const oneColumn = z.array(z.tuple([z.string()]));
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

/** Rebuilds the planner's statistics, which pg_upgrade does not transfer, before any application is restarted. */
export const analyze: Step = {
  id: 'analyze',
  title: 'Rebuild the statistics (ANALYZE)',

  plan: () => [{ does: 'run', what: 'In each database: ANALYZE.' }],

  async run(context) {
    const dealt = await sessions(context);
    const { timeline, clock, log } = context;
    const work = {
      doing: `rebuilding the statistics of ${String(dealt.flat().length)} databases`,
      ...{ expected: timeline.expectedTime('analyze'), limit: analyzeLimit, limitOf: 'each database', clock, log },
    };
    await withHeartbeat(work, () =>
      inParallel(context.settings.jobs, dealt, (names) => analyzeTogether(context, names)),
    );
    log.info(`Analyzed ${String(dealt.flat().length)} databases`);
  },
};

/** Milliseconds. Long enough for any size, since incomplete statistics are no reason to stop. */
const analyzeLimit = 6 * 60 * 60_000;

/** One after the other in one session. If that fails, each in a session of its own, so that only the database with the error lacks statistics. */
async function analyzeTogether(context: Context, names: readonly string[]): Promise<void> {
  try {
    await analyzeEach(context, names);
  } catch {
    for (const name of names) await analyzeOrWarn(context, name);
  }
}

/** Without statistics the server is slow, not wrong: no reason to keep the applications stopped. */
async function analyzeOrWarn(context: Context, name: string): Promise<void> {
  try {
    await analyzeEach(context, [name]);
  } catch (error) {
    context.results.warnings.push(
      `The action could not analyze database ${name}: ${sentence(describe(error))} Run vacuumdb --analyze-only on it.`,
    );
  }
}

/** Of pg_class `c` and pg_namespace `n`. -1: never analyzed (PostgreSQL 14). The statistics collector's last_analyze comes later than ANALYZE ends. */
const withoutStatistics = `c.relkind IN ('r', 'm', 'p') AND c.reltuples = -1 AND c.relpersistence <> 't' AND (c.relkind <> 'm' OR c.relispopulated)
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')`;

/** ANALYZE of a table by its OID, which replaces %s. ANALYZE takes only names, and under these locks no name can move to another relation. */
const analyzeOne = `BEGIN
  LOCK TABLE pg_catalog.pg_namespace, pg_catalog.pg_class IN SHARE MODE;
  EXECUTE coalesce((SELECT format('ANALYZE %%I.%%I', n.nspname, c.relname)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s AND ${withoutStatistics}), 'SELECT 1');
END`;

/**
 * A plain ANALYZE includes partitioned tables, which vacuumdb leaves out. Whoever owns a table can lock it for hours. So locked tables are skipped first, and
 * then waited for, but not for long. Indexes and partitions are waited for in both cases. After the wait the relation is still a table: otherwise its owner
 * could have given its name to a foreign table, and ANALYZE would query the foreign server.
 */
export const analyzeSql = `SET lock_timeout = '20 s';
ANALYZE (SKIP_LOCKED);
SELECT format('DO %L;', format($analyze$${analyzeOne}$analyze$, c.oid)) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ${withoutStatistics}
\\gexec
SELECT json_build_array(n.nspname || '.' || c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE ${withoutStatistics} LIMIT 5;`;

async function analyzeEach({ database }: Context, names: readonly string[]): Promise<void> {
  for (const [name, rows] of await database.writeEach(names, analyzeSql, analyzeLimit)) {
    if (rows.length === 0) continue;
    throw new UpgradeError(
      'not-analyzed',
      `Database ${name} has no statistics for ${oneColumn.parse(rows).flat().join(', ')}.`,
      'Look at the log of PostgreSQL.',
    );
  }
}

/** The databases that accept connections, distributed to sessions. */
async function sessions({ database, settings }: Pick<Context, 'database' | 'settings'>): Promise<string[][]> {
  const open = (await readDatabases(database)).filter((d) => d.allowsConnections);
  return distributeDatabases(open, settings.jobs);
}
