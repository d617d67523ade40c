import { ClusterError } from '../common/errors.ts';
import type { ClusterReader, ScaledObject } from '../ports/cluster.ts';

/**
 * KEDA's annotations for a pause. `paused: "true"` stops its scaling and leaves the replicas as they are (KEDA 2.12 and
 * later, kedacore/keda#4809); `paused-replicas` wins over it and holds the workload at that number.
 */
export const pausedAnnotation = 'autoscaling.keda.sh/paused';
export const pausedReplicasAnnotation = 'autoscaling.keda.sh/paused-replicas';

/** A ScaledObject of KEDA that would scale a stopped workload up again, with its annotations for a pause (null: none). */
export interface Autoscaler {
  readonly resource: 'scaledobjects';
  readonly name: string;
  readonly paused: string | null;
  readonly pausedReplicas: string | null;
}

export interface FoundAutoscalers {
  readonly autoscalers: readonly Autoscaler[];
  /** Why the action can't see them; undefined when it can. */
  readonly unread?: string;
}

/**
 * The ScaledObjects of these workloads, in a fixed order. ScaledJobs are left out: they scale no workload, but make Jobs
 * of their own, and the release has none.
 * @throws ClusterError for another reason than a missing right or a missing API
 */
export async function findAutoscalers(
  cluster: ClusterReader,
  namespace: string,
  workloads: readonly { readonly resource: string; readonly name: string }[],
): Promise<FoundAutoscalers> {
  const targets = new Set(workloads.map(({ resource, name }) => `${resource}/${name}`));
  try {
    const all = await cluster.list('scaledobjects', { namespace });
    const autoscalers = all.filter((object) => targets.has(targetOf(object))).map(autoscaler);
    return { autoscalers: autoscalers.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    if (error.code === 'not-served' || error.code === 'not-found') return { autoscalers: [] };
    if (error.code !== 'forbidden') throw error;
    // Rights are asked before the API is looked for, so that a cluster without KEDA refuses too.
    return (await cluster.serves('scaledobjects')) ? { autoscalers: [], unread: error.message } : { autoscalers: [] };
  }
}

/** A scaleTargetRef without a kind means a Deployment; kinds of other APIs do not count. */
function targetOf({ spec: { scaleTargetRef } }: ScaledObject): string {
  const { apiVersion = 'apps/v1', kind = 'Deployment', name } = scaleTargetRef;
  return apiVersion.startsWith('apps/') ? `${kind.toLowerCase()}s/${name}` : '';
}

function autoscaler({ metadata: { name, annotations = {} } }: ScaledObject): Autoscaler {
  return {
    resource: 'scaledobjects',
    name,
    paused: annotations[pausedAnnotation] ?? null,
    pausedReplicas: annotations[pausedReplicasAnnotation] ?? null,
  };
}
