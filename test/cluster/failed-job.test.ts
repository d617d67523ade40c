import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction, saysInLog, startAction, type ActionEnd } from './action.ts';
import { apply, bench, helmWouldChange, kubectl, kubectlJson, namespace, psql } from './bench.ts';
import { replicas, statefulSet } from './server.ts';
import { verifyWriter } from './writer.ts';

jest.setTimeout(15 * 60_000);

interface Job {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly lastTransitionTime: string }[] };
}

/** As the documented way leaves it where its script ends early, with its volume untouched. */
function leaveFailedJob(): void {
  const name = 'postgres-upgrade-12-to-14';
  const container = {
    name: 'upgrade',
    image: 'cciserver.azurecr.io/server-postgres-upgrade:12-14',
    command: ['false'],
  };
  apply({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace },
    spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [container] } } },
  });
  kubectl('-n', namespace, 'wait', '--for=condition=Failed', `job/${name}`, '--timeout=120s');
}

describe('an upgrade whose Job fails, since 14 lacks a library', () => {
  let before: ReturnType<typeof replicas>;
  let image: string;
  let end: ActionEnd;

  beforeAll(async () => {
    bench('reset', '--namespace', namespace);
    before = replicas(namespace);
    ({ image } = statefulSet(namespace));
    leaveFailedJob();
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

  test('had first made room where a Job of another way had failed under the same name', () => {
    expect(end.log).toContain('Job postgres-upgrade-12-to-14 of an earlier try has ended: it makes room');
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
