import { updateExtensions as update } from '../../database/update-extensions.ts';
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
      what: 'In each database: ALTER EXTENSION … UPDATE, where PostgreSQL 14 ships a later version of the same major. Not where an object of a role could intercept the script.',
    },
  ],

  run: updateAll,
};

type Updating = Pick<Context, 'database' | 'settings' | 'results' | 'log' | 'inputs'>;

/** The step, with what it needs of the context. */
export async function updateAll({ database, settings, results, log, inputs }: Updating): Promise<void> {
  const { outdated } = results;
  const server = { database, sessions: settings.jobs, limit: inputs.startTimeout, outdated };
  const { updated, warnings } = await update(server);
  for (const line of updated) log.info(line);
  results.warnings.push(...warnings);
}
