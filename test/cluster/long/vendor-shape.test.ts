/** @jest-environment ./test/cluster/bench-environment.ts */
// A server of the shape of the vendor's: its probes, mounts, databases and Jobs, NetworkPolicies that are enforced, and an extension that writes without a client.
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { remedyText } from '../../../src/text/remedy.ts';
import { runAction, type ActionEnd } from '../action.ts';
import { bench, helmUpgrade, kubectl, namespace, psql } from '../bench.ts';
import { expectNoLoss } from '../no-loss.ts';
import { replicas, statefulSet } from '../server.ts';

jest.setTimeout(15 * 60_000);

const worker = 'bench_partman background worker';
const inServer = (sql: string) => psql(namespace, 'postgres', sql);
const version = () => inServer("SELECT extversion FROM pg_extension WHERE extname = 'bench_partman'");
const job = () => kubectl('-n', namespace, 'get', 'job', 'housekeeping', '-o', 'jsonpath={.metadata.uid}{.status}');
/** Seconds between two writes of the worker. */
const everySeconds = (interval: number) => {
  const flags = { name: 'POSTGRESQL_EXTRA_FLAGS', value: `-c bench_partman_bgw.interval=${String(interval)}` };
  helmUpgrade('--set-json', `postgresql.primary.extraEnvVars=${JSON.stringify([flags])}`);
};

let before: ReturnType<typeof replicas>;
let jobBefore: string;

beforeAll(() => {
  bench('reset', '--namespace', namespace, '--size-mb', '20', '--tables', '40', '--vendor-shape');
  before = replicas(namespace);
  jobBefore = job();
});

describe('an upgrade while a background worker writes every second', () => {
  let end: ActionEnd;

  beforeAll(async () => {
    everySeconds(1);
    end = await runAction({ namespace, mode: 'upgrade', confirm: namespace });
  });

  test('is told of the worker beforehand', () => {
    const finding = end.report.findings.find(({ check }) => check === 'background-workers');
    expect(finding?.status).toBe('warning');
    expect(finding?.evidence[0]).toMatch(/^bench_partman background worker: database postgres; .*,bench_partman_bgw$/);
    expect(end.log).toContain(`Background workers still run, and may write: ${worker} (database postgres)`);
  });

  test('goes back to PostgreSQL 12, and names the worker and not a client', () => {
    expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
    expect(end.report.error?.message).toMatch(/postgres: partman\.runs: \d+ rows before, \d+ rows after/);
    expect(remedyText(end.report.error?.remedy ?? { text: '' })).toContain(
      `Background workers run where it differs: ${worker} (database postgres)`,
    );
    expect([inServer('SHOW server_version'), version()]).toEqual(['12.22', '4.5.1']);
  });

  test('gets through the NetworkPolicies, and tries the images with what the server mounts', () => {
    const asked = ['restore-test', 'serving-start', 'serving-logins', 'libraries'];
    const found = end.report.findings.filter(({ check }) => asked.includes(check));
    expect(found.map(({ check, status }) => `${check} ${status}`).sort()).toEqual(
      asked.map((check) => `${check} passed`).sort(),
    );
  });

  test('loses no acknowledged change, and brings every workload back', () => {
    expectNoLoss(namespace);
    expect(replicas(namespace)).toEqual(before);
    expect(job()).toBe(jobBefore);
  });
});

describe('an upgrade while it writes as rarely as pg_partman does', () => {
  let rows: string;
  let end: ActionEnd;

  beforeAll(async () => {
    everySeconds(3600);
    rows = inServer('SELECT count(*) FROM partman.runs');
    end = await runAction({ namespace, mode: 'upgrade', confirm: namespace }, { GITHUB_RUN_ATTEMPT: '2' });
  });

  test('ends well, with PostgreSQL 14 serving', () => {
    expect(end.report.error).toBeUndefined();
    expect([end.exitCode, end.outputs['verdict']]).toEqual([0, 'upgraded']);
    expect(statefulSet(namespace).image).toBe('cciserver.azurecr.io/server-postgres:14.22.4094-4922444');
    expect(inServer('SHOW server_version')).toMatch(/^14\./);
  });

  test('gets through the NetworkPolicies again, and tries the images with what the server mounts', () => {
    const asked = ['restore-test', 'serving-start', 'serving-logins', 'libraries'];
    const found = end.report.findings.filter(({ check }) => asked.includes(check));
    expect(found.map(({ check, status }) => `${check} ${status}`).sort()).toEqual(
      asked.map((check) => `${check} passed`).sort(),
    );
  });

  test('is told of the other major of the extension, which the upgrade image lacks', () => {
    const finding = end.report.findings.find(({ check }) => check === 'extensions');
    expect(finding?.status).toBe('warning');
    expect(finding?.evidence[0]).toContain('ships bench_partman 5.0.1; postgres has 4.5.1, which is another major');
  });

  test('loses and doubles no acknowledged change, and brings every workload back as it was', () => {
    const { acknowledged } = expectNoLoss(namespace);
    expect(acknowledged).toBeGreaterThan(0);
    expect(replicas(namespace)).toEqual(before);
  });

  test('leaves the Job of the application layer that had ended', () => {
    expect(job()).toBe(jobBefore);
  });

  test('keeps the databases of all services, with what the configuration on the volume sets', () => {
    expect(inServer("SELECT count(*) FROM pg_database WHERE datname ~ '^service_'")).toBe('11');
    expect(psql(namespace, 'service_11', 'SELECT count(*) FROM items')).toBe('1000');
    expect(inServer('SHOW max_connections')).toBe('200');
  });

  test('keeps the extension within its major, with its rows and its worker', () => {
    expect(version()).toBe('4.7.4');
    expect(inServer('SELECT parent_table FROM partman.part_config')).toBe('public.builds');
    expect(inServer('SELECT partman.create_trigger_parent()')).toBe('by triggers');
    expect(inServer('SELECT count(*) FROM partman.runs')).toBe(rows);
    expect(inServer(`SELECT count(*) FROM pg_stat_activity WHERE backend_type = '${worker}'`)).toBe('1');
    expect(end.report.warnings.join('\n')).toContain('extension bench_partman stays at 4.7.4');
  });
});
