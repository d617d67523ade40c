// A server whose volume two nodes can reach, and which is on the second one.
import { bench, kubectl, namespace } from './bench.ts';
import { attachmentsOf } from './server.ts';

export const secondNode = 'node2';

const tolerations = [
  { key: 'bench/second-node', operator: 'Exists', effect: 'NoSchedule' },
  // Kubernetes waits five minutes before it gives up pods of a dead node; that is not what is asked here.
  ...['unreachable', 'not-ready'].map((condition) => ({
    key: `node.kubernetes.io/${condition}`,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 5,
  })),
];
const onSecondNode = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [secondNode] }] };

export function resetOnSecondNode(): void {
  bench('node2', 'up');
  kubectl('uncordon', secondNode);
  const affinity = {
    nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: onSecondNode }] },
  };
  const values = Object.entries({ tolerations, affinity }).flatMap(([key, value]) => [
    '--set-json',
    `postgresql.primary.${key}=${JSON.stringify(value)}`,
  ]);
  bench('reset', '--namespace', namespace, '--storage-class', 'zonal', ...values);
  if (nodeOf('postgresql-0') !== secondNode) throw new Error(`the server is not on ${secondNode}`);
}

/** The server goes with the node: another test then begins as if neither had been there. */
export function removeSecondNode(): void {
  bench('delete-server', namespace);
  bench('node2', 'down');
}

export function nodeOf(pod: string): string {
  return kubectl('-n', namespace, 'get', 'pod', pod, '-o', 'jsonpath={.spec.nodeName}');
}

/** Where a volume of the namespace's claim is attached. */
export function attachedTo(claim: string): string[] {
  return attachmentsOf(namespace, claim).map(({ node }) => node);
}
