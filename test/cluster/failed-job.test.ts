import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction, saysInLog, startAction, type ActionEnd } from './action.ts';
import { bench, helmWouldChange, kubectlJson, namespace, psql } from './bench.ts';
import { replicas, statefulSet } from './server.ts';
import { verifyWriter } from './writer.ts';

jest.setTimeout(15 * 60_000);

interface Job {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly lastTransitionTime: string }[] };
}

describe('an upgrade whose Job fails, since 14 lacks a library', () => {
  let before: ReturnType<typeof replicas>;
  let image: string;
  let end: ActionEnd;

  beforeAll(async () => {
    bench('reset', '--namespace', namespace);
    before = replicas(namespace);
    ({ image } = statefulSet(namespace));
    const action = startAction({ namespace, mode: 'upgrade', confirm: namespace });
    // After the checks, which would find it.
    await saysInLog(action, '::group::Stop the applications');
    psql(
      namespace,
      'circleci',
      "CREATE FUNCTION legacy_eq(citext, citext) RETURNS boolean LANGUAGE c IMMUTABLE STRICT AS 'legacy_text', 'citext_eq'",
    );
    end = await action.end;
  });

  test('ends as reverted, with the cause in an annotation', () => {
    expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
    const annotation = end.log.split('\n').find((line) => line.startsWith('::error') && line.includes('reverted'));
    expect(annotation).toContain('legacy_text');
    expect(annotation).toContain('PostgreSQL 12 serves');
  });

  test('prints the end of the logs of pg_upgrade', () => {
    expect(end.log).toContain('loadable_libraries.txt');
  });

  test('12 serves as before, with every change', () => {
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toBe('12.22');
    expect(psql(namespace, 'circleci', "SELECT legacy_eq('A', 'a')")).toBe('t');
    const { lost, doubled, unexpected } = verifyWriter(namespace);
    expect({ lost, doubled, unexpected }).toEqual({ lost: [], doubled: [], unexpected: [] });
  });

  test('the applications have their counts, the StatefulSet its image and no fence', () => {
    expect(replicas(namespace)).toEqual(before);
    expect(statefulSet(namespace)).toMatchObject({ image, gates: undefined });
    expect(statefulSet(namespace).managers).not.toContain('circleci-server-postgresql-upgrade');
  });

  test('helm may set another image and other counts, without a conflict', () => {
    expect(() => {
      helmWouldChange(namespace);
    }).not.toThrow();
  });

  test('the failed Job is kept for who wants to look into it', () => {
    const { status } = kubectlJson('-n', namespace, 'get', 'job', 'postgres-upgrade-12-to-14') as Job;
    expect(status.conditions?.map((c) => c.type)).toContain('Failed');
  });

  test('once the function is gone, a new upgrade succeeds', async () => {
    psql(namespace, 'circleci', 'DROP FUNCTION legacy_eq(citext, citext)');
    const second = await runAction({ namespace, mode: 'upgrade', confirm: namespace });
    expect([second.exitCode, second.outputs['verdict']]).toEqual([0, 'upgraded']);
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
    expect(replicas(namespace)).toEqual(before);
  });
});
