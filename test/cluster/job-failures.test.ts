/** @jest-environment ./test/cluster/bench-environment.ts */
// One server whose Job fails, is killed and can't start, one after the other: 12 serves each time, with every change, until an upgrade goes well: that of a
// second run, beside one whose runner sleeps.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction, saysInLog, startAction, type ActionEnd, type RunningAction } from './action.ts';
import { apply, bench, helmWouldChange, kubectl, kubectlJson, namespace, psql, reset } from './bench.ts';
import { expectNoLoss } from './no-loss.ts';
import { expireLease, renewLease, replicas, statefulSet } from './server.ts';

jest.setTimeout(15 * 60_000);

/** What the Job meets, neither the probes nor the proof of the backup tell before. */
const upgrade = { namespace, mode: 'upgrade', confirm: namespace, probes: 'none', 'verify-backup': 'false' };
const images = 'cciserver.azurecr.io/server-postgres-upgrade';
const jobName = 'postgres-upgrade-12-to-14';
const lease = 'postgresql-upgrade-12-to-14';
const label = 'circleci-server-postgresql-upgrade/fencing-token';

interface Job {
  readonly status: { readonly conditions?: readonly { readonly type: string }[] };
}

let before: ReturnType<typeof replicas>;
let image: string;

beforeAll(() => {
  reset();
  before = replicas(namespace);
  ({ image } = statefulSet(namespace));
});

function expectTwelve(): void {
  expect(psql(namespace, 'postgres', 'SHOW server_version')).toBe('12.22');
  expect(replicas(namespace)).toEqual(before);
  expect(statefulSet(namespace)).toMatchObject({ image, gates: undefined });
  expect(statefulSet(namespace).managers).not.toContain('circleci-server-postgresql-upgrade');
  expectNoLoss(namespace);
}

describe('an upgrade whose Job fails, since 14 lacks a library', () => {
  let end: ActionEnd;

  beforeAll(async () => {
    leaveFailedJob();
    const action = startAction(upgrade);
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
    expect(end.log).toContain(`Deleting Job ${jobName} of an earlier try, which has ended`);
  });

  test('PostgreSQL 12 serves as before, with every change', () => {
    expect(psql(namespace, 'circleci', "SELECT legacy_eq('A', 'a')")).toBe('t');
    expectTwelve();
  });

  test('helm may set another image and other counts, without a conflict', () => {
    expect(() => {
      helmWouldChange(namespace);
    }).not.toThrow();
  });

  test('the failed Job is kept for who wants to look into it', () => {
    const { status } = kubectlJson('-n', namespace, 'get', 'job', jobName) as Job;
    expect(status.conditions?.map((c) => c.type)).toContain('Failed');
    psql(namespace, 'circleci', 'DROP FUNCTION legacy_eq(citext, citext)');
  });
});

describe('an upgrade whose Job is killed while it links', () => {
  let end: ActionEnd;

  beforeAll(async () => {
    // It is mounted at the same place again.
    const volume = bench('volume-path', '--namespace', namespace, '--pvc', 'data-postgresql-0').trim();
    // pg_upgrade stops there in the middle of linking and waits to be killed.
    const action = startAction({ ...upgrade, 'upgrade-image': `${images}:12-14-pauses-while-linking` });
    await killWhileLinking(volume, action.end);
    end = await action.end;
  });

  test('ends as reverted and says that the Job was killed', () => {
    expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
    expect(end.report.error?.message).toContain('137');
  });

  test('PostgreSQL 12 serves as before, with every change', expectTwelve);

  test('nothing of the half-made cluster is left', () => {
    const directories = ['/bitnami/postgresql', '/bitnami/postgresql/data/global'];
    const entries = kubectl('-n', namespace, 'exec', 'postgresql-0', '--', 'ls', ...directories);
    expect(entries).not.toContain('data-14');
    expect(entries).not.toContain('pg_control.old');
  });
});

describe('an upgrade whose Job cannot start, since nobody asked its image before', () => {
  let end: ActionEnd;

  beforeAll(async () => {
    end = await runAction({ ...upgrade, 'upgrade-image': `${images}:no-such-tag` });
  });

  test('ends as reverted, with the reason', () => {
    expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
    expect(end.report.error?.message).toContain('no-such-tag');
  });

  test('PostgreSQL 12 serves as before, with every change', expectTwelve);

  test('no Job is left that could start later', () => {
    const jobs = kubectl('-n', namespace, 'get', 'jobs', '-o', 'name').split('\n');
    expect(jobs).not.toContain(`job.batch/${jobName}`);
  });
});

/** The runner of the first run sleeps while pg_upgrade is at work, and wakes up when another run has long ended. */
describe('once nothing is in the way any more, a second run beside one whose runner falls asleep', () => {
  let held: ActionEnd;
  let next: ActionEnd;
  let woken: ActionEnd;
  let worldThen: string;

  beforeAll(async () => {
    const first = startAction(upgrade, { GITHUB_RUN_ID: '1001' });
    await logged(first, 'pg_upgrade --link');
    first.process.kill('SIGSTOP');
    held = await waitingRun('1002', renewLease);
    next = await waitingRun('1003', expireLease);
    worldThen = world();
    first.process.kill('SIGCONT');
    woken = await first.end;
  });

  /** A run that meets the Lease, and waits until it expires or is renewed. */
  async function waitingRun(id: string, meanwhile: (namespace: string) => void): Promise<ActionEnd> {
    const run = startAction(upgrade, { GITHUB_RUN_ID: id });
    await logged(run, `Waiting for Lease ${lease} of `);
    meanwhile(namespace);
    return await run.end;
  }

  test('is told who is at work once the Lease is renewed', () => {
    expect(held.report.error).toMatchObject({ code: 'upgrade-held' });
    expect(held.report.error?.message).toMatch(/runs\/1001\/attempts\/\d+ has held Lease/);
  });

  test('takes over once the Lease has expired, and ends with PostgreSQL 14', () => {
    expect(next.log).toMatch(
      /Took over Lease \S+ \(fencing token \d+\) from \S+runs\/1001\/\S+, which has not renewed it for \d+ s/,
    );
    expect([next.exitCode, next.outputs['verdict'], next.report.error]).toEqual([0, 'upgraded', undefined]);
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
  });

  test('is not disturbed by the first one, which says who has the upgrade now', () => {
    expect(woken.report.error).toMatchObject({ code: 'lease-lost' });
    expect([woken.exitCode, woken.outputs['verdict']]).toEqual([1, 'interrupted']);
    expect(woken.report.phases.filter(({ id }) => id.startsWith('undo-'))).toEqual([]);
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

/** As the documented way leaves it where its script ends early, with its volume untouched. */
function leaveFailedJob(): void {
  const container = { name: 'upgrade', image: `${images}:12-14`, command: ['false'] };
  apply({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: jobName, namespace },
    spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [container] } } },
  });
  kubectl('-n', namespace, 'wait', '--for=condition=Failed', `job/${jobName}`, '--timeout=120s');
}

async function killWhileLinking(volume: string, ended: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  void ended.finally(() => {
    over.abort();
  });
  while (!over.signal.aborted) {
    if (existsSync(path.join(volume, '.paused-while-linking'))) {
      bench('kill-container', '--namespace', namespace, '--pod', jobPod());
      return;
    }
    await sleep(200);
  }
  throw new Error('the action ended before its Job began to link');
}

function jobPod(): string {
  const selector = `batch.kubernetes.io/job-name=${jobName}`;
  return kubectl('-n', namespace, 'get', 'pods', '-l', selector, '-o', 'jsonpath={.items[0].metadata.name}');
}

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
