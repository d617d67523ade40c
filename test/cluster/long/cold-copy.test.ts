/** @jest-environment ./test/cluster/bench-environment.ts */
// A server on storage that makes new volumes and nothing else: no driver, no snapshots, no clones.
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { remedyText } from '../../../src/text/remedy.ts';
import { permissions } from '../../../src/permissions/permissions.ts';
import { expireLease, replicas } from '../server.ts';
import { killActionAt, runAction, type ActionEnd } from '../action.ts';
import { AuditLog, kubectl, namespace, outsideOf, psql, reset } from '../bench.ts';
import { expectNoLoss } from '../no-loss.ts';
import { limitedKubeconfig, namesOf } from '../user.ts';

jest.setTimeout(15 * 60_000);

const claimName = 'data-postgresql-0';
const field = (kind: string, name: string, path: string) =>
  kubectl('-n', namespace, 'get', kind, name, '-o', `jsonpath={${path}}`);
const volume = () => field('pvc', claimName, '.spec.volumeName');

describe('with "backup: copy", in a namespace that enforces Pod Security restricted, by a user with no right too many', () => {
  let before: ReturnType<typeof replicas>;
  let former: string;
  let upgrade: Readonly<Record<string, string>>;
  let audit: AuditLog;
  let names: ReturnType<typeof namesOf>;
  let checked: readonly ActionEnd[];
  let end: ActionEnd;

  beforeAll(async () => {
    reset('--pod-security', 'restricted', '--storage-class', 'local-path');
    before = replicas(namespace);
    former = volume();
    const external = { transfer: 'copy', backup: 'external', 'confirm-external-backup': namespace };
    checked = [
      await runAction({ namespace, probes: 'none' }),
      await runAction({ namespace, probes: 'none', ...external }),
    ];
    names = namesOf(namespace);
    const kubeconfig = limitedKubeconfig(namespace, 'copier', 'upgrade');
    upgrade = { namespace, mode: 'upgrade', confirm: namespace, backup: 'copy', probes: 'none', kubeconfig };
    audit = new AuditLog();
    await killActionAt(upgrade, '==> Copying and reading all files');
    expireLease(namespace);
    end = await runAction(upgrade, { GITHUB_RUN_ID: '2' });
  });

  test('the checks find that no snapshot can be taken, and nothing else, and name both ways without one', () => {
    expect(kubectl('get', 'persistentvolume', former, '-o', 'jsonpath={.spec.csi}')).toBe('');
    const failed = checked.map(({ report }) => report.findings.filter(({ status }) => status === 'failed'));
    expect(failed.map((findings) => findings.map(({ check }) => check))).toEqual([['volume-snapshot'], []]);
    expect(checked.map(({ exitCode }) => exitCode)).toEqual([1, 0]);
    const finding = failed[0]?.[0];
    expect(finding?.evidence).toEqual([`the volume of PersistentVolumeClaim ${claimName} has no CSI driver`]);
    const remedy = remedyText(finding?.remedy ?? { text: '' });
    expect(remedy).toContain('To upgrade without snapshots, set "backup" to copy.');
    expect(remedy).toContain(
      `set "transfer" to copy, "backup" to external and "confirm-external-backup" to ${namespace}`,
    );
  });

  test('upgrades on storage without snapshots, and restores PostgreSQL 12 from the copy', async () => {
    expect([end.exitCode, end.outputs['verdict'], end.report.error]).toEqual([0, 'upgraded', undefined]);
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
    expect(end.log).toMatch(/\d+ files, \d+ MiB, are on the copy, and each is the same as on the volume/);
    const [kind, copy = ''] = (end.outputs['backup'] ?? '').split(' ');
    expect(kind).toBe('PersistentVolumeClaim');
    expect(copy).toMatch(/^data-postgresql-0-before-upgrade-\d{14}$/);
    expect(kubectl('-n', namespace, 'get', 'volumesnapshots', '-o', 'name')).toBe('');
    expect(kubectl('-n', namespace, 'get', 'jobs', '-o', 'name')).not.toContain('-copy');
    expectNoLoss(namespace);
    expect(replicas(namespace)).toEqual(before);

    const rollback = { namespace, mode: 'rollback', confirm: namespace, 'accept-data-loss': 'true' };
    const back = await runAction({ ...rollback, kubeconfig: upgrade['kubeconfig'] ?? '' }, { GITHUB_RUN_ID: '3' });
    expect([back.exitCode, back.outputs['verdict'], back.report.error]).toEqual([0, 'rolled-back', undefined]);
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toBe('12.22');
    expect(replicas(namespace)).toEqual(before);
    expect(volume()).not.toBe(former);
    expect(field('pvc', copy, '.status.phase')).toBe('Bound');
    expect(back.log).toContain('are as they were when the backup was made');
  });

  test('uses no right that the documentation does not have', () => {
    expect(outsideOf(permissions, names, audit.events(':copier'))).toEqual([]);
  });
});
