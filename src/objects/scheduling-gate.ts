import type { V1Pod, V1PodSpec } from '@kubernetes/client-node';

/** A scheduling gate in the pod template: no pod of PostgreSQL, whoever makes it, is started while it is there. */
export const schedulingGate = 'circleci-server-postgresql-upgrade/gate';

/** A pod that the gate keeps from being started. */
export function isGated(pod: V1Pod): boolean {
  return hasGate(pod.spec);
}

/** Whether the spec of a pod, or of a template for pods, has the gate. */
export function hasGate(spec: V1PodSpec | undefined): boolean {
  return spec?.schedulingGates?.some((g) => g.name === schedulingGate) ?? false;
}
