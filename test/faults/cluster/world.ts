// The server of a case, and how it has to be at the end.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { runAction, type ActionEnd } from '../../cluster/action.ts';
import { bench, kubectl, kubectlJson, psql } from '../../cluster/bench.ts';
import { expireLease as setBackLease, replicas, rowCounts, statefulSet } from '../../cluster/server.ts';
import { verifyWriter } from '../../cluster/writer.ts';
import type { InputValues } from '../../bundle.ts';
import type { Outcome } from './campaign.ts';

/** Not the default of the cluster tests: these campaigns take long, and may run beside them. */
export const namespace = process.env['TEST_NAMESPACE'] ?? 'ns-faults';
/** Its limits are of this machine, so that what can't come is not waited for long. */
export const upgrade = {
  namespace,
  mode: 'upgrade',
  confirm: namespace,
  'snapshot-timeout': '1m',
  'detach-timeout': '1m',
  'job-start-timeout': '2m',
  'start-timeout': '3m',
  'rollout-timeout': '3m',
};
/** The downtime alone: for faults that strike after the checks and the proof of the backup. */
export const downtimeAlone = { ...upgrade, probes: 'none', 'verify-backup': 'false' };

const lease = 'postgresql-upgrade-12-to-14';

export interface Server {
  readonly replicas: Record<string, string>;
  readonly rows: Record<string, readonly string[]>;
  readonly image: string;
}

/** A new server on PostgreSQL 12 with little data, and what is known of it. */
export function newServer(...options: string[]): Server {
  bench('reset', '--namespace', namespace, '--size-mb', '20', '--tables', '40', ...options);
  return { replicas: replicas(namespace), rows: rows(), image: statefulSet(namespace).image };
}

/** The count of each table's rows, which come in no order of their own. What the writer wrote it verifies itself. */
function rows(): Record<string, string[]> {
  const counts = Object.entries(rowCounts(namespace)).filter(([database]) => database !== 'writer');
  return Object.fromEntries(counts.map(([database, lines]) => [database, lines.split('\n').sort()]));
}

/** Where there is a Lease: a case may have struck before it was made. */
export function expireLease(): void {
  if (namesOf('leases').length > 0) setBackLease(namespace);
}

/** One more run, which has to end with PostgreSQL 14. A backup is kept of each upgrade that began, also of one that was taken back: of `upgrades` at most. */
export async function expectUpgraded(
  outcome: Outcome,
  before: Server,
  inputs: InputValues,
  { upgrades = 1, verdict = 'upgraded' } = {},
): Promise<void> {
  const end = await oneMoreRun(outcome, inputs);
  assert.deepEqual([end.exitCode, end.outputs['verdict']], [0, verdict], said(end));
  expectWhole(outcome, before, '14', upgrades);
}

/** One more run, which has to end with PostgreSQL 14, or with PostgreSQL 12 where the run before had begun to go back. */
export async function expectConverged(
  outcome: Outcome,
  before: Server,
  inputs: InputValues,
  upgrades = 1,
): Promise<void> {
  const end = await oneMoreRun(outcome, inputs);
  const verdict = end.outputs['verdict'] ?? '';
  assert.ok(['upgraded', 'already-upgraded', 'reverted'].includes(verdict), said(end));
  expectWhole(outcome, before, verdict === 'reverted' ? '12' : '14', upgrades);
}

async function oneMoreRun(outcome: Outcome, inputs: InputValues): Promise<ActionEnd> {
  const end = await runAction(inputs, { GITHUB_RUN_ID: '2' });
  outcome.seconds = end.seconds;
  return end;
}

/** This version serves all that PostgreSQL 12 had and every acknowledged change, all workloads are back, and nothing of the upgrade holds on to anything. */
export function expectWhole(outcome: Outcome, before: Server, version: '12' | '14', upgrades = 1): void {
  // Where somebody else restarted it when the run was at its end, it may still be starting.
  kubectl('-n', namespace, 'rollout', 'status', 'statefulset/postgresql', '--timeout=120s');
  const served = psql(namespace, 'postgres', 'SHOW server_version');
  assert.equal(served.split('.')[0], version, 'the version that serves');
  const { acknowledged, lost, doubled, unexpected } = verifyWriter(namespace);
  outcome.acknowledged = acknowledged;
  outcome.lost = lost.length;
  assert.deepEqual({ lost, doubled, unexpected }, { lost: [], doubled: [], unexpected: [] });
  assert.ok(acknowledged > 0, 'the writer has written nothing');
  assert.deepEqual(rows(), before.rows);
  assert.deepEqual(replicas(namespace), before.replicas);
  const { gates, managers, image } = statefulSet(namespace);
  assert.equal(gates, undefined, 'the scheduling gate');
  assert.ok(!managers.includes('circleci-server-postgresql-upgrade'), 'managedFields');
  assert.equal(image === before.image, version === '12', image);
  expectNothingStray(version, upgrades);
}

function expectNothingStray(version: '12' | '14', upgrades: number): void {
  assert.equal(
    kubectl('-n', namespace, 'get', 'leases', '-o', 'jsonpath={.items[*].spec.holderIdentity}'),
    '',
    'the Lease',
  );
  const kinds = 'statefulsets,deployments,replicasets,cronjobs,controllerrevisions,persistentvolumeclaims';
  assert.equal(
    kubectl('-n', namespace, 'get', kinds, '-l', 'circleci-server-postgresql-upgrade/fencing-token', '-o', 'name'),
    '',
  );
  assert.deepEqual(namesOf('configmaps'), [`${lease}-journal`]);
  assert.deepEqual(namesOf('persistentvolumeclaims'), []);
  assert.deepEqual(
    namesOf('pods').filter((name) => /probe|boot/.test(name)),
    [],
  );
  // Jobs that have ended stay as logs: the upgrade's, and that of a way back before it.
  if (version === '14')
    assert.deepEqual(
      namesOf('jobs').filter((name) => name !== 'postgres-upgrade-12-to-14-revert'),
      ['postgres-upgrade-12-to-14'],
    );
  const snapshots = namesOf('volumesnapshots');
  assert.ok(
    snapshots.length <= upgrades && snapshots.every((name) => name.includes('-before-upgrade-')),
    `snapshots: ${snapshots.join(', ')}`,
  );
  const mount = bench('volume-path', '--namespace', namespace, '--pvc', 'data-postgresql-0').trim();
  const nested = readdirSync(path.join(mount, 'data')).filter((name) => name.startsWith('data'));
  assert.deepEqual(nested, [], 'nested under data');
}

/** Objects of ours. */
export function namesOf(resource: string): string[] {
  const label = 'app.kubernetes.io/managed-by=circleci-server-postgresql-upgrade';
  const list = kubectlJson('-n', namespace, 'get', resource, '-l', label) as {
    items: { metadata: { name: string } }[];
  };
  return list.items.map(({ metadata }) => metadata.name);
}

/** What a run said of its end. */
export function said({ log, report }: ActionEnd): string {
  return `${report.verdict}: ${report.error?.message ?? ''}\n${log.slice(-2500)}`;
}
