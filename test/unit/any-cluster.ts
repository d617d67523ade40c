import type { Cluster, UnleasedCluster } from '../../src/ports/cluster.ts';

/** With all that a connection, and a run with the Lease and without it may do; what a step or a check really gets is for the compiler to tell. */
export interface AnyCluster extends Cluster {
  readonly access: never;
  interruptedBy(signal: AbortSignal): AnyCluster;
  dryRun: UnleasedCluster['dryRun'];
}
