import type { V1Job, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import { containerName } from './upgrade-job.ts';

/** With which the names of all probe pods begin. */
const probeNamePrefix = 'postgres-upgrade-probe-';

/**
 * Whether the action has made a Job: by its container, which nobody can change. A label anybody may put on it or take off who may change
 * metadata, and the vendor's upgrade script gives its Job the same name.
 * Decision: docs/decisions/0015-images.md
 */
export function isOurJob({ spec }: V1Job): boolean {
  return doesOurWork(spec?.template.spec);
}

function doesOurWork(spec: V1PodSpec | undefined): boolean {
  const { command = [], env = [] } = spec?.containers.find(({ name }) => name === containerName) ?? {};
  const has = (variable: string) => env.some(({ name }) => name === variable);
  return command[0] === 'bash' && has('RUN_ID') && has('TRANSFER');
}

/** Whether the action has made a pod as a probe: by its name and its deadline, which nobody can change later; no controller has made it. */
export function isOurProbe(pod: V1Pod): boolean {
  return isAlone(pod, probeNamePrefix);
}

function isAlone({ metadata, spec }: V1Pod, prefix: string): boolean {
  return (
    metadata?.name?.startsWith(prefix) === true &&
    (metadata.ownerReferences ?? []).length === 0 &&
    spec?.activeDeadlineSeconds !== undefined
  );
}

/** With which the names of all pods and Jobs of a rehearsal begin. */
export const rehearsalNamePrefix = 'postgres-rehearsal-';

/** Whether the action has made a pod for a rehearsal, in which a server runs on a copy: in the same way. */
export function isRehearsalPod(pod: V1Pod): boolean {
  return isAlone(pod, rehearsalNamePrefix);
}

/** Whether the action has made a pod: a probe, a server of a rehearsal, or the pod of a Job. */
export function isOurPod(pod: V1Pod): boolean {
  return isOurProbe(pod) || isRehearsalPod(pod) || doesOurWork(pod.spec);
}
