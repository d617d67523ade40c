/** @jest-environment ./test/cluster/bench-environment.ts */
// One server whose Job fails, is killed and can't start, one after the other: 12 serves each time, with every change, until an upgrade goes well.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction, saysInLog, startAction, type ActionEnd } from './action.ts';
import { apply, bench, helmWouldChange, kubectl, kubectlJson, namespace, psql } from './bench.ts';
import { expectNoLoss } from './no-loss.ts';
import { replicas, statefulSet } from './server.ts';

jest.setTimeout(10 * 60_000);

/** What the Job meets, neither the probes nor the proof of the backup tell before. */
const upgrade = { namespace, mode: 'upgrade', confirm: namespace, probes: 'none', 'verify-backup': 'false' };
const images = 'cciserver.azurecr.io/server-postgres-upgrade';
const jobName = 'postgres-upgrade-12-to-14';

interface Job {
  readonly status: { readonly conditions?: readonly { readonly type: string }[] };
}

let before: ReturnType<typeof replicas>;
let image: string;

beforeAll(() => {
  bench('reset', '--namespace', namespace, '--size-mb', '20', '--tables', '40');
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
    expect(end.log).toContain(`Job ${jobName} of an earlier try has ended: it makes room`);
  });

  test('12 serves as before, with every change', () => {
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
    // pg_upgrade stops there in the middle of linking and waits to be killed.
    const action = startAction({ ...upgrade, 'upgrade-image': `${images}:12-14-pauses-while-linking` });
    await killWhileLinking(action.end);
    end = await action.end;
  });

  test('ends as reverted and says that the Job was killed', () => {
    expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
    expect(end.report.error?.message).toContain('137');
  });

  test('12 serves as before, with every change', expectTwelve);

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

  test('12 serves as before, with every change', expectTwelve);

  test('no Job is left that could start later', () => {
    const jobs = kubectl('-n', namespace, 'get', 'jobs', '-o', 'name').split('\n');
    expect(jobs).not.toContain(`job.batch/${jobName}`);
  });
});

test('once nothing is in the way any more, a new upgrade succeeds', async () => {
  const end = await runAction(upgrade);
  expect([end.exitCode, end.outputs['verdict']]).toEqual([0, 'upgraded']);
  expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
  expect(replicas(namespace)).toEqual(before);
  expectNoLoss(namespace);
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

async function killWhileLinking(ended: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  void ended.finally(() => {
    over.abort();
  });
  while (!over.signal.aborted) {
    const volume = mountedVolume();
    if (volume !== undefined && existsSync(path.join(volume, '.paused-while-linking'))) {
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

function mountedVolume(): string | undefined {
  try {
    return bench('volume-path', '--namespace', namespace, '--pvc', 'data-postgresql-0').trim();
  } catch {
    return undefined;
  }
}
