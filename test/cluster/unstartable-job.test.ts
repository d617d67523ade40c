import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction, type ActionEnd } from './action.ts';
import { bench, kubectl, namespace, psql } from './bench.ts';
import { replicas, statefulSet } from './server.ts';

jest.setTimeout(15 * 60_000);

describe('an upgrade whose Job cannot start, since nobody asked its image before', () => {
  let before: ReturnType<typeof replicas>;
  let end: ActionEnd;

  beforeAll(async () => {
    bench('reset', '--namespace', namespace, '--no-writer');
    before = replicas(namespace);
    const image = 'cciserver.azurecr.io/server-postgres-upgrade:no-such-tag';
    // Neither the probes nor the proof of the backup tell before the downtime that the image can't be had.
    const unasked = { probes: 'none', 'verify-backup': 'false' };
    end = await runAction({ namespace, mode: 'upgrade', confirm: namespace, 'upgrade-image': image, ...unasked });
  });

  test('ends as reverted, with the reason', () => {
    expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
    expect(end.report.error?.message).toContain('no-such-tag');
  });

  test('12 serves as before', () => {
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toBe('12.22');
    expect(replicas(namespace)).toEqual(before);
    expect(statefulSet(namespace).gates).toBeUndefined();
  });

  test('no Job is left that could start later', () => {
    expect(kubectl('-n', namespace, 'get', 'jobs', '-o', 'name')).toBe('');
  });
});
