import { PrecheckError } from '../common/errors.ts';
import { checkServer, findServer } from './check-server.ts';
import { keepPrecheckIssue } from './issue.ts';
import type { ClusterModeContext } from './mode.ts';

/**
 * Runs every check, and changes nothing on the server; keeps the issue about them, if the inputs ask for one.
 * @throws PrecheckError when a check blocks the upgrade
 */
export async function precheck(context: ClusterModeContext): Promise<void> {
  const { progress, log } = context;
  let checked;
  try {
    const found = await findServer(context);
    checked = await checkServer(found.context, found.server);
  } catch (error) {
    if (error instanceof PrecheckError) await keepPrecheckIssue(context);
    else if (context.connectForIssue !== undefined)
      // Checks that did not run say nothing about the server.
      progress.results.warnings.push('The checks did not complete, so the action left the issue about them as it is.');
    throw error;
  }
  await keepPrecheckIssue(context);
  if (checked === undefined) return;
  log.annotate(
    'notice',
    'precheck',
    `${String(progress.findings.length)} checks: ${progress.verdict}. The upgrade can start.`,
  );
}
