import { PrecheckError } from '../common/errors.ts';
import { checkServer, findServer } from './check-server.ts';
import { keepPrecheckIssue } from './issue.ts';
import type { ClusterModeContext } from './mode.ts';

/**
 * Asks every check, and changes nothing in the cluster; keeps the issue about them, where one is asked for.
 * @throws PrecheckError when a check blocks the upgrade
 */
export async function precheck(context: ClusterModeContext): Promise<void> {
  const { progress, log } = context;
  let checked;
  try {
    checked = await checkServer(context, await findServer(context));
  } catch (error) {
    if (error instanceof PrecheckError) await keepPrecheckIssue(context);
    else if (context.connectForIssue !== undefined)
      // What nobody has seen is neither red nor green.
      progress.results.warnings.push(
        'The checks did not come to their end, so the issue about them was left as it is.',
      );
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
