// A namespace in which PostgreSQL 14 has served since an upgrade, with all that upgrades leave; its volume is in files on this machine.
import { spawnSync } from 'node:child_process';
import type { V1PersistentVolume, V1Pod } from '@kubernetes/client-node';
import { counterAnnotation } from '../../../src/journal/counter.ts';
import type { Noted } from '../../../src/journal/notes.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import { replacedAnnotation } from '../../../src/objects/copy.ts';
import { snapshotName } from '../../../src/objects/snapshot.ts';
import { upgradeJob } from '../../../src/objects/upgrade-job.ts';
import type { Cluster } from '../../../src/ports/cluster.ts';
import type { Report } from '../../../src/report/report-shape.ts';
import { run } from '../../../src/run.ts';
import { discover } from '../../../src/target/discover.ts';
import type { Target } from '../../../src/target/target.ts';
import { FakeClock } from '../fake-clock.ts';
import type { FakeCluster } from '../fake-cluster.ts';
import { FakeCrypto } from '../fake-crypto.ts';
import { fakeDatabase, serverState, type ServerState } from '../fake-database.ts';
import { FakeRunner } from '../fake-runner.ts';
import {
  claim,
  cluster as namespaceWithServer,
  inputs,
  namespace,
  newImage,
  serverContainer,
  serverPod,
  statefulSet,
} from '../objects.ts';
import { noCommands, recordOf } from '../upgrade/context.ts';
import type { Setting } from '../upgrade/context.ts';
import { sealedJournal } from '../upgrade/sealed.ts';
import { controlStorage } from '../upgrade/storage-controller.ts';
import { oldVolume, type OldVolume } from './volume.ts';

/** The API server's time in these tests is `FakeCluster.time`. */
export const hoursAgo = (hours: number) => new Date(Date.UTC(2026, 0, 2, 3, 4, 5) - hours * 3_600_000);

export const backup = 'data-postgresql-0-before-upgrade-20260101000000';
export const former = 'pv-former';

/** Of the journal's changes, as the server's volume has it. */
const counter = 9;

export interface Scene extends Disposable {
  readonly cluster: FakeCluster;
  readonly volume: OldVolume;
  readonly state: ServerState;
  readonly target: Target;
}

export function readyPod(more: Partial<NonNullable<V1Pod['status']>> = {}, startedAt = hoursAgo(30)): V1Pod {
  const status = { name: 'postgresql', image: newImage, imageID: '', ready: true, restartCount: 0 };
  const state = { running: { startedAt: startedAt.toISOString() as unknown as Date } };
  return serverPod(newImage, {
    status: {
      ...{ phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      containerStatuses: [{ ...status, state }],
      ...more,
    },
  });
}

/** The volume that the server had before a restore. */
export function formerVolume(more: Partial<V1PersistentVolume> = {}): V1PersistentVolume {
  const annotations = { [counterAnnotation]: '7', [replacedAnnotation]: 'uid-of-a-claim-that-is-gone/pv-1' };
  return {
    metadata: { name: former, uid: 'uid-of-former', annotations },
    spec: {
      persistentVolumeReclaimPolicy: 'Retain',
      capacity: { storage: '8Gi' },
      claimRef: { namespace, name: 'data-postgresql-0', uid: 'uid-of-a-claim-that-is-gone' },
      csi: { driver: 'csi.example.com', volumeHandle: 'volume-0' },
    },
    status: { phase: 'Released' },
    ...more,
  };
}

/** @param by whose upgrade it was; the vendor's leaves no journal */
export async function scene(
  by: 'ours' | 'vendor' = 'ours',
  { record = {}, noted = {} }: { record?: Partial<JournalRecord>; noted?: Readonly<Noted> } = {},
): Promise<Scene> {
  const volume = oldVolume(by);
  const container = serverContainer({
    image: newImage,
    env: [
      { name: 'PGDATA', value: volume.data },
      { name: 'POSTGRES_PASSWORD', valueFrom: { secretKeyRef: { name: 'postgresql', key: 'postgres-password' } } },
    ],
    volumeMounts: [{ name: 'data', mountPath: volume.root }],
  });
  const cluster = namespaceWithServer(statefulSet({ containers: [container] }));
  const metadata = { ...claim().metadata, uid: 'uid-of-claim', creationTimestamp: hoursAgo(100) };
  cluster.put('pods', readyPod()).put('persistentvolumeclaims', { ...claim(), metadata });
  const state = serverState({ version: '14.22', versionNumber: 140022 });
  controlStorage({ cluster } as Setting);
  controlContents(cluster);
  const server = cluster.look('persistentvolumes', 'pv-1');
  const annotations = by === 'ours' ? { [counterAnnotation]: String(counter) } : {};
  cluster.put('persistentvolumes', { ...server, metadata: { ...server?.metadata, annotations } });
  await cluster.version();
  const target = await discover(cluster, inputs());
  state.command = ([program = '', ...args]) => {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    return { exitCode: status ?? 1, stdout, stderr };
  };
  fakeDatabase(cluster, target, state);
  if (by === 'ours') {
    await putOurs(cluster, target);
    const whole = { ...recordOf(target), ...record };
    const released = { at: hoursAgo(25), wal: '0/15000A0' };
    cluster.put('configmaps', await sealedJournal(whole, { outcome: 'upgraded', released, ...noted }, counter));
  }
  cluster.calls.length = 0;
  return { cluster, volume, state, target, [Symbol.dispose]: volume[Symbol.dispose] };
}

/** The backup, the proof of it, the volume from before a restore, and the upgrade Job. */
async function putOurs(cluster: FakeCluster, target: Target): Promise<void> {
  for (const what of ['before-upgrade', 'live'])
    cluster.put('volumesnapshots', ourSnapshot(snapshotName(target, what, '20260101000000')));
  cluster.put('persistentvolumes', formerVolume());
  const job = upgradeJob(target, { ...recordOf(target).job, runId: 'run-1' }, 'upgrade', { 'upgrade.sh': 'echo' });
  cluster.put('jobs', { ...job, status: { failed: 1 } });
  // The snapshot controller.
  await cluster.version();
}

export function ourSnapshot(name: string, made = hoursAgo(50)) {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1' as const,
    kind: 'VolumeSnapshot' as const,
    metadata: { name, namespace, creationTimestamp: made.toISOString() },
    spec: { source: { persistentVolumeClaimName: 'data-postgresql-0' }, volumeSnapshotClassName: 'csi-class' },
  };
}

