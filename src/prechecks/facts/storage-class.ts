import type { StorageClassFacts } from '../../facts/facts.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { Target } from '../../target/target.ts';

/** @throws ClusterError */
export async function readStorageClass(cluster: Cluster, { volume }: Target): Promise<StorageClassFacts> {
  const name = volume.claim.spec?.storageClassName ?? '';
  return { name, found: name === '' ? undefined : await cluster.find('storageclasses', name) };
}
