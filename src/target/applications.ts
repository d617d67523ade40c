import type { V1CronJob, V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import type { ClusterReader } from '../ports/cluster.ts';
import type { Autoscaler } from './scaled-objects.ts';
import { labelSelector, type LabelSelector } from './label-selector.ts';

/** A workload of the application layer that the upgrade stops and starts again. */
export type Workload = ScaledWorkload | ScheduledWorkload | Autoscaler;

export interface ScaledWorkload {
  readonly resource: 'deployments' | 'statefulsets';
  readonly name: string;
  readonly replicas: number;
  readonly podSelector: LabelSelector;
}

export interface ScheduledWorkload {
  readonly resource: 'cronjobs';
  readonly name: string;
  readonly suspended: boolean;
}

/** Workloads that carry the label, PostgreSQL's own StatefulSet left out; in a fixed order. */
export async function findApplications(
  cluster: ClusterReader,
  namespace: string,
  labelSelector: string,
  postgresql: string,
): Promise<Workload[]> {
  const [deployments, statefulSets, cronJobs] = await Promise.all([
    cluster.list('deployments', { namespace, labelSelector }),
    cluster.list('statefulsets', { namespace, labelSelector }),
    cluster.list('cronjobs', { namespace, labelSelector }),
  ]);
  const workloads: Workload[] = [
    ...deployments.map((d) => scaled('deployments', d)),
    ...statefulSets.filter((s) => s.metadata?.name !== postgresql).map((s) => scaled('statefulsets', s)),
    ...cronJobs.map(scheduled),
  ];
  return workloads.sort((a, b) => (workloadName(a) < workloadName(b) ? -1 : 1));
}

function scaled(resource: ScaledWorkload['resource'], object: V1Deployment | V1StatefulSet): ScaledWorkload {
  return {
    resource,
    name: object.metadata?.name ?? '',
    replicas: object.spec?.replicas ?? 1,
    podSelector: labelSelector.parse(object.spec?.selector ?? {}),
  };
}

function scheduled(object: V1CronJob): ScheduledWorkload {
  return { resource: 'cronjobs', name: object.metadata?.name ?? '', suspended: object.spec.suspend ?? false };
}

/** Whether it has replicas and pods of its own. */
export function isScaled(workload: Workload): workload is ScaledWorkload {
  return workload.resource === 'deployments' || workload.resource === 'statefulsets';
}

/** How it is, or was: `3 replicas`, for people. */
export function workloadState(workload: Workload): string {
  if (workload.resource === 'cronjobs') return workload.suspended ? 'suspended' : 'scheduled';
  if (isScaled(workload)) return `${String(workload.replicas)} replicas`;
  const { paused, pausedReplicas } = workload;
  if (pausedReplicas !== null) return `held at ${pausedReplicas} replicas`;
  return paused === null || paused === 'false' ? 'scales' : 'paused';
}

/** `deployments/frontend`, as kubectl takes it. */
export function workloadName(workload: Pick<Workload, 'resource' | 'name'>): string {
  return `${workload.resource}/${workload.name}`;
}
