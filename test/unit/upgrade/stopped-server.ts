// A server that stands still, for the step of the upgrade Job.
import { runUpgradeJob } from '../../../src/upgrade/steps/upgrade-job.ts';
import { namespace, stopApplications } from '../objects.ts';
import { setUp as setUpServer, type Setting } from './context.ts';

/** The server is stopped, its pod is gone, and so are those of the applications. */
export async function setUp(...given: Parameters<typeof setUpServer>): Promise<Setting> {
  const setting = await setUpServer(...given);
  setting.cluster.remove('pods', setting.context.target.podName, namespace);
  stopApplications(setting.cluster);
  return setting;
}

export const run = ({ context }: Setting) => runUpgradeJob.run(context);

export async function undo({ context }: Setting): Promise<void> {
  await runUpgradeJob.undo?.(context);
}
