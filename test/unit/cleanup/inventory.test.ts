import type { V1PersistentVolumeSpec } from '@kubernetes/client-node';
import { describe, expect, test } from '@jest/globals';
import type { CleanupFacts } from '../../../src/cleanup/facts.ts';
import { inventoryOf } from '../../../src/cleanup/inventory.ts';
import { anchorJob } from '../../../src/objects/anchor.ts';
import { counterAnnotation } from '../../../src/journal/counter.ts';
import { copyAnnotation, replacedAnnotation } from '../../../src/objects/copy.ts';
import { upgradeJob } from '../../../src/objects/upgrade-job.ts';
import { inputs, job, namespace, target as targetOf } from '../objects.ts';
import { recordOf } from '../upgrade/context.ts';
import { cleanupFacts, history, known, noFiles } from './facts.ts';
import { backup, formerVolume, former, hoursAgo, ourSnapshot } from './scene.ts';

async function found(more: Partial<CleanupFacts>) {
  const { items, left } = inventoryOf(await cleanupFacts({ history: known(undefined), ...more }));
  return [items.map(({ kind, name }) => `${kind} ${name}`), left.map(({ kind, name }) => `${kind} ${name}`)];
}

/** The server, whose claim was made then; nobody knows when without an argument. */
async function withClaim(more: { creationTimestamp?: Date } = {}): Promise<Pick<CleanupFacts, 'target'>> {
  const { target } = await cleanupFacts();
  const { volume } = target;
  const metadata = { name: volume.claimName, namespace, uid: 'uid-of-claim', ...more };
  return { target: { ...target, volume: { ...volume, claim: { ...volume.claim, metadata } } } };
}

const label = { 'app.kubernetes.io/managed-by': 'circleci-server-postgresql-upgrade' };

test('what PostgreSQL 12 has in a tablespace whose path has a line end stays, and is named in one line', async () => {
  const files = known({ ...noFiles, odd: ['/data/theirs\nspace/PG_12_201909212'] });
  expect(await found({ files })).toEqual([[], [String.raw`Directory "/data/theirs\nspace/PG_12_201909212"`]]);
});

describe('a Job', () => {
  test('of this action that has ended goes; one at work, and one of others, stay', async () => {
    const target = await targetOf();
    const settings = { ...recordOf(target).job, runId: 'run-1' };
    const ended = (command: 'upgrade' | 'boot') => ({
      ...upgradeJob(target, settings, command, { 'upgrade.sh': '' }),
      status: { failed: 1 },
    });
    const anchor = anchorJob(target, 'node-1', {
      images: ['a', 'b'],
      imagePullSecret: '',
      runId: 'run-1',
      lifetime: 60,
    });
    expect(await found({ jobs: known([ended('upgrade'), ended('boot'), anchor]) })).toEqual([
      ['Job postgres-upgrade-12-to-14', 'Job postgres-upgrade-12-to-14-boot', 'Job postgres-upgrade-anchor'],
      [],
    ]);
    expect(await found({ jobs: known([{ ...ended('upgrade'), status: { active: 1 } }]) })).toEqual([[], []]);
    const theirs = {
      ...job('postgres-upgrade-12-to-14', 0),
      metadata: { name: 'postgres-upgrade-12-to-14', namespace, labels: label },
    };
    expect(await found({ jobs: known([theirs, job('users-job', 0)]) })).toEqual([
      [],
      ['Job postgres-upgrade-12-to-14'],
    ]);
  });
});

