/** @jest-environment ./test/cluster/bench-environment.ts */
// One server that is upgraded twice and goes back both times: by itself, since the data differs, and by consent, after what others let in was kept.
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { killActionAt, runAction, type ActionEnd } from './action.ts';
import { helmUpgrade, kubectl, kubectlJson, namespace, psql, reset } from './bench.ts';
import { expectNoLoss } from './no-loss.ts';
import { expireLease, replicas, statefulSet } from './server.ts';
import { verifyWriter } from './writer.ts';

jest.setTimeout(15 * 60_000);

const claimName = 'data-postgresql-0';
const field = (kind: string, name: string, path: string) =>
  kubectl('-n', namespace, 'get', kind, name, '-o', `jsonpath={${path}}`);
const volume = () => field('pvc', claimName, '.spec.volumeName');
const upgrade = { namespace, mode: 'upgrade', confirm: namespace, probes: 'none', 'verify-backup': 'false' };
const rollback = { namespace, mode: 'rollback', confirm: namespace };

/** PostgreSQL 12 serves with everything as it is to be, and nothing of ours holds on to the user's objects. */
function expectTwelve(before: ReturnType<typeof replicas>): void {
  expect(psql(namespace, 'postgres', 'SHOW server_version')).toBe('12.22');
  expect(replicas(namespace)).toEqual(before);
  expect(statefulSet(namespace).gates).toBeUndefined();
  expect(statefulSet(namespace).managers).not.toContain('circleci-server-postgresql-upgrade');
  expect(names('pvc')).toEqual([]);
  expect(field('pvc', claimName, '.metadata.labels')).not.toContain('token');
  expect(names('jobs')).not.toContain('postgres-upgrade-12-to-14-boot');
}

/** Objects of ours. */
function names(resource: string): string[] {
  const label = 'app.kubernetes.io/managed-by=circleci-server-postgresql-upgrade';
  const list = kubectlJson('-n', namespace, 'get', resource, '-l', label) as {
    items: { metadata: { name: string } }[];
  };
  return list.items.map(({ metadata }) => metadata.name);
}

describe('an upgrade whose data differs, since a client changed it behind the stopped applications', () => {
  let before: ReturnType<typeof replicas>;
  let former: string;
  let end: ActionEnd;

  beforeAll(async () => {
    reset();
    before = replicas(namespace);
    former = volume();
    await killActionAt(upgrade, '::group::Compare the data');
    psql(namespace, 'circleci', 'CREATE TABLE uninvited AS SELECT 1 AS one');
    expireLease(namespace);
    end = await runAction(upgrade);
  });

  test('goes back by itself, and says what differs', () => {
    expect([end.exitCode, end.outputs['verdict'], end.report.error?.code]).toEqual([1, 'reverted', 'reverted']);
    expect(end.report.error?.message).toContain('circleci: public.uninvited: absent before, 1 rows after');
  });

  test('has PostgreSQL 12 on a copy of the backup, with every acknowledged change', () => {
    expectTwelve(before);
    expectNoLoss(namespace);
    expect(end.log).toContain('has the data that was measured before the upgrade');
    expect(volume()).not.toBe(former);
  });

  test('keeps the volume with what PostgreSQL 14 had, and gives the new one the policy that it had', () => {
    expect(field('pv', former, '.status.phase')).toBe('Released');
    expect(field('pv', former, '.spec.persistentVolumeReclaimPolicy')).toBe('Retain');
    expect(field('pv', volume(), '.spec.persistentVolumeReclaimPolicy')).toBe('Delete');
    expect(end.report.warnings.join()).toContain(former);
    kubectl('patch', 'pv', former, '-p', '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}');
  });

  describe('then applications that somebody else starts before the data of PostgreSQL 14 is compared', () => {
    let interrupted: ActionEnd;
    let written: number;

    beforeAll(async () => {
      await killActionAt(upgrade, '::group::Compare the data');
      kubectl('-n', namespace, 'scale', 'deploy/writer', '--replicas=1');
      kubectl('-n', namespace, 'rollout', 'status', 'deploy/writer', '--timeout=120s');
      expireLease(namespace);
      interrupted = await runAction(upgrade, { GITHUB_RUN_ID: '2' });
      written = verifyWriter(namespace).acknowledged;
    });

    test('keep what they wrote: nothing is taken back, and the run says who has let them in', () => {
      expect([interrupted.exitCode, interrupted.outputs['verdict'], interrupted.report.error?.code]).toEqual([
        1,
        'interrupted',
        'let-in-by-others',
      ]);
      expect(interrupted.report.error?.message).toContain('Somebody else started deployments/writer at 20');
      expect(interrupted.report.phases.filter(({ id }) => id.startsWith('undo-'))).toEqual([]);
      expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
      expect(written).toBeGreaterThan(0);
    });

    test('also after a helm upgrade with the image of PostgreSQL 12: the next run goes on with PostgreSQL 14, and warns of what it could not compare', async () => {
      helmUpgrade('--wait=hookOnly', '--server-side=false');
      expect(statefulSet(namespace).image).toContain(':12.');
      const next = await runAction(upgrade, { GITHUB_RUN_ID: '3' });
      expect([next.exitCode, next.outputs['verdict'], next.report.error]).toEqual([0, 'upgraded', undefined]);
      expect(next.report.warnings.join()).toContain('deployments/writer');
      expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
      expect(replicas(namespace)).toEqual(before);
      const { acknowledged } = expectNoLoss(namespace);
      expect(acknowledged).toBeGreaterThanOrEqual(written);
    });

    test('are stopped and PostgreSQL 12 is back only for who agrees to lose what was written since', async () => {
      psql(namespace, 'circleci', 'CREATE TABLE written_since AS SELECT generate_series(1, 10)');
      const refused = await runAction(rollback);
      expect([refused.exitCode, refused.report.error?.code]).toEqual([1, 'consent-missing']);
      expect(refused.log).toContain('circleci: public.written_since: absent before, 10 rows now');
      expect(refused.log).toMatch(/ of WAL, written since 20/);
      expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
      kubectl('-n', namespace, 'scale', 'deploy/writer', '--replicas=0');
      before['deployments/writer'] = '0/0';
      const agreed = await runAction({ ...rollback, 'accept-data-loss': 'true' });
      expect([agreed.exitCode, agreed.outputs['verdict'], agreed.report.error]).toEqual([0, 'rolled-back', undefined]);
      expect(agreed.outputs['image']).toBe(statefulSet(namespace).image);
      expectTwelve(before);
      expect(psql(namespace, 'circleci', "SELECT to_regclass('written_since') IS NULL")).toBe('t');
    });

    test('and then there is nothing more to roll back', async () => {
      const nothing = await runAction(rollback);
      expect([nothing.exitCode, nothing.report.error?.code]).toEqual([1, 'nothing-to-roll-back']);
    });
  });
});
