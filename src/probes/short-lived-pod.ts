import type { V1Pod } from '@kubernetes/client-node';
import { describe } from '../common/errors.ts';
import type { UnleasedCluster } from '../ports/cluster.ts';
import type { Surroundings } from '../ports/context.ts';
import { createProbe } from '../objects/probe-names.ts';

/** Makes a pod for as long as `body` takes, and removes it whatever happens. */
export async function withPod<T>(
  { cluster, log }: Pick<Surroundings<UnleasedCluster>, 'cluster' | 'log'>,
  pod: V1Pod,
  body: (name: string) => Promise<T>,
): Promise<T> {
  const namespace = pod.metadata?.namespace ?? '';
  const name = await createProbe(cluster, pod);
  try {
    return await body(name);
  } finally {
    try {
      await cluster.delete('pods', name, namespace);
    } catch (error) {
      log.annotate('warning', 'probe', `Pod ${name} could not be removed; it ends by itself: ${describe(error)}`);
    }
  }
}