describe('a VolumeSnapshot', () => {
  const content = (uid: string, name = backup) => ({
    metadata: { name: 'content' },
    spec: { deletionPolicy: 'Retain', volumeSnapshotRef: { name, namespace, uid } },
  });
  const snapshot = { ...ourSnapshot(backup), metadata: { ...ourSnapshot(backup).metadata, uid: 'uid-1' } };

  test('with what PostgreSQL 14 had written before a rollback stays, and is named', async () => {
    const name = backup.replace('before-upgrade', 'of-14');
    expect(await found({ snapshots: known([ourSnapshot(name)]) })).toEqual([[], [`VolumeSnapshot ${name}`]]);
  });

  test.each(['before-upgrade', 'live'])('that an upgrade took (%s) goes', async (kind) => {
    const name = backup.replace('before-upgrade', kind);
    expect(await found({ snapshots: known([ourSnapshot(name)]) })).toEqual([[`VolumeSnapshot ${name}`], []]);
  });

  test('of another claim, or of another name, is not ours, whatever its labels', async () => {
    const others = [
      { ...snapshot, spec: { source: { persistentVolumeClaimName: 'users-data' } } },
      { ...snapshot, metadata: { ...snapshot.metadata, name: 'nightly', labels: label } },
      { ...snapshot, metadata: { ...snapshot.metadata, name: 'data-postgresql-0-before-upgrade-mine', labels: label } },
    ];
    expect(await found({ snapshots: known(others) })).toEqual([[], []]);
  });

  test('whose content belongs to another one stays', async () => {
    expect(
      await found({ snapshots: known([snapshot]), contents: known(new Map([[backup, content('uid-1')]])) }),
    ).toEqual([[`VolumeSnapshot ${backup}`], []]);
    for (const foreign of [content('uid-2'), content('uid-1', 'another')])
      expect(await found({ snapshots: known([snapshot]), contents: known(new Map([[backup, foreign]])) })).toEqual([
        [],
        [`VolumeSnapshot ${backup}`],
      ]);
  });

  test('stays where nothing shows that PostgreSQL 14 was made from what it holds', async () => {
    const files = known({ ...noFiles, run: '' });
    expect(await found({ files, snapshots: known([snapshot]) })).toEqual([[], [`VolumeSnapshot ${backup}`]]);
  });

  test('of an earlier claim of the same name stays, whatever an upgrade has made since', async () => {
    const all = { history: known(history), snapshots: known([snapshot]) };
    for (const claimed of [{ creationTimestamp: hoursAgo(49) }, {}])
      expect((await found({ ...all, ...(await withClaim(claimed)) }))[1]).toEqual([`VolumeSnapshot ${backup}`]);
    expect((await found({ ...all, ...(await withClaim({ creationTimestamp: hoursAgo(50) })) }))[1]).toEqual([]);
  });

  test('that was taken since PostgreSQL 14 serves, and the backup of PostgreSQL 14, stay', async () => {
    const young = ourSnapshot(backup, hoursAgo(1));
    const taken = ourSnapshot(backup.replace('before-upgrade', 'after-upgrade'));
    expect(await found({ history: known(history), snapshots: known([young, taken]) })).toEqual([
      ['ConfigMap postgresql-upgrade-12-to-14-journal'],
      [`VolumeSnapshot ${young.metadata.name}`, `VolumeSnapshot ${taken.metadata.name}`],
    ]);
  });
});

