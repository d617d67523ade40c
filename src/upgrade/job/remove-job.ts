import { isAtWork, stillRuns } from './settle.ts';
import { expectOurJob } from './our-job.ts';
import type { Context } from '../contract/step.ts';

/** @throws UpgradeError `job-foreign` where a Job of somebody else has the name */
export async function expectFreeName({ cluster, target }: Context, name: string): Promise<void> {
  const found = await cluster.find('jobs', name, target.namespace);
  if (found !== undefined) expectOurJob(found, target.namespace);
}

/**
 * Removes a Job of this action and its pod; there need be none.
 * @param onServersVolume whether it works on the server's own volume: then it is never interrupted
 * @throws UpgradeError `job-foreign` for a Job of somebody else, `job-still-runs` for one that must not be interrupted
 */
export async function removeJob(
  context: Context,
  name: string,
  { onServersVolume }: { readonly onServersVolume: boolean },
): Promise<void> {
  const { cluster, target } = context;
  const found = await cluster.find('jobs', name, target.namespace);
  if (found === undefined) return;
  expectOurJob(found, target.namespace);
  if (onServersVolume && (await isAtWork(context, found))) throw stillRuns(context, name);
  await cluster.delete('jobs', name, target.namespace, { foreground: true });
}
