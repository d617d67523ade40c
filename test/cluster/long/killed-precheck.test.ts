/** @jest-environment ./test/cluster/bench-environment.ts */
// A precheck that is killed at any moment changes nothing, and the next one takes away the probe pods that it left.
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { runAction, startAction, type ActionEnd } from '../action.ts';
import { bench, kubectl, kubectlJson, namespace } from '../bench.ts';
import { later } from '../later.ts';
import { replicas, rowCounts } from '../server.ts';
import { waitFor } from '../wait-for.ts';

jest.setTimeout(15 * 60_000);

const label = 'app.kubernetes.io/name=postgres-upgrade-probe';

function probes(): { name: string; role: string; phase: string }[] {
  const { items } = kubectlJson('-n', namespace, 'get', 'pods', '-l', label) as { items: V1Pod[] };
  return items.map(({ metadata, status }) => ({
    name: metadata?.name ?? '',
    role: metadata?.labels?.['postgresql-upgrade/probe'] ?? '',
    phase: status?.phase ?? '',
  }));
}

/**
 * Starts a precheck and kills its process (SIGKILL) when so many probe pods are there.
 * @returns the pods that it left
 */
async function killWithProbes(count: number): Promise<string[]> {
  const action = startAction({ namespace });
  action.end.catch(() => undefined);
  await waitFor(`${String(count)} probe pods`, () => {
    if (action.process.exitCode !== null) throw new Error(`it came to its end:\n${action.log()}`);
    return probes().length >= count;
  });
  action.process.kill('SIGKILL');
  await action.end.catch(() => undefined);
  return probes().map(({ name }) => name);
}

describe.each([1, 3, 4])('a precheck that is killed when it has made %i probe pods', (count) => {
  let before: unknown;
  let left: string[];
  let end: ActionEnd;

  beforeAll(async () => {
    if (count === 1) bench('reset', '--namespace', namespace, '--no-writer');
    before = { replicas: replicas(namespace), rows: rowCounts(namespace) };
    left = await killWithProbes(count);
    // The trial of the server serves until its deadline: of a pod that runs nobody can tell that its run was killed.
    for (const { name } of probes().filter(({ role }) => role === 'start')) endAsAtItsDeadline(name);
    const isAlive = ({ phase }: { phase?: string }) => phase === 'Pending' || phase === 'Running';
    await waitFor('the end of every probe pod', () => !probes().some(isAlive));
    // For a minute another run leaves them to whoever may still read their logs.
    end = await later(61, (kubeconfig) => runAction({ namespace, kubeconfig }));
  });

  test('leaves some of them', () => {
    expect(left.length).toBeGreaterThanOrEqual(count);
  });

  test('is followed by one that says which it removes, and leaves none', () => {
    expect([end.exitCode, end.report.error]).toEqual([0, undefined]);
    for (const name of left) expect(end.log).toContain(`Removed pod ${name}, which a killed run had left`);
    expect(probes()).toEqual([]);
  });

  test('has changed nothing', () => {
    expect({ replicas: replicas(namespace), rows: rowCounts(namespace) }).toEqual(before);
    const made = ['configmaps', 'jobs', 'leases', 'volumesnapshots', 'persistentvolumeclaims'];
    const ours = 'app.kubernetes.io/managed-by=circleci-server-postgresql-upgrade';
    expect(kubectl('-n', namespace, 'get', made.join(','), '-l', ours, '-o', 'name')).toBe('');
  });
});

/** What Kubernetes does itself after `activeDeadlineSeconds`, which may be shortened. */
function endAsAtItsDeadline(pod: string): void {
  const patch = JSON.stringify({ spec: { activeDeadlineSeconds: 1 } });
  kubectl('-n', namespace, 'patch', 'pod', pod, '-p', patch);
}
