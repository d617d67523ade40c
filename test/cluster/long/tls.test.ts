/** @jest-environment ./test/cluster/bench-environment.ts */
// A server with TLS as Bitnami's chart has it: an init container copies certificate and key to where the server's user owns them, and the writer connects only with TLS.
import { beforeAll, expect, jest, test } from '@jest/globals';
import { runAction, type ActionEnd } from '../action.ts';
import { kubectl, namespace, psql, reset } from '../bench.ts';
import { expectNoLoss } from '../no-loss.ts';
import { replicas } from '../server.ts';
import { waitFor } from '../wait-for.ts';

jest.setTimeout(15 * 60_000);

/** What the bench's databases have of which nothing is lost. */
const warned = ['stored-environment-settings', 'collations', 'publications', 'unlogged-tables'];
const inServer = (sql: string) => psql(namespace, 'postgres', sql);
/** Whether the writer is connected, and by TLS alone. */
const hasTls = () =>
  inServer(
    "SELECT bool_and(ssl) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE application_name = 'writer'",
  ) === 't';
const template = () =>
  kubectl('-n', namespace, 'get', 'statefulset', 'postgresql', '-o', 'jsonpath={.spec.template.spec.initContainers}');

let before: ReturnType<typeof replicas>;
let initContainers: string;
let end: ActionEnd;

beforeAll(async () => {
  reset('--tls', '--pod-security', 'restricted');
  await waitFor('a change over TLS', () => hasTls());
  before = replicas(namespace);
  initContainers = template();
  end = await runAction({ namespace, mode: 'upgrade', confirm: namespace });
});

test('no check finds anything in the way, and the trial start says what it leaves out', () => {
  const notPassed = end.report.findings.filter(({ status }) => status !== 'passed');
  expect(notPassed.map(({ check, status }) => [check, status])).toEqual(warned.map((id) => [id, 'warning']));
  const trial = end.report.findings.find(({ check }) => check === 'serving-start');
  expect(trial?.evidence.join('\n')).toContain('It started without TLS');
});

test('the upgrade ends well, with the certificate in place', () => {
  expect([end.exitCode, end.outputs['verdict'], end.report.error]).toEqual([0, 'upgraded', undefined]);
  expect(inServer('SHOW server_version')).toMatch(/^14\./);
  expect(inServer('SHOW ssl')).toBe('on');
  expect(initContainers).toContain('copy-certs');
  expect(template()).toBe(initContainers);
});

test('the writer trusts the certificate of PostgreSQL 14, and every change that it was told of is there', async () => {
  await waitFor('the writer over TLS', () => hasTls());
  const { acknowledged } = expectNoLoss(namespace);
  expect(acknowledged).toBeGreaterThan(0);
  expect(replicas(namespace)).toEqual(before);
});