describe('a PersistentVolumeClaim', () => {
  const claim = (dataSource?: { kind: string; name: string }, name = backup) => ({
    metadata: { name, namespace, uid: 'uid-of-backup', creationTimestamp: hoursAgo(50), labels: label },
    spec: { volumeName: 'pv-backup', ...(dataSource === undefined ? {} : { dataSource }) },
    status: { phase: 'Bound' },
  });
  const csi = { driver: 'csi.example.com', volumeHandle: 'volume-of-backup' };
  const volume = (uid: string, copyOf?: string, source: object = { csi }) => ({
    metadata: { name: 'pv-backup', ...(copyOf === undefined ? {} : { annotations: { [copyAnnotation]: copyOf } }) },
    spec: { capacity: { storage: '8Gi' }, claimRef: { name: backup, namespace, uid }, ...source },
  });

  test('that is a clone of the server’s claim goes, with the size of its volume', async () => {
    const facts = await cleanupFacts({
      claims: known([claim({ kind: 'PersistentVolumeClaim', name: 'data-postgresql-0' })]),
      volumes: known([volume('uid-of-backup')]),
    });
    expect(inventoryOf(facts).items[0]).toMatchObject({
      kind: 'PersistentVolumeClaim',
      name: backup,
      bytes: 8 * 2 ** 30,
    });
  });

  test('stays where nothing shows that PostgreSQL 14 was made from what it holds, and where its storage may be the server’s', async () => {
    const claims = known([claim({ kind: 'PersistentVolumeClaim', name: 'data-postgresql-0' })]);
    const kept = [[], [`PersistentVolumeClaim ${backup}`]];
    const files = known({ ...noFiles, run: '' });
    expect(await found({ files, claims, volumes: known([volume('uid-of-backup')]) })).toEqual(kept);
    expect(await found({ claims, volumes: known([]) })).toEqual(kept);
    const nodeAffinity = { required: { nodeSelectorTerms: [] } };
    const pairs: readonly (readonly [V1PersistentVolumeSpec, V1PersistentVolumeSpec?])[] = [
      [{ csi }],
      [{ nfs: { server: 'files.example.com', path: '/1' } }],
      [{ nfs: { server: 'files.example.com', path: '/1' } }, { nfs: { server: 'files.example.com', path: '/1/' } }],
      [{ hostPath: { path: '/1' } }],
      [{ hostPath: { path: '/1' }, nodeAffinity }, { hostPath: { path: '/1/' } }],
      [{ local: { path: '/1' } }],
      [{ local: { path: '/1' }, nodeAffinity }, { hostPath: { path: '/1' } }],
    ];
    for (const [storage, theirs = storage] of pairs) {
      const ofBackup = volume('uid-of-backup', undefined, storage);
      const another = { metadata: { name: 'pv-static' }, spec: theirs };
      expect(await found({ claims, volumes: known([ofBackup, another]) })).toEqual(kept);
      expect(await found({ claims, volumes: known([ofBackup]) })).toEqual([[`PersistentVolumeClaim ${backup}`], []]);
    }
  });

  test('stays where nobody can tell whether its storage is that of another volume too', async () => {
    const claims = known([claim({ kind: 'PersistentVolumeClaim', name: 'data-postgresql-0' })]);
    for (const source of [{}, { awsElasticBlockStore: { volumeID: 'vol-1' } }])
      expect(await found({ claims, volumes: known([volume('uid-of-backup', undefined, source)]) })).toEqual([
        [],
        [`PersistentVolumeClaim ${backup}`],
      ]);
  });

  test('of an earlier claim of the same name stays, whatever an upgrade has made since', async () => {
    const claims = known([claim({ kind: 'PersistentVolumeClaim', name: 'data-postgresql-0' })]);
    const volumes = known([volume('uid-of-backup')]);
    for (const claimed of [{ creationTimestamp: hoursAgo(49) }, {}])
      expect(await found({ claims, volumes, ...(await withClaim(claimed)) })).toEqual([
        [],
        [`PersistentVolumeClaim ${backup}`],
      ]);
  });

  test('that is a complete copy goes; an incomplete one, and one of others, stay', async () => {
    const ours = `${namespace}/data-postgresql-0`;
    const all = (of: Parameters<typeof volume>, ...given: Parameters<typeof claim>) =>
      found({ claims: known([claim(...given)]), volumes: known([volume(...of)]) });
    expect(await all(['uid-of-backup', ours])).toEqual([[`PersistentVolumeClaim ${backup}`], []]);
    expect(await all(['uid-of-backup'])).toEqual([[], [`PersistentVolumeClaim ${backup}`]]);
    expect(await all(['another', ours])).toEqual([[], [`PersistentVolumeClaim ${backup}`]]);
    expect(await all(['uid-of-backup'], { kind: 'PersistentVolumeClaim', name: 'users-data' })).toEqual([
      [],
      [`PersistentVolumeClaim ${backup}`],
    ]);
    expect(
      await all(['uid-of-backup'], { kind: 'PersistentVolumeClaim', name: 'data-postgresql-0' }, 'users-clone'),
    ).toEqual([[], []]);
  });
});

