import type { LeasedCluster } from '../ports/cluster.ts';
import { anchorName } from '../objects/anchor.ts';
import { copyJobName } from '../objects/copy-job.ts';
import { bootJobName, jobName, revertJobName } from '../objects/upgrade-job.ts';
import type { Workload } from '../target/applications.ts';
import { FencingTokenCluster, type Changed } from './fencing-token-cluster.ts';
import { journalName } from '../objects/journal-name.ts';
import { HeldLease, type Connected } from './lease.ts';

export interface LeaseRequest {
  readonly namespace: string;
  /** Of PostgreSQL. */
  readonly statefulSet: string;
  readonly applications: readonly Workload[];
  /** PersistentVolume of PostgreSQL's claim. */
  readonly volume: string;
}

/**
 * Does the work as the only run that changes anything, with a cluster that
 * refuses every write once another run has taken over.
 * @param runId the run's address, which other runs report
 * @throws UpgradeError `upgrade-held` when a living run is at work, and `lease-lost`, whatever else happened, when another one took over
 */
export async function withUpgradeLease<T>(
  outside: Connected,
  { namespace, statefulSet, applications, volume }: LeaseRequest,
  runId: string,
  work: (cluster: LeasedCluster) => Promise<T>,
): Promise<T> {
  const lease = await HeldLease.acquire(outside, namespace, runId);
  const cluster = new FencingTokenCluster(outside.connection, lease, namespace, outside.log);
  const theirs: Changed[] = [
    { resource: 'statefulsets', name: statefulSet },
    { resource: 'persistentvolumes', name: volume },
    ...applications,
  ];
  try {
    await cluster.claim([...theirs, ...ours]);
    return await work(cluster);
  } catch (error) {
    // What another run did may have caused the failure: then what the error says of the server is no longer true.
    await lease.renew().catch(() => undefined);
    if (lease.lost !== undefined && lease.lost !== error) outside.log.info(String(error));
    throw lease.lost ?? error;
  } finally {
    if (lease.lost === undefined) await cluster.giveBack(theirs);
    await lease.release();
  }
}

/** What an earlier run may have left: a run that has lost the Lease without knowing it must not change or delete it either. */
const ours: readonly Changed[] = [
  { resource: 'configmaps', name: journalName },
  { resource: 'jobs', name: jobName },
  { resource: 'jobs', name: revertJobName },
  { resource: 'jobs', name: bootJobName },
  { resource: 'jobs', name: copyJobName },
  { resource: 'jobs', name: anchorName },
];
