// What a neighbour with rights in the namespace can make a cleanup remove: nothing that is not ours.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { counterAnnotation, openAnnotation } from '../../src/journal/counter.ts';
import { journalName } from '../../src/objects/journal-name.ts';
import { JournalSeal } from '../../src/journal/seal.ts';
import { resources, type ResourceName } from '../../src/ports/cluster.ts';
import { FakeCrypto } from '../unit/fake-crypto.ts';
import type { FakeCluster } from '../unit/fake-cluster.ts';
import { configMap, job, namespace } from '../unit/objects.ts';
import {
  backup,
  clean,
  former,
  formerVolume,
  hoursAgo,
  ourSnapshot,
  scene,
  type Scene,
} from '../unit/cleanup/scene.ts';
import { signed } from '../unit/upgrade/sealed.ts';

jest.setTimeout(60_000);

const labels = { 'app.kubernetes.io/managed-by': 'circleci-server-postgresql-upgrade' };
const suffix = '20260101000000';
const long = (hours: number) => hoursAgo(hours).toISOString();

/** Objects that have our labels, and names like ours, and that are not ours. */
function putTheirs(cluster: FakeCluster): void {
  const claimed = (name: string, uid: string) => ({ namespace, name, uid });
  const storage = (volumeHandle: string) => ({ driver: 'csi.example.com', volumeHandle });
  const { metadata, spec } = formerVolume();
  cluster
    .put('volumesnapshots', {
      ...ourSnapshot(`users-data-before-upgrade-${suffix}`),
      metadata: { name: `users-data-before-upgrade-${suffix}`, namespace, labels, creationTimestamp: long(50) },
      spec: { source: { persistentVolumeClaimName: 'users-data' } },
      status: { readyToUse: true },
    })
    .put('volumesnapshots', {
      // The name of one of ours, with another source: it stands for another volume.
      ...ourSnapshot(`data-postgresql-0-live-20250101000000`),
      spec: { source: { persistentVolumeClaimName: 'users-data' } },
      status: { readyToUse: true },
    })
    .put('persistentvolumeclaims', {
      metadata: {
        name: `data-postgresql-0-before-upgrade-${suffix}`,
        namespace,
        labels,
        creationTimestamp: hoursAgo(50),
      },
      spec: { volumeName: 'pv-users' },
      status: { phase: 'Bound' },
    })
    .put('persistentvolumeclaims', {
      metadata: { name: 'data-postgresql-0-copy', namespace, labels, creationTimestamp: hoursAgo(50) },
      spec: { volumeName: 'pv-users-copy', dataSource: { kind: 'PersistentVolumeClaim', name: 'data-postgresql-0' } },
      status: { phase: 'Bound' },
    })
    .put('jobs', {
      ...job('postgres-upgrade-12-to-14-boot', 0),
      metadata: { name: 'postgres-upgrade-12-to-14-boot', namespace, labels },
    })
    .put('configmaps', { ...configMap('users-journal', {}), metadata: { name: 'users-journal', namespace, labels } })
    .put(
      'persistentvolumes',
      {
        ...formerVolume(),
        metadata: { ...metadata, name: 'pv-never-ours', uid: 'uid-1', annotations: {}, labels },
        spec: { ...spec, csi: storage('volume-1') },
      },
      {
        ...formerVolume(),
        metadata: { ...metadata, name: 'pv-of-another', uid: 'uid-2' },
        spec: { ...spec, claimRef: { ...spec?.claimRef, namespace: 'another' }, csi: storage('volume-2') },
      },
      {
        metadata: { name: 'pv-users', labels },
        spec: {
          persistentVolumeReclaimPolicy: 'Delete',
          claimRef: claimed(`data-postgresql-0-before-upgrade-${suffix}`, 'uid-3'),
        },
        status: { phase: 'Bound' },
      },
      {
        metadata: { name: 'pv-users-copy', labels },
        spec: { persistentVolumeReclaimPolicy: 'Delete', claimRef: claimed('data-postgresql-0-copy', 'uid-4') },
        status: { phase: 'Bound' },
      },
    );
  for (const [name, uid] of [
    [`data-postgresql-0-before-upgrade-${suffix}`, 'uid-3'],
    ['data-postgresql-0-copy', 'uid-4'],
  ] as const) {
    const now = cluster.look('persistentvolumeclaims', name, namespace);
    if (now !== undefined) cluster.put('persistentvolumeclaims', { ...now, metadata: { ...now.metadata, uid } });
  }
}

