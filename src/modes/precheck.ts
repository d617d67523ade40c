import { checkServer, findServer } from './check-server.ts';
import type { ClusterModeContext } from './mode.ts';

/**
 * Asks every check, and changes nothing.
 * @throws PrecheckError when a check stands against the upgrade
 */
export async function precheck(context: ClusterModeContext): Promise<void> {
  const { progress, log } = context;
  if ((await checkServer(context, await findServer(context))) === undefined) return;
  log.annotate(
    'notice',
    'precheck',
    `${String(progress.findings.length)} checks: ${progress.verdict}. The upgrade can start.`,
  );
}
