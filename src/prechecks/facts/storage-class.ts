import type { StorageClassFacts } from '../../facts/facts.ts';
import type { ClusterReader } from '../../ports/cluster.ts';
import type { Target } from '../../target/target.ts';

/** @throws ClusterError */
export async function readStorageClass(cluster: ClusterReader, { volume }: Target): Promise<StorageClassFacts> {
  const name = volume.claim.spec?.storageClassName ?? '';
  return { name, found: name === '' ? undefined : await cluster.find('storageclasses', name) };
}
