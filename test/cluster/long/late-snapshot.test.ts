/** @jest-environment ./test/cluster/bench-environment.ts */
// Storage that copies a snapshot for some time after it has cut it, and storage that cuts later than it says: one server, that keeps PostgreSQL 12 until
// the last upgrade.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction, saysInLog, startAction, type ActionEnd, type RunningAction } from '../action.ts';
import { apply, kubectl, kubectlJson, namespace, psql, reset } from '../bench.ts';
import { expectNoLoss } from '../no-loss.ts';
import { replicas } from '../server.ts';

jest.setTimeout(15 * 60_000);

const late = `${namespace}-late`;
const lying = `${namespace}-lying`;
const upgrade = { namespace, mode: 'upgrade', confirm: namespace, probes: 'none' };

const snapshotClass = (name: string, parameters: Record<string, string>) => ({
  ...{ apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshotClass', metadata: { name } },
  ...{ driver: 'disk.csi.bench', deletionPolicy: 'Delete', parameters },
});

let before: ReturnType<typeof replicas>;

beforeAll(() => {
  reset();
  before = replicas(namespace);
  apply(snapshotClass(late, {}), snapshotClass(lying, { cutAfter: '5s' }));
});

afterAll(() => {
  kubectl('delete', 'volumesnapshotclass', late, lying, '--ignore-not-found');
});

/** A run whose backup takes longer than pg_upgrade on any machine; the snapshot of the proof is ready at once. */
async function startSlow(readyAfter: string, attempt: string): Promise<RunningAction> {
  kubectl('delete', 'volumesnapshotclass', late);
  apply(snapshotClass(late, {}));
  const action = startAction({ ...upgrade, 'volume-snapshot-class': late }, { GITHUB_RUN_ATTEMPT: attempt });
  await saysInLog(action, '::group::Stop the applications');
  kubectl('delete', 'volumesnapshotclass', late);
  apply(snapshotClass(late, { readyAfter }));
  return action;
}

function expectTwelve(): void {
  expect(psql(namespace, 'postgres', 'SHOW server_version')).toBe('12.22');
  expect(replicas(namespace)).toEqual(before);
  expectNoLoss(namespace);
}

function phase(end: ActionEnd, id: string) {
  const found = end.report.phases.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no phase ${id}`);
  return { ...found, begins: Date.parse(found.startedAt), ends: Date.parse(found.startedAt) + found.seconds * 1000 };
}

describe('an upgrade on storage that cuts snapshots later than it says', () => {
  let end: ActionEnd;

  beforeAll(async () => {
    // Whose Job is refused: what is looked at comes before.
    end = await runAction({ ...upgrade, 'volume-snapshot-class': lying, transfer: 'clone', 'snapshot-gate': 'cut' });
  });

  test('finds that by the WAL of the copy, and waits until the backup is ready before pg_upgrade', () => {
    expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
    expect(end.report.warnings).toContainEqual(
      expect.stringContaining('The storage cuts snapshots later than it says'),
    );
    expect(phase(end, 'backup').seconds).toBeGreaterThanOrEqual(4.5);
    expect(Date.parse(end.report.backupTimes?.readyAt ?? '')).not.toBeNaN();
  });

  test('PostgreSQL 12 serves as before, with every change', expectTwelve);
});

describe('an upgrade whose backup somebody deletes while the storage still copies it', () => {
  let end: ActionEnd;

  beforeAll(async () => {
    const action = await startSlow('1h', '2');
    await saysInLog(action, '::group::Wait until the backup is ready');
    const names = kubectl('-n', namespace, 'get', 'volumesnapshots', '-o', 'name').trim().split('\n');
    const backups = names.filter((name) => name.includes('-before-upgrade-')).sort();
    kubectl('-n', namespace, 'delete', backups.at(-1) ?? '', '--wait=false');
    end = await action.end;
  });

  test('ends as reverted, with the reason, and PostgreSQL 14 was never started', () => {
    expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
    expect(end.report.error?.message).toContain('Somebody else deleted VolumeSnapshot');
    expect(end.report.phases.map(({ id }) => id)).toContain('upgrade-job');
    expect(end.report.phases.map(({ id }) => id)).not.toContain('activate');
  });

  test('PostgreSQL 12 serves as before, with every change', expectTwelve);
});

describe('an upgrade whose backup is ready 90 s after it is cut', () => {
  let end: ActionEnd;

  beforeAll(async () => {
    const action = await startSlow('90s', '3');
    end = await action.end;
  });

  test('runs pg_upgrade meanwhile, and starts PostgreSQL 14 when the backup is ready', () => {
    expect(end.report.error).toBeUndefined();
    expect([end.exitCode, end.outputs['verdict'], end.report.transfer]).toEqual([0, 'upgraded', 'link']);
    expect(end.log).toContain('The storage cuts snapshots in time');
    const readyAt = Date.parse(end.report.backupTimes?.readyAt ?? '');
    const cutAt = Date.parse(end.report.backupTimes?.cutAt ?? '');
    // The API server tells whole seconds.
    expect(readyAt - cutAt).toBeGreaterThanOrEqual(89_000);
    // Nobody waits for the pauses of the snapshot controller.
    expect(readyAt - cutAt).toBeLessThan(105_000);
    expect(phase(end, 'upgrade-job').begins).toBeLessThan(readyAt);
    expect(phase(end, 'activate').begins).toBeGreaterThanOrEqual(readyAt);
    expect(phase(end, 'upgrade-job').ends).toBeLessThan(readyAt);
    expect(end.summary).toContain(`(cut at \`${end.report.backupTimes?.cutAt ?? ''}\`, ready at`);
  });

  test('loses and doubles no acknowledged change, and brings every workload back', () => {
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
    expectNoLoss(namespace);
    expect(replicas(namespace)).toEqual(before);
  });

  test('keeps the backup, and leaves no trace on its content', () => {
    const snapshot = end.outputs['snapshot'] ?? '';
    const { status } = kubectlJson('-n', namespace, 'get', 'volumesnapshot', snapshot) as {
      status: { readyToUse: boolean; boundVolumeSnapshotContentName: string };
    };
    expect(status.readyToUse).toBe(true);
    const of = ['get', 'volumesnapshotcontent', status.boundVolumeSnapshotContentName, '--show-managed-fields'];
    const content = kubectlJson(...of) as { metadata: object; spec: { deletionPolicy: string } };
    expect(content.spec.deletionPolicy).toBe('Retain');
    expect(JSON.stringify(content.metadata)).not.toContain('circleci-server-postgresql-upgrade');
  });
});