describe('a PersistentVolume', () => {
  test('that the server had before a restore goes', async () => {
    expect(await found({ volumes: known([formerVolume()]) })).toEqual([[`PersistentVolume ${former}`], []]);
  });

  const { metadata, spec } = formerVolume();
  const noted = (more: object) => ({ ...metadata, annotations: { ...metadata?.annotations, ...more } });
  const counted = (count: string) => noted({ [counterAnnotation]: count });
  const replaced = (by: string) => noted({ [replacedAnnotation]: by });
  test.each([
    ['is bound', { status: { phase: 'Bound' } }],
    ['is free', { status: { phase: 'Available' } }],
    ['was of another claim', { spec: { ...spec, claimRef: { ...spec?.claimRef, name: 'users-data' } } }],
    ['was of another namespace', { spec: { ...spec, claimRef: { ...spec?.claimRef, namespace: 'another' } } }],
    ['is promised to the claim', { spec: { ...spec, claimRef: { name: 'data-postgresql-0', namespace } } }],
    ['is the server’s', { metadata: { ...metadata, name: 'pv-1' } }],
  ])('that %s is none of ours', async (_what, more) => {
    expect(await found({ volumes: known([formerVolume(more)]) })).toEqual([[], []]);
  });

  test.each([
    ['a person kept, of which no journal was counted', { metadata: { name: former, labels: label } }],
    ['a person replaced', { metadata: { ...metadata, annotations: { [counterAnnotation]: '7' } } }],
    ['a restore replaced by another one', { metadata: replaced('uid-of-a-claim-that-is-gone/pv-2') }],
    ['a person gave back to the server after a restore', { metadata: replaced('uid-of-another-claim/pv-1') }],
    ['counts more than the server’s own', { metadata: counted('10') }],
    ['counts as much as the server’s own: somebody may have taken the former one back', { metadata: counted('9') }],
    ['names no storage of a CSI driver', { spec: { capacity: spec?.capacity, claimRef: spec?.claimRef } }],
  ])('that %s is left, and named', async (_what, more) => {
    expect(await found({ volumes: known([formerVolume(more as never)]) })).toEqual([
      [],
      [`PersistentVolume ${former}`],
    ]);
  });

  test('that stands for the same storage as another one is left, and named', async () => {
    const same = { metadata: { name: 'pv-static' }, spec: { csi: spec?.csi } };
    expect(await found({ volumes: known([formerVolume(), same as never]) })).toEqual([
      [],
      [`PersistentVolume ${former}`],
    ]);
  });

  test('stays where nothing shows that PostgreSQL 14 was made from what it holds', async () => {
    const files = known({ ...noFiles, run: '' });
    expect(await found({ files, volumes: known([formerVolume()]) })).toEqual([[], [`PersistentVolume ${former}`]]);
  });

  test('counts for none while the server’s own has no counter', async () => {
    const { target } = await cleanupFacts();
    const persistentVolume = { ...target.volume.persistentVolume, metadata: { name: 'pv-1' } };
    const without = { ...target, volume: { ...target.volume, persistentVolume } };
    expect(await found({ target: without, volumes: known([formerVolume()]) })).toEqual([
      [],
      [`PersistentVolume ${former}`],
    ]);
  });
});

test('the journal of an open upgrade stays, and that of another server', async () => {
  const files = known({ ...noFiles, run: '' });
  const journalItem = 'ConfigMap postgresql-upgrade-12-to-14-journal';
  expect(await found({ files, history: known({ ...history, outcome: 'reverted' }) })).toEqual([[], [journalItem]]);
  expect(await found({ history: known({ ...history, outcome: undefined }) })).toEqual([[], []]);
  expect((await found({ history: known(history) }))[0]).toEqual(['ConfigMap postgresql-upgrade-12-to-14-journal']);
  expect(inputs().healthyFor).toBe(24 * 3_600_000);
});
