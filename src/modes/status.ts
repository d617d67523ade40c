import type { Inputs } from '../inputs.ts';
import { jobName } from '../job/manifest.ts';
import type { Cluster } from '../ports/cluster.ts';
import { discover } from '../target/discover.ts';
import type { Image } from '../target/images.ts';
import { findHolding } from '../upgrade/lease.ts';
import { claimInExchange } from '../upgrade/backup/exchange.ts';
import { Journal } from '../upgrade/journal.ts';
import { statusOf, type Status } from '../upgrade/status.ts';
import type { ClusterModeContext } from './mode.ts';

/**
 * Tells where an upgrade stands and what to run next. Reads only.
 * @throws ConfigurationError, ClusterError
 */
export async function tellStatus(context: ClusterModeContext): Promise<void> {
  const { inputs, progress, log, serving, signal } = context;
  const cluster = context.cluster.interruptedBy(signal);
  log.info(`Cluster: ${cluster.address}`);
  const status = await readStatus(cluster, inputs, serving);
  progress.status = status;
  progress.verdict = status.state;
  await log.group(`Status: ${status.state}`, () => {
    for (const line of status.evidence) log.info(line);
    return Promise.resolve();
  });
  log.annotate('notice', `status: ${status.state}`, `${status.safe} Next: ${status.next}`);
}

/**
 * Reads where an upgrade stands.
 * @param dead address of a run that has ended for sure, also if its Lease has not expired yet
 * @throws ConfigurationError, ClusterError
 */
export async function readStatus(cluster: Cluster, inputs: Inputs, serving: Image, dead?: string): Promise<Status> {
  const journal = await Journal.find(cluster, inputs.namespace);
  const target = await discover(cluster, inputs, claimInExchange(journal));
  const [lease, jobs] = await Promise.all([
    findHolding(cluster, inputs.namespace),
    cluster.list('jobs', { namespace: inputs.namespace }),
  ]);
  const ours = jobs.filter((job) => job.metadata?.name?.startsWith(jobName) === true);
  const holding = lease?.holder === dead ? lease && { ...lease, isExpired: true } : lease;
  return statusOf({ target, journal, holding, jobs: ours, newImage: serving.reference });
}