/** Does what the snapshot controllers do when a VolumeSnapshot is gone: its content goes, unless it is retained. Each new object gets its time. */
function controlContents(cluster: FakeCluster): void {
  cluster.hooks.push(() => {
    for (const snapshot of cluster.lookAtAll('volumesnapshots'))
      if (snapshot.metadata.creationTimestamp === undefined) {
        const metadata = { ...snapshot.metadata, creationTimestamp: cluster.time().toISOString() };
        cluster.put('volumesnapshots', { ...snapshot, metadata });
      }
    for (const { metadata, spec } of cluster.lookAtAll('volumesnapshotcontents')) {
      const isLeft = !cluster
        .lookAtAll('volumesnapshots')
        .some((one) => one.metadata.uid === spec.volumeSnapshotRef?.uid);
      if (isLeft && spec.deletionPolicy === 'Delete') cluster.remove('volumesnapshotcontents', metadata.name);
    }
  });
}

export interface Cleaned {
  readonly runner: FakeRunner;
  readonly report: Report;
  readonly verdict: string | undefined;
  readonly code: string | undefined;
}

/** Runs `mode: cleanup` as the action does, over a cluster in memory. */
export async function clean(connection: Cluster, more: Readonly<Record<string, string>> = {}): Promise<Cleaned> {
  const given = { mode: 'cleanup', namespace, confirm: namespace, ...more };
  const runner = new FakeRunner(given, { GITHUB_EVENT_NAME: 'workflow_dispatch' });
  await run({
    version: '0.1.0',
    ...{ runner, clock: new FakeClock(), signal: new AbortController().signal, crypto: new FakeCrypto() },
    connect: () => Promise.resolve(connection),
    connectGitHub: () => Promise.reject(new Error('GitHub is not asked')),
    scripts: () =>
      Promise.resolve({ job: {}, room: '', probe: '', restoreTest: { script: '', confine: '', literals: '' } }),
    runCommands: noCommands,
    readEvent: () => Promise.resolve({}),
  });
  const report = JSON.parse(Object.values(runner.files)[0] ?? '{}') as Report;
  return { runner, report, verdict: runner.outputs.verdict, code: report.error?.code };
}

/** The Leases of a run that died expire. */
export function expireLeases(cluster: FakeCluster): void {
  for (const lease of cluster.all('leases')) {
    if (lease.spec === undefined) continue;
    cluster.put('leases', { ...lease, spec: { ...lease.spec, renewTime: '2020-01-01T00:00:00.000000Z' } });
  }
}
