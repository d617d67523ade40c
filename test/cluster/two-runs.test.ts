/** @jest-environment ./test/cluster/bench-environment.ts */
import { once } from 'node:events';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction, startAction, type ActionEnd, type RunningAction } from './action.ts';
import { bench, kubectl, namespace, psql } from './bench.ts';
import { expectNoLoss } from './no-loss.ts';
import { expireLease, replicas, statefulSet } from './server.ts';

jest.setTimeout(15 * 60_000);

const inputs = { namespace, mode: 'upgrade', confirm: namespace, probes: 'none', 'verify-backup': 'false' };
const lease = 'postgresql-upgrade-12-to-14';
const label = 'circleci-server-postgresql-upgrade/epoch';

/** The runner of the first run sleeps while pg_upgrade is at work, and wakes up when another run has long ended. */
describe('a second run beside one whose runner falls asleep', () => {
  let before: ReturnType<typeof replicas>;
  let beside: ActionEnd;
  let tooEarly: ActionEnd;
  let next: ActionEnd;
  let woken: ActionEnd;
  let worldThen: string;

  beforeAll(async () => {
    bench('reset', '--namespace', namespace, '--size-mb', '20', '--tables', '40');
    before = replicas(namespace);
    const first = startAction(inputs, { GITHUB_RUN_ID: '1001' });
    await logged(first, `Lease ${lease} taken`);
    beside = await runAction(inputs, { GITHUB_RUN_ID: '1002' });
    await logged(first, 'pg_upgrade --link');
    first.process.kill('SIGSTOP');
    tooEarly = await runAction(inputs, { GITHUB_RUN_ID: '1003' });
    expireLease(namespace);
    next = await runAction(inputs, { GITHUB_RUN_ID: '1004' });
    worldThen = world();
    first.process.kill('SIGCONT');
    woken = await first.end;
  });

  test('is told at once who is at it', () => {
    for (const end of [beside, tooEarly]) {
      expect(end.report.error).toMatchObject({ code: 'upgrade-held' });
      expect(end.report.error?.message).toMatch(/runs\/1001\/attempts\/\d+ holds Lease/);
    }
  });

  test('takes over once the Lease has expired, and ends with 14', () => {
    expect(next.log).toMatch(/taken over \(epoch \d+\) from \S+runs\/1001\/\S+, which has not renewed it for \d+ s/);
    expect([next.exitCode, next.outputs['verdict'], next.report.error]).toEqual([0, 'upgraded', undefined]);
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
  });

  test('is not disturbed by the first one, which says who has the upgrade now', () => {
    expect(woken.report.error).toMatchObject({ code: 'lease-lost' });
    expect([woken.exitCode, woken.outputs['verdict']]).toEqual([1, 'interrupted']);
    expect(woken.log).not.toContain('Going back');
    expect(world()).toBe(worldThen);
  });

  test('loses no change and leaves nothing behind', () => {
    expectNoLoss(namespace);
    expect(replicas(namespace)).toEqual(before);
    expect(statefulSet(namespace).managers).not.toContain('circleci-server-postgresql-upgrade');
    const kinds = 'statefulsets,deployments,replicasets,cronjobs,controllerrevisions';
    expect(kubectl('-n', namespace, 'get', kinds, '-l', label, '-o', 'name')).toBe('');
    expect(kubectl('-n', namespace, 'get', kinds, '-o', 'yaml')).not.toContain(label);
  });
});

/** What the upgrade changes, without what controllers and the writer do all the time, and without what is on its way out. */
function world(): string {
  const kinds = 'statefulsets,deployments,cronjobs,jobs,volumesnapshots,persistentvolumeclaims,leases';
  const { items } = JSON.parse(kubectl('-n', namespace, 'get', kinds, '-o', 'json')) as { items: StoredObject[] };
  const stay = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const lines = stay.map(({ kind, metadata: { name, uid, labels }, spec }) =>
    [`${kind}/${name}`, uid, JSON.stringify(labels), JSON.stringify(spec)].join(' '),
  );
  const journal = kubectl('-n', namespace, 'get', 'configmap', `${lease}-journal`, '-o', 'jsonpath={.data}');
  return [...lines, journal].join('\n');
}

interface StoredObject {
  readonly kind: string;
  readonly metadata: { name: string; uid: string; labels?: Record<string, string>; deletionTimestamp?: string };
  readonly spec?: unknown;
}

async function logged(action: RunningAction, line: string): Promise<void> {
  const ended = once(action.process, 'close');
  while (!action.log().includes(line)) {
    const more = once(action.process.stdout ?? action.process, 'data').then(() => true);
    if (!(await Promise.race([more, ended.then(() => false)]))) throw new Error(`never logged: ${line}`);
  }
}
