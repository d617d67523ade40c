/** @jest-environment ./test/cluster/bench-environment.ts */
// The Job of docs/outside-github.md, with the accounts of docs/permissions.md. The bench has neither an image with Node nor a way to GitHub: Node and dist/ come
// from this machine, and the git lines are left out.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, jest, test } from '@jest/globals';
import type { V1Job, V1PodSpec } from '@kubernetes/client-node';
import { load } from 'js-yaml';
import { modeManifests } from '../../../src/permissions/permission-manifests.ts';
import { apply, bench, kubectl, kubectlJson, kubectlWith, namespace, psql, root } from '../bench.ts';
import { expectNoSecrets } from '../no-secrets.ts';
import { namesOf } from '../user.ts';
import { waitFor } from '../wait-for.ts';

jest.setTimeout(15 * 60_000);

const page = readFileSync(path.join(root, 'docs/outside-github.md'), 'utf8').replaceAll('NAMESPACE', namespace);
const [, manifest = ''] = /^```yaml\n(.*?)^```/ms.exec(page) ?? [];
const [, upgrade = ''] = /^(exec node dist\/index\.js .* --mode upgrade .*)$/m.exec(page) ?? [];

function jobOfPage(): V1Job & { spec: { template: { spec: V1PodSpec } } } {
  return load(manifest) as ReturnType<typeof jobOfPage>;
}

/** Runs the Job with what the bench lacks taken from this machine; its log, and whether it ended well. */
async function runJob(name: string, account: string, command?: string): Promise<{ log: string; succeeded: boolean }> {
  const job = jobOfPage();
  const { spec } = job.spec.template;
  const [container] = spec.containers;
  const [script = ''] = container?.args ?? [];
  const last = command ?? script.trim().split('\n').at(-1) ?? '';
  job.metadata = { ...job.metadata, name };
  spec.serviceAccountName = account;
  Object.assign(container ?? {}, {
    image: 'cciserver.azurecr.io/server-postgres-upgrade:12-14',
    args: [last.replace('node dist/', '/opt/node /opt/dist/')],
  });
  container?.volumeMounts?.push({ name: 'node', mountPath: '/opt/node' }, { name: 'dist', mountPath: '/opt/dist' });
  spec.volumes?.push(
    { name: 'node', hostPath: { path: process.execPath, type: 'File' } },
    { name: 'dist', hostPath: { path: path.join(root, 'dist'), type: 'Directory' } },
  );
  apply(job);
  const status = () => (kubectlJson('-n', namespace, 'get', 'job', name) as V1Job).status;
  const isOver = () => status()?.conditions?.some(({ type }) => type === 'Complete' || type === 'Failed') === true;
  await waitFor(`the pod of Job ${name}`, () => status()?.ready === 1 || isOver());
  const log = kubectl('-n', namespace, 'logs', '--follow', `job/${name}`);
  await waitFor(`the end of Job ${name}`, isOver);
  expectNoSecrets({ log, summary: '', outputs: '' });
  return { log, succeeded: status()?.succeeded === 1 };
}

beforeAll(() => {
  bench('reset', '--namespace', namespace, '--no-writer', '--size-mb', '20', '--tables', '40');
  for (const mode of ['precheck', 'upgrade'] as const)
    kubectlWith(modeManifests(mode, namesOf(namespace)).join('\n'), 'apply', '-f', '-');
});

test('its pod passes Pod Security "restricted"', () => {
  const restricted = `${namespace}-restricted`;
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: restricted, labels } });
  try {
    const spec = { ...jobOfPage().spec.template.spec, serviceAccountName: undefined };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'action', namespace: restricted }, spec };
    expect(kubectlWith(JSON.stringify(pod), 'create', '--dry-run=server', '-f', '-')).toContain('pod/action created');
  } finally {
    kubectl('delete', 'namespace', restricted);
  }
});

test('a precheck needs no kubeconfig, logs for people, and no check blocks the upgrade', async () => {
  const { log, succeeded } = await runJob('postgresql-precheck-run', 'postgresql-precheck');
  expect([succeeded, succeeded ? '' : log]).toEqual([true, '']);
  expect(log).toMatch(/^\d\d:\d\d:\d\dZ CircleCI Server PostgreSQL upgrade \S+\n/);
  expect(log).toMatch(/^verdict: (passed|warning)$/m);
  expect(log).not.toMatch(/^(\S+Z )?::/m);
});

test('an upgrade from within the cluster ends with PostgreSQL 14', async () => {
  const { log, succeeded } = await runJob('postgresql-upgrade-run', 'postgresql-upgrade', upgrade);
  expect([succeeded, succeeded ? '' : log]).toEqual([true, '']);
  expect(log).toMatch(/^verdict: upgraded$/m);
  expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
});
