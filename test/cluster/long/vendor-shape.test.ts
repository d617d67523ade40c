/** @jest-environment ./test/cluster/bench-environment.ts */
// A server of the shape of the vendor's: its probes, mounts, databases and Jobs, NetworkPolicies that are enforced, and an extension that writes without a client.
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { remedyText } from '../../../src/text/remedy.ts';
import { runAction, type ActionEnd } from '../action.ts';
import { bench, helmUpgrade, kubectl, namespace, psql } from '../bench.ts';
import { expectNoLoss } from '../no-loss.ts';
import { replicas } from '../server.ts';

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
