import { ClusterError } from '../common/errors.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';
import type { V1Pod } from '@kubernetes/client-node';
import type { UnleasedCluster } from '../ports/cluster.ts';

/** What the probe pods are for; each is part of their names. */
export const probeRoles = ['upgrade', 'serving', 'start', 'restore-test'] as const;

/** With which a probe's name begins; the pod has it as `generateName`. */
export function probePrefix(role: (typeof probeRoles)[number]): string {
  return `postgres-upgrade-probe-${role}-`;
}

/** How many runs can have a probe of one role at the same time, killed ones too: their probes end at a deadline of minutes. */
const slots = 3;

/** All names that a probe with this prefix can have: few and fixed, since Kubernetes grants rights by name, but not by prefix. */
export function probeNames(prefix: string): string[] {
  return Array.from({ length: slots }, (_, index) => `${prefix}${String(index + 1)}`);
}

/**
 * Makes a probe pod under the first of its names that is free. A pod that is there already is another run's, and is left alone.
 * Decision: docs/decisions/0012-rights.md
 * @param pod with its prefix as `generateName`
 * @returns its name
 * @throws ClusterError `probes-at-work` when each name is taken
 */
export async function createProbe(cluster: UnleasedCluster, pod: V1Pod): Promise<string> {
  const { generateName = '', ...metadata } = pod.metadata ?? {};
  const namespace = metadata.namespace ?? '';
  for (const name of probeNames(generateName)) {
    try {
      await cluster.create('pods', { ...pod, metadata: { ...metadata, name } }, { namespace });
      return name;
    } catch (error) {
      if (!(error instanceof ClusterError && error.code === 'conflict')) throw error;
    }
  }
  throw new ClusterError(
    'probes-at-work',
    `Pods ${generateName}1 to ${generateName}${String(slots)} all exist: other runs are at work, or were killed. No probe was started.`,
    `Wait until the other runs have ended. The probes of a killed run end by themselves: ${copyable(shell`kubectl -n ${namespace} get pods -l app.kubernetes.io/name=postgres-upgrade-probe`)}`,
  );
}
