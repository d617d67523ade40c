/** @jest-environment ./test/cluster/bench-environment.ts */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { isWhole } from '../../choice.ts';
import { killActionAt, runAction, type ActionEnd } from '../action.ts';
import { bench, kubectl, namespace, psql } from '../bench.ts';
import { expectNoLoss } from '../no-loss.ts';
import { expireLease, replicas, statefulSet } from '../server.ts';

jest.setTimeout(15 * 60_000);

/** The runner's process is killed as soon as this line is in its log. */
const moments = {
  'while the server is being stopped': '::group::Set the scheduling gate and stop PostgreSQL',
  'while pg_upgrade is at work': 'pg_upgrade --link',
  'before PostgreSQL 14 is started': '::group::Start PostgreSQL 14',
  'while the applications come back': '::group::Restart the applications',
  'while the statistics are rebuilt': '::group::Rebuild the statistics (ANALYZE)',
};
/** By default the two that leave the most behind. */
const chosen = isWhole
  ? Object.entries(moments)
  : Object.entries(moments).filter(([name]) => /pg_upgrade|applications/.test(name));

describe.each(chosen)('an upgrade whose runner is killed %s', (_name, line) => {
  let before: ReturnType<typeof replicas>;
  let struck: string;
  let end: ActionEnd;

  beforeAll(async () => {
    bench('reset', '--namespace', namespace);
    before = replicas(namespace);
    struck = await killActionAt({ namespace, mode: 'upgrade', confirm: namespace }, line);
    expireLease(namespace);
    end = await runAction({ namespace, mode: 'upgrade', confirm: namespace });
  });

  test('is resumed by the next run, which ends with PostgreSQL 14', () => {
    console.log(`killed after: ${struck}`);
    expect([end.exitCode, end.outputs['verdict'], end.report.error]).toEqual([0, 'upgraded', undefined]);
    expect(end.log).toMatch(/Resuming the upgrade that https:\/\/github.example\/\S+ began at /);
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
  });

  test('loses no change and leaves nothing behind', () => {
    expectNoLoss(namespace);
    expect(replicas(namespace)).toEqual(before);
    expect(statefulSet(namespace).gates).toBeUndefined();
    expect(statefulSet(namespace).managers).not.toContain('circleci-server-postgresql-upgrade');
  });

  test('has one snapshot of the data before, and one upgrade Job', () => {
    expect(names('volumesnapshots')).toEqual([end.outputs['snapshot']]);
    expect(names('jobs')).toEqual(['postgres-upgrade-12-to-14']);
  });
});

function names(resource: string): string[] {
  const text = kubectl(
    '-n',
    namespace,
    'get',
    resource,
    '-l',
    'app.kubernetes.io/managed-by=circleci-server-postgresql-upgrade',
    '-o',
    'jsonpath={.items[*].metadata.name}',
  );
  return text.split(' ').filter(Boolean);
}
