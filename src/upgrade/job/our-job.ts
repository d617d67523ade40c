import type { V1Job } from '@kubernetes/client-node';
import { UpgradeError } from '../../common/errors.ts';
import { isOurJob } from '../../objects/ours.ts';
import { copyable } from '../../text/commands.ts';
import { shell } from '../../text/shell.ts';

/**
 * Looks whether this action made a Job that has one of its names, before the Job is taken over or removed.
 * @throws UpgradeError `job-foreign`
 */
export function expectOurJob(job: V1Job, namespace: string): void {
  if (isOurJob(job)) return;
  const name = job.metadata?.name ?? '';
  throw new UpgradeError(
    'job-foreign',
    `This action did not make Job ${name} in namespace ${namespace}, and needs its name. The Job was left as it is.`,
    `Look at it: ${copyable(shell`kubectl -n ${namespace} describe job ${name}`)}. If nobody needs it, delete it: ${copyable(shell`kubectl -n ${namespace} delete job ${name}`)}. Then run again.`,
  );
}
