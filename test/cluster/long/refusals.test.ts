/** @jest-environment ./test/cluster/bench-environment.ts */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction } from '../action.ts';
import { AuditLog, bench, callName, namespace } from '../bench.ts';
import { limitedKubeconfig } from '../user.ts';

jest.setTimeout(10 * 60_000);

const upgrade = { namespace, mode: 'upgrade', confirm: namespace };

/** Another claim, mounted inside of the data directory. */
const secondVolume = [
  '--set',
  'postgresql.secondVolume.enabled=true',
  '--set',
  'postgresql.secondVolume.mountPath=/bitnami/postgresql/data/extra',
];

/** Runs the action; what it ended with, and what it wrote to the cluster. */
async function refused(inputs: Record<string, string>, user = 'admin') {
  const audit = new AuditLog();
  const { exitCode, report, log } = await runAction(inputs);
  return {
    exitCode,
    code: report.error?.code,
    message: report.error?.message ?? '',
    remedy: report.error?.remedy.text ?? '',
    errors: log.split('\n').filter((line) => line.startsWith('::error')).length,
    writes: audit.writes(user).map(callName),
  };
}

describe('bad input ends with one clear error, before anything is changed', () => {
  beforeAll(() => {
    bench('reset', '--namespace', namespace, '--no-writer');
  });

  test('no such namespace', async () => {
    const end = await refused({ ...upgrade, namespace: 'nowhere', confirm: 'nowhere' });
    expect(end).toMatchObject({ exitCode: 1, code: 'namespace-not-found', errors: 1, writes: [] });
    expect(end.remedy).toContain('kubectl get namespaces');
  });

  test('an unreadable kubeconfig', async () => {
    const end = await refused({ ...upgrade, kubeconfig: '/no/such/file' });
    expect(end).toMatchObject({ exitCode: 1, code: 'kubeconfig-not-found', errors: 1, writes: [] });
  });

  test('a missing confirm', async () => {
    const end = await refused({ ...upgrade, confirm: '' });
    expect(end).toMatchObject({ exitCode: 1, code: 'confirm-missing', errors: 1, writes: [] });
    expect(end.remedy).toContain(namespace);
  });

  test('a wrong secret key', async () => {
    const end = await refused({ ...upgrade, 'secret-key': 'no-such-key' });
    expect(end).toMatchObject({ exitCode: 1, code: 'secret-key-not-found', errors: 1, writes: [] });
    expect(end.message).toContain('postgres-password');
  });

  test('a permission that is refused while the server is looked for', async () => {
    const kubeconfig = limitedKubeconfig(
      namespace,
      'no-pods',
      'upgrade',
      (p) => p.resource !== 'persistentvolumeclaims',
    );
    const end = await refused({ ...upgrade, kubeconfig }, ':no-pods');
    expect(end).toMatchObject({ exitCode: 1, code: 'forbidden', errors: 1, writes: [] });
    expect(end.message).toContain('persistentvolumeclaims');
  });

  test('a permission that is refused for the upgrade itself', async () => {
    const kubeconfig = limitedKubeconfig(
      namespace,
      'no-patch',
      'upgrade',
      (p) => !(p.verb === 'patch' && p.resource === 'statefulsets'),
    );
    const end = await refused({ ...upgrade, kubeconfig }, ':no-patch');
    expect(end).toMatchObject({ exitCode: 1, code: 'precheck-blocks' });
    expect(end.message).toContain('permissions (failed');
    expect(end.writes).toEqual([]);
  });

  test('two claims that can hold the data directory', async () => {
    bench('reset', '--namespace', namespace, '--no-writer', ...secondVolume);
    const end = await refused(upgrade);
    expect(end).toMatchObject({ exitCode: 1, code: 'pvc-ambiguous', errors: 1, writes: [] });
    expect(end.remedy).toContain('pvc-name');
  });
});
