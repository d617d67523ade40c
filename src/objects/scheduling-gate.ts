import type { V1Pod, V1PodSpec } from '@kubernetes/client-node';

/** A scheduling gate in the pod template: no pod of PostgreSQL, whoever makes it, is started while it is there. */
export const fenceGate = 'circleci-server-postgresql-upgrade/fence';

/** A pod that the gate keeps from being started. */
export function isFenced(pod: V1Pod): boolean {
  return hasFence(pod.spec);
}

/** Whether the spec of a pod, or of a template for pods, has the gate. */
export function hasFence(spec: V1PodSpec | undefined): boolean {
  return spec?.schedulingGates?.some((g) => g.name === fenceGate) ?? false;
}