/** All but what is ours, each object as it is. */
function theirs(cluster: FakeCluster): Map<string, string> {
  const isTheirs =
    /users-|pv-never-ours|pv-of-another|-live-20250101000000|data-postgresql-0-(before-upgrade|copy)|-boot$/;
  const kinds: readonly ResourceName[] = (Object.keys(resources) as ResourceName[]).filter((kind) => kind !== 'leases');
  const all = kinds.flatMap((kind) =>
    (cluster.lookAtAll(kind) as { metadata?: { name?: string; labels?: Record<string, string> } }[])
      .filter(
        ({ metadata }) =>
          isTheirs.test(metadata?.name ?? '') &&
          !(kind.startsWith('volumesnapshot') && (metadata?.name ?? '').includes(backup)),
      )
      .map(({ metadata, ...object }) => {
        const labels = Object.entries(metadata?.labels ?? {}).filter(([label]) => !label.endsWith('fencing-token'));
        const name = metadata?.name ?? '';
        return [`${kind}/${name}`, JSON.stringify({ ...object, name, labels })] as const;
      }),
  );
  return new Map(all);
}

test('objects of others with our labels, and with names like ours, stay as they are', async () => {
  using set = await scene();
  putTheirs(set.cluster);
  await set.cluster.version();
  const before = theirs(set.cluster);
  expect(before.size).toBeGreaterThanOrEqual(9);
  const { verdict, report } = await clean(set.cluster);
  expect([verdict, report.error]).toEqual(['cleaned-up', undefined]);
  expect(theirs(set.cluster)).toEqual(before);
  expect(set.cluster.peek('persistentvolumes', former)).toBeUndefined();
  expect(report.cleanup?.left.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'postgres-upgrade-12-to-14-boot',
      `data-postgresql-0-before-upgrade-${suffix}`,
      'data-postgresql-0-copy',
    ]),
  );
});

describe('a journal that a neighbour wrote', () => {
  const forgeries: readonly [string, string, (set: Scene) => Promise<void> | void][] = [
    [
      'with another seal',
      'journal',
      async ({ cluster }) => {
        const now = cluster.look('configmaps', journalName, namespace);
        const seal = new JournalSeal(new FakeCrypto(), 'a guess');
        cluster.put('configmaps', await signed(now?.data ?? {}, seal));
      },
    ],
    [
      'over the time of the restart',
      'journal',
      ({ cluster }) => {
        const now = cluster.look('configmaps', journalName, namespace);
        const released = JSON.stringify({ at: long(1000), wal: '0/15000A0' });
        cluster.put('configmaps', { ...now, data: { ...now?.data, released } });
      },
    ],
    [
      'that is an older one',
      'journal',
      ({ cluster }) => {
        const now = cluster.look('persistentvolumes', 'pv-1');
        cluster.put('persistentvolumes', {
          ...now,
          metadata: { ...now?.metadata, annotations: { [counterAnnotation]: '99' } },
        });
      },
    ],
    [
      'or deleted in the middle of an upgrade',
      'journal',
      ({ cluster }) => {
        cluster.remove('configmaps', journalName, namespace);
        const now = cluster.look('persistentvolumes', 'pv-1');
        cluster.put('persistentvolumes', {
          ...now,
          metadata: { ...now?.metadata, annotations: { [openAnnotation]: 'true' } },
        });
      },
    ],
  ];

  test.each(forgeries)('%s keeps everything', async (_what, gate, forge) => {
    using set = await scene();
    await forge(set);
    set.cluster.calls.length = 0;
    const { code, report } = await clean(set.cluster);
    expect(code).toBe('cleanup-blocked');
    expect(report.cleanup?.gates.find(({ id }) => id === gate)?.status).toBe('unknown');
    expect(set.cluster.writes.filter((write) => !write.includes('selfsubject'))).toEqual([]);
    expect(existsSync(set.volume.kept)).toBe(true);
  });
});

describe('a neighbour who writes into the pod’s status or the volume', () => {
  test('can make a cleanup wait, and not begin', async () => {
    using set = await scene();
    const pod = set.cluster.look('pods', 'postgresql-0', namespace);
    const [status] = pod?.status?.containerStatuses ?? [];
    const lastState = { terminated: { exitCode: 1, finishedAt: hoursAgo(0) } };
    if (status !== undefined)
      set.cluster.put('pods', {
        ...pod,
        status: { ...pod?.status, containerStatuses: [{ ...status, restartCount: 1, lastState }] },
      });
    const { code } = await clean(set.cluster);
    expect(code).toBe('cleanup-blocked');
    expect(existsSync(set.volume.kept)).toBe(true);
  });

  test('can not have it remove what it has not found, whatever the mark in the data directory says', async () => {
    using set = await scene();
    const mark = path.join(set.volume.data, '.postgresql-upgrade');
    const theirs = path.join(set.volume.root, 'theirs');
    mkdirSync(theirs);
    const { dev, ino } = statSync(theirs);
    const row = `directory\told\t${theirs}\t${String(dev)}:${String(ino)}\t0\t0\t`;
    writeFileSync(mark, `${readFileSync(mark, 'utf8')}run=${row}\n`);
    const { verdict, report } = await clean(set.cluster);
    expect([verdict, report.error]).toEqual(['cleaned-up', undefined]);
    expect(report.cleanup?.items.map(({ name }) => name)).not.toContain(theirs);
    expect(existsSync(theirs)).toBe(true);
  });
});
