import { z } from 'zod';
import { jsonLines, type Database } from '../database/database.ts';
import { readDatabases } from '../database/server.ts';
import { describe, UpgradeError } from '../errors.ts';
import { inParallel } from '../parallel.ts';
import type { Context, Step } from './step.ts';

/** Brings each extension to the version that the new installation ships. One that can't be is told, and stops nothing: its old version goes on working. */
export const updateExtensions: Step = {
  id: 'update-extensions',
  title: 'Update the extensions',

  async run(context) {
    const names = (await connectable(context.database)).map((d) => d.name);
    await inParallel(context.settings.jobs, names, (name) => updateIn(context, name));
  },
};

async function updateIn({ database, results, log, inputs }: Context, name: string): Promise<void> {
  for (const extension of await outdatedExtensions(database, name)) {
    try {
      await database.write(name, `ALTER EXTENSION "${extension.replaceAll('"', '""')}" UPDATE;`, inputs.startTimeout);
      log.info(`${name}: extension ${extension} updated`);
    } catch (error) {
      results.warnings.push(`${name}: extension ${extension} stays at its old version: ${describe(error)}`);
    }
  }
}

/** Rebuilds the planner's statistics, which pg_upgrade does not carry over, before any application comes back. */
export const analyze: Step = {
  id: 'analyze',
  title: 'Rebuild the statistics (ANALYZE)',

  async run(context) {
    const names = (await connectable(context.database)).map((d) => d.name);
    // A plain ANALYZE also takes partitioned tables, which vacuumdb leaves out.
    await inParallel(context.settings.jobs, names, (name) => analyzeOrWarn(context, name));
    context.log.info(`Analyzed ${String(names.length)} databases`);
  },
};

/** Hours: however large it is, half-done statistics are no reason to end. */
const analyzeLimit = 6 * 60 * 60_000;

/** Without statistics the server is slow, not wrong: that is no reason to keep the applications away. */
async function analyzeOrWarn(context: Context, name: string): Promise<void> {
  try {
    await analyzeDatabase(context, name);
  } catch (error) {
    context.results.warnings.push(
      `Database ${name} could not be analyzed; run vacuumdb --analyze-only on it: ${describe(error)}`,
    );
  }
}

async function analyzeDatabase({ database }: Context, name: string): Promise<void> {
  await database.write(name, 'ANALYZE;', analyzeLimit);
  // -1: never analyzed (PostgreSQL 14). The statistics collector's last_analyze comes later than ANALYZE ends.
  const output = await database.read(
    name,
    `SELECT json_build_array(n.nspname || '.' || c.relname)
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm', 'p') AND c.reltuples = -1 AND c.relpersistence <> 't' AND (c.relkind <> 'm' OR c.relispopulated)
       AND n.nspname NOT IN ('pg_catalog', 'information_schema') LIMIT 5;`,
  );
  const missed = z.array(z.tuple([z.string()])).parse(jsonLines(output));
  if (missed.length > 0)
    throw new UpgradeError(
      'not-analyzed',
      `Database ${name}: no statistics for ${missed.map(([table]) => table).join(', ')}.`,
      'Look at the log of the server.',
    );
}

async function connectable(database: Database): Promise<{ name: string }[]> {
  return (await readDatabases(database)).filter((d) => d.allowsConnections);
}

async function outdatedExtensions(database: Database, name: string): Promise<string[]> {
  const output = await database.read(
    name,
    `SELECT json_build_array(name) FROM pg_catalog.pg_available_extensions
     WHERE installed_version IS NOT NULL AND installed_version <> default_version ORDER BY name;`,
  );
  return z
    .array(z.tuple([z.string()]))
    .parse(jsonLines(output))
    .map(([extension]) => extension);
}
