/** @jest-environment ./test/cluster/bench-environment.ts */
// NetworkPolicies that are enforced: who gets to PostgreSQL, and whether the restore test does.
import { execFileSync } from 'node:child_process';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { commandsFor } from '../../commands.ts';
import { runAction } from '../action.ts';
import { apply, environment, kubectl, namespace, reset } from '../bench.ts';
import { statefulSet } from '../server.ts';
import { waitFor } from '../wait-for.ts';

jest.setTimeout(10 * 60_000);

beforeAll(() => {
  reset('--no-writer', '--vendor-shape');
});

const phase = (name: string) => kubectl('-n', namespace, 'get', 'pod', name, '-o', 'jsonpath={.status.phase}');

/** Whether a pod with these labels connects to PostgreSQL, by its Service; it tries for ten seconds. */
async function connects(name: string, labels: Readonly<Record<string, string>>): Promise<boolean> {
  const script =
    'for n in $(seq 10); do pg_isready -q -U postgres -t 1 -h "$POSTGRESQL_SERVICE_HOST" && exit 0; done; exit 1';
  const { image } = statefulSet(namespace);
  const container = { name, image, command: ['sh', '-c', script], securityContext: { runAsUser: 1001 } };
  const spec = { restartPolicy: 'Never', imagePullSecrets: [{ name: 'regcred' }], containers: [container] };
  apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels }, spec });
  await waitFor(`the end of pod ${name}`, () => ['Succeeded', 'Failed'].includes(phase(name)));
  return phase(name) === 'Succeeded';
}

async function restoreTest() {
  const end = await runAction({ namespace });
  return end.report.findings.find(({ check }) => check === 'restore-test');
}

test('a pod with a label that a policy admits connects, and one without it does not', async () => {
  const both = await Promise.all([connects('admitted', { 'postgresql-client': 'true' }), connects('stranger', {})]);
  expect(both).toEqual([true, false]);
});

test('the restore test takes a label that is admitted, and passes', async () => {
  expect((await restoreTest())?.status).toBe('passed');
});

test('where no label is admitted it says why it did not run; the command of its remedy lets it run', async () => {
  const none = [{ op: 'replace', path: '/spec/ingress', value: [] }];
  kubectl('-n', namespace, 'patch', 'networkpolicy', 'postgresql', '--type=json', `--patch=${JSON.stringify(none)}`);
  const finding = await restoreTest();
  expect(finding?.status).toBe('warning');
  expect(finding?.evidence.join('\n')).toMatch(
    /no connection from a pod to the running server: .*\nNetworkPolicy postgresql, default-deny closes pod postgresql-0/,
  );
  const commands = commandsFor('shell', finding?.remedy);
  execFileSync('sh', ['-c', commands || 'false'], { env: { ...process.env, ...environment }, stdio: 'pipe' });
  expect((await restoreTest())?.status).toBe('passed');
});
