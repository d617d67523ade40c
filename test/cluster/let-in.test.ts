/** @jest-environment ./test/cluster/bench-environment.ts */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { killActionAt, runAction, type ActionEnd } from './action.ts';
import { bench, helmUpgrade, kubectl, namespace, psql } from './bench.ts';
import { expectNoLoss } from './no-loss.ts';
import { expireLease, replicas, statefulSet } from './server.ts';
import { verifyWriter } from './writer.ts';

jest.setTimeout(15 * 60_000);

const inputs = { namespace, mode: 'upgrade', confirm: namespace, probes: 'none', 'verify-backup': 'false' };

describe('applications that somebody else starts before the data of 14 is compared', () => {
  let before: ReturnType<typeof replicas>;
  let end: ActionEnd;
  let written: number;

  beforeAll(async () => {
    bench('reset', '--namespace', namespace, '--size-mb', '20', '--tables', '40');
    before = replicas(namespace);
    await killActionAt(inputs, '::group::Compare the data');
    kubectl('-n', namespace, 'scale', 'deploy/writer', '--replicas=1');
    kubectl('-n', namespace, 'rollout', 'status', 'deploy/writer', '--timeout=120s');
    expireLease(namespace);
    end = await runAction(inputs, { GITHUB_RUN_ID: '2' });
    written = verifyWriter(namespace).acknowledged;
  });

  test('keep what they wrote: nothing is taken back, and the run says who has let them in', () => {
    expect([end.exitCode, end.outputs['verdict'], end.report.error?.code]).toEqual([
      1,
      'interrupted',
      'let-in-by-others',
    ]);
    expect(end.report.error?.message).toContain('somebody else started deployments/writer at 20');
    expect(end.log).not.toContain('Going back');
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
    expect(written).toBeGreaterThan(0);
  });

  test('also after a helm upgrade with the image of 12: the next run goes on with 14, and warns of what it could not compare', async () => {
    helmUpgrade('--wait=hookOnly', '--server-side=false');
    expect(statefulSet(namespace).image).toContain(':12.');
    const next = await runAction(inputs, { GITHUB_RUN_ID: '3' });
    expect([next.exitCode, next.outputs['verdict'], next.report.error]).toEqual([0, 'upgraded', undefined]);
    expect(next.report.warnings.join()).toContain('deployments/writer');
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
    expect(replicas(namespace)).toEqual(before);
    const { acknowledged } = expectNoLoss(namespace);
    expect(acknowledged).toBeGreaterThanOrEqual(written);
  });
});
