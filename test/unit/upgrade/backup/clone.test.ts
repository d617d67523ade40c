import { describe, expect, test } from '@jest/globals';
import type { V1Job, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { copyClaim } from '../../../../src/objects/copy.ts';
import { bootJobName } from '../../../../src/objects/upgrade-job.ts';
import { isWholeBackup } from '../../../../src/cleanup/ours.ts';
import { findBackup } from '../../../../src/upgrade/backup/our-backup.ts';
import { takeBackup } from '../../../../src/upgrade/backup/take.ts';
import { namespace } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp, type Setting } from '../context.ts';
import { collectPods, controlJobs } from '../job-controller.ts';
import { controlStorage } from '../storage-controller.ts';

const name = 'data-postgresql-0-before-upgrade-20260102030405';
const earlier = 'data-postgresql-0-before-upgrade-20260102030000';

async function prepared(change: (claim: V1PersistentVolumeClaim) => V1PersistentVolumeClaim): Promise<Setting> {
  const setting = await setUp(undefined, { backup: 'clone' }, { backup: { kind: 'clone' } });
  controlStorage(setting);
  controlJobs(setting, {});
  collectPods(setting);
  const { cluster, context } = setting;
  await context.journal.note('backup', earlier);
  const source = { kind: 'PersistentVolumeClaim', name: context.target.volume.claimName } as const;
  cluster.put('persistentvolumeclaims', change(copyClaim(context.target, earlier, source)));
  cluster.calls.length = 0;
  return setting;
}

describe('a clone', () => {
  test('that an earlier run made is not made again', async () => {
    const { cluster, context } = await prepared((claim) => claim);
    await takeBackup.run(context);
    expect(cluster.writes).not.toContain(`create persistentvolumeclaims/${name}`);
    expect(context.results.backup).toEqual({ kind: 'clone', name: earlier });
  });

  test.each<[string, (claim: V1PersistentVolumeClaim) => V1PersistentVolumeClaim]>([
    [
      'was filled from a snapshot',
      ({ spec, ...claim }) => ({
        ...claim,
        spec: { ...spec, dataSource: { kind: 'VolumeSnapshot', name: 'data-postgresql-0-live-20260102030000' } },
      }),
    ],
    [
      'has another source',
      ({ spec, ...claim }) => ({
        ...claim,
        spec: { ...spec, dataSource: { kind: 'PersistentVolumeClaim', name: 'theirs' } },
      }),
    ],
    [
      'is being deleted',
      ({ metadata, ...claim }) => ({ ...claim, metadata: { ...metadata, deletionTimestamp: new Date(0) } }),
    ],
  ])('is made anew where the noted claim %s', async (_what, change) => {
    const { cluster, context } = await prepared(change);
    await takeBackup.run(context);
    expect(cluster.writes).toContain(`create persistentvolumeclaims/${name}`);
    expect(context.journal.noted.backup).toBe(name);
    expect(context.results.backup).toEqual({ kind: 'clone', name });
    const jobs = cluster.calls.filter(({ method, resource }) => method === 'create' && resource === 'jobs');
    expect(JSON.stringify(jobs.map(({ body }) => body))).not.toContain(earlier);
  });

  test('that is made anew is not proved by the Job of the earlier one', async () => {
    const { cluster, context } = await prepared((claim) => claim);
    await takeBackup.run(context);
    const found = cluster.peek('persistentvolumeclaims', earlier, namespace);
    cluster.put('persistentvolumeclaims', {
      ...found,
      metadata: { ...found?.metadata, deletionTimestamp: new Date(0) },
    });
    const [job] = cluster.calls.filter(({ method, resource }) => method === 'create' && resource === 'jobs');
    if (cluster.peek('jobs', bootJobName, namespace) === undefined) cluster.put('jobs', job?.body as V1Job);
    cluster.calls.length = 0;
    await takeBackup.run(context);
    expect(cluster.writes.filter((write) => /jobs|claims/.test(write)).slice(0, 3)).toEqual([
      `delete jobs/${bootJobName}`,
      `create persistentvolumeclaims/${name}`,
      `create jobs/${bootJobName}`,
    ]);
  });
});

test('a free volume that Kubernetes gives the clone is no backup, and is kept', async () => {
  const setting = await setUp(undefined, { backup: 'clone' }, { backup: { kind: 'clone' } });
  const { cluster, context, clock } = setting;
  const made = clock.now();
  const spec = { persistentVolumeReclaimPolicy: 'Delete', claimRef: { name, namespace } };
  cluster.put('persistentvolumes', { metadata: { name: 'theirs', creationTimestamp: new Date('2020-01-01') }, spec });
  cluster.hooks.push(() => {
    const claim = cluster.look('persistentvolumeclaims', name, namespace);
    if (claim === undefined || claim.metadata?.creationTimestamp !== undefined) return;
    cluster.put('persistentvolumeclaims', { ...claim, metadata: { ...claim.metadata, creationTimestamp: made } });
  });
  controlStorage(setting);
  controlJobs(setting, {});
  collectPods(setting);
  const error = await thrownBy(() => takeBackup.run(context));
  expect(error.code).toBe('volume-given');
  expect(cluster.peek('persistentvolumes', 'theirs')?.spec?.persistentVolumeReclaimPolicy).toBe('Retain');
  expect(cluster.peek('jobs', bootJobName, namespace)).toBeUndefined();
  expect(await findBackup(context.cluster, context.target, name)).toBe('foreign');
  const [claim, volume] = [
    cluster.peek('persistentvolumeclaims', name, namespace),
    cluster.peek('persistentvolumes', 'theirs'),
  ];
  expect(claim && isWholeBackup(context.target, claim, volume)).toBe(false);
});
