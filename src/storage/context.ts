import type { Inputs } from '../inputs/inputs.ts';
import type { LeasedCluster } from '../ports/cluster.ts';
import type { Deps } from '../ports/context.ts';
import type { Target } from '../target/target.ts';

/** What all need that wait for snapshots and claims of the server's namespace, and change them. */
export interface StorageContext extends Deps<LeasedCluster> {
  readonly target: Pick<Target, 'namespace'>;
  readonly inputs: Pick<Inputs, 'snapshotTimeout' | 'detachTimeout'>;
}
