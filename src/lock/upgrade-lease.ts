import type { LeasedCluster } from '../ports/cluster.ts';
import { anchorName } from '../objects/anchor.ts';
import { copyJobName } from '../objects/copy-job.ts';
import { bootJobName, jobName, revertJobName } from '../objects/upgrade-job.ts';
import type { Workload } from '../target/applications.ts';
import type { Changed } from './fencing-token-cluster.ts';
import { journalName } from '../objects/journal-name.ts';
import type { Connected } from './lease.ts';
import { underLease } from './under-lease.ts';

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
  const theirs: Changed[] = [
    { resource: 'statefulsets', name: statefulSet },
    { resource: 'persistentvolumes', name: volume },
    ...applications,
  ];
  return await underLease(outside, namespace, runId, {
    run: async (cluster) => {
      await cluster.claim([...theirs, ...ours]);
      return await work(cluster);
    },
    end: (cluster) => cluster.giveBack(theirs),
  });
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
