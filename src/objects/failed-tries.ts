import type { V1Job } from '@kubernetes/client-node';
import { jobName } from './upgrade-job.ts';
import { isOurJob } from './ours.ts';

/**
 * Names of failed Jobs of the vendor's upgrade script, whose Job has the same name as ours. Such a Job leaves the data directory renamed.
 * @param jobs of the namespace
 */
export function failedTries(jobs: readonly V1Job[]): string[] {
  return jobs
    .filter((job) => !isOurJob(job) && (job.status?.failed ?? 0) > 0)
    .map((job) => job.metadata?.name ?? '')
    .filter((name) => name.startsWith(jobName));
}
