// Journals that are correctly signed and well formed, and name what is not ours: of an enemy who knows the password, or of a fault of our own.
import { describe, expect, test } from '@jest/globals';
import { ownerLabel } from '../../../src/objects/pod.ts';
import { swapVolume } from '../../../src/upgrade/backup/volume-swap.ts';
import { removeCopy } from '../../../src/upgrade/backup/copy.ts';
import { removeSnapshot } from '../../../src/upgrade/backup/snapshot.ts';
import { Journal } from '../../../src/journal/journal.ts';
import type { Noted } from '../../../src/journal/notes.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import { expectCompleted } from '../../../src/upgrade/contract/ending.ts';
import { resumeUpgrade } from '../../../src/upgrade/resume.ts';
import { withServersImage } from '../../../src/inputs/inputs.ts';
import { claim, deployment, inputs, namespace, oldImage } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { recordOf, setUp } from './context.ts';
import { anotherRun, live } from './live.ts';
import { seal, sealedJournal } from './sealed.ts';

type Live = Awaited<ReturnType<typeof live>>;

const evil = 'evil.example/server:12.1';
const strange = { metadata: { name: 'pv-of-others' }, spec: { claimRef: { namespace: 'other', name: 'data' } } };

/** A cluster with such a journal, and what a run makes of it. */
async function resumed(record: Partial<JournalRecord>, noted: Readonly<Noted> = {}, prepare?: (world: Live) => void) {
  const setting = await live();
  const { cluster, context } = setting;
  prepare?.(setting);
  const whole = { ...recordOf(context.target), ...record };
  cluster.put('configmaps', await sealedJournal(whole, noted, 100));
  cluster.calls.length = 0;
  const error = await thrownBy(async () => {
    const journal = await Journal.find(cluster, namespace, seal, 'pv-1');
    if (journal === undefined) throw new Error('no journal');
    expectCompleted(await resumeUpgrade(anotherRun(setting, cluster, context.target), journal));
  });
  return { ...setting, error };
}

const { job, serving } = recordOf((await live()).context.target);
const back = { step: 'activate', back: 'Because.' } as const;
const other = {
  resource: 'deployments',
  name: 'vault',
  replicas: 0,
  podSelector: { matchLabels: { app: 'vault' } },
} as const;

describe('nothing is written for a journal with', () => {
  test.each<[string, Partial<JournalRecord>, Noted, string]>([
    ['an image for PostgreSQL 12 that nothing else names', { image: evil }, back, 'image-unconfirmed'],
    [
      'an image for PostgreSQL 14 that nothing else names',
      { serving: { ...serving, reference: evil } },
      {},
      'image-unconfirmed',
    ],
    ['another image for the Job', { job: { ...job, image: evil } }, {}, 'image-unconfirmed'],
    ['another image for the Job, on the way back', { job: { ...job, image: evil } }, back, 'image-unconfirmed'],
    ['a volume of another namespace', { volume: 'pv-of-others' }, back, 'volume-foreign'],
    ['an application that is none', { applications: [other] }, {}, 'journal-foreign'],
    ['another StatefulSet of the same name', { uids: { statefulSet: 'another', claim: 'x' } }, {}, 'journal-foreign'],
    ['another claim', { claim: 'data-of-others' }, {}, 'journal-foreign'],
  ])('%s', async (_what, record, noted, code) => {
    const { cluster, error } = await resumed(record, noted, (world) => {
      world.cluster
        .put('persistentvolumes', strange)
        .put('deployments', deployment('vault', 1, { metadata: { name: 'vault', namespace } }));
    });
    expect(error.code).toBe(code);
    expect(error.remedy.text).toMatch(/\S/);
    expect(cluster.writes).toEqual([]);
    expect(cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.template.spec?.containers[0]?.image).toBe(
      oldImage,
    );
  });
});

test('the image of the Job, by the digest that the probe saw, is the one of the inputs', async () => {
  const { error } = await resumed({ job: { ...job, image: `${job.image}@sha256:${'a'.repeat(64)}` } }, back);
  expect(error.code).not.toBe('image-unconfirmed');
});

test('the image of the Job is known by that of PostgreSQL 12, wherever the image of PostgreSQL 14 comes from', async () => {
  const setting = await live();
  const { cluster, context } = setting;
  cluster.put('configmaps', await sealedJournal(recordOf(context.target), back, 100));
  const journal = await Journal.find(cluster, namespace, seal, 'pv-1');
  if (journal === undefined) throw new Error('no journal');
  const run = anotherRun(setting, cluster, context.target);
  const fromMirror = withServersImage(run.inputs, 'registry.example.com/circleci/server-postgres:14.22');
  expect(fromMirror.upgradeImage).not.toBe(run.inputs.upgradeImage);
  expect((await resumeUpgrade({ ...run, inputs: fromMirror }, journal)).end).not.toBe('completed');
});

test('an image of PostgreSQL 12 that the history has forgotten is used once somebody has named it', async () => {
  const setting = await live();
  const { cluster, context } = setting;
  cluster.put('configmaps', await sealedJournal({ ...recordOf(context.target), image: evil }, back, 100));
  const journal = await Journal.find(cluster, namespace, seal, 'pv-1');
  if (journal === undefined) throw new Error('no journal');
  const run = anotherRun(setting, cluster, context.target);
  const refused = await thrownBy(() => resumeUpgrade(run, journal));
  const [, confirm = ''] = /"confirm: ([^"]*)"/.exec(refused.remedy.text) ?? [];
  const agreed = { ...run, inputs: inputs({ mode: 'upgrade', confirm }) };
  expect((await resumeUpgrade(agreed, journal)).end).not.toBe('completed');
});

describe('an exchange', () => {
  const renewed = (volumeName: string) => ({
    metadata: { name: 'data-postgresql-0', namespace, labels: {}, annotations: {} },
    spec: { volumeName },
  });

  test.each([
    ['that is bound in another namespace', strange.spec],
    [
      'that an earlier claim of the same name has left',
      { claimRef: { namespace, name: 'data-postgresql-0', uid: 'gone' } },
    ],
    ['of another claim in the namespace', { claimRef: { namespace, name: 'data-vault-0' } }],
    ['that is free, and none of ours', {}],
  ])('with a volume %s changes neither that nor the claim', async (_what, spec) => {
    const { cluster, context } = await live();
    cluster.put('persistentvolumes', { metadata: { name: 'pv-x' }, spec });
    const before = cluster.peek('persistentvolumes', 'pv-x');
    cluster.calls.length = 0;
    const error = await thrownBy(() => swapVolume(context, { claim: renewed('pv-x'), volume: 'pv-x', former: 'pv-1' }));
    expect(error.code).toBe('volume-foreign');
    expect(cluster.peek('persistentvolumes', 'pv-x')).toEqual(before);
    expect(cluster.writes).toEqual([]);
  });
});

describe('a VolumeSnapshot', () => {
  test.each([
    ['of the user, labelled as ours', 'nightly', 'data-postgresql-0', ownerLabel],
    ['that is the backup', 'data-postgresql-0-before-upgrade-20260102030405', 'data-postgresql-0', ownerLabel],
    ['of another claim', 'data-postgresql-0-live-20260102030405', 'data-vault-0', ownerLabel],
  ])('%s is neither deleted nor given another policy', async (_what, name, source, labels) => {
    const { cluster, context } = await live();
    cluster
      .put('volumesnapshots', {
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshot',
        metadata: { name, namespace, labels },
        spec: { source: { persistentVolumeClaimName: source } },
        status: { readyToUse: true, boundVolumeSnapshotContentName: 'content' },
      })
      .put('volumesnapshotcontents', {
        metadata: { name: 'content' },
        spec: { deletionPolicy: 'Retain', volumeSnapshotRef: { name, namespace } },
      });
    cluster.calls.length = 0;
    await removeSnapshot(context, name);
    expect(cluster.writes).toEqual([]);
    expect(context.results.warnings).toEqual([expect.stringContaining(name)]);
  });
});

test('a VolumeSnapshot of a proof is removed, whatever labels it has', async () => {
  const { cluster, context } = await live();
  const name = 'data-postgresql-0-live-20260102030405';
  cluster.put('volumesnapshots', {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name, namespace },
    spec: { source: { persistentVolumeClaimName: 'data-postgresql-0' } },
  });
  await removeSnapshot(context, name);
  expect(cluster.peek('volumesnapshots', name, namespace)).toBeUndefined();
});

test.each<[string, string | undefined, string, boolean]>([
  ['that was made before this upgrade noted one', '2026-01-02T03:04:05.000Z', '2026-01-02T03:03:05Z', false],
  ['although this upgrade noted none', undefined, '2026-01-02T03:04:06Z', false],
  ['that was made since', '2026-01-02T03:04:05.900Z', '2026-01-02T03:04:05Z', true],
])('a clone of the claim under the name of the copy %s', async (_what, copy, made, isRemoved) => {
  const { cluster, context } = await setUp();
  if (copy !== undefined) await context.journal.note('copy', new Date(copy));
  cluster
    .put('persistentvolumeclaims', {
      // Ours may have lost its label, and theirs may have got it.
      metadata: {
        ...{ name: 'data-postgresql-0-copy', namespace, creationTimestamp: new Date(made) },
        labels: isRemoved ? {} : ownerLabel,
      },
      spec: { volumeName: 'pv-2', dataSource: { kind: 'PersistentVolumeClaim', name: 'data-postgresql-0' } },
    })
    .put('persistentvolumes', {
      metadata: { name: 'pv-2' },
      spec: { persistentVolumeReclaimPolicy: 'Retain', claimRef: { name: 'data-postgresql-0-copy', namespace } },
    });
  if (isRemoved) await removeCopy(context);
  else expect((await thrownBy(() => removeCopy(context))).code).toBe('claim-foreign');
  expect(cluster.peek('persistentvolumeclaims', 'data-postgresql-0-copy', namespace) === undefined).toBe(isRemoved);
  expect(cluster.peek('persistentvolumes', 'pv-2')?.spec?.persistentVolumeReclaimPolicy).toBe(
    isRemoved ? 'Delete' : 'Retain',
  );
});

test("a user's claim under the copy's name, labelled as ours, is not deleted", async () => {
  const { cluster, context } = await live();
  const theirs = claim('data-postgresql-0-copy');
  cluster.put('persistentvolumeclaims', { ...theirs, metadata: { ...theirs.metadata, labels: ownerLabel } });
  expect((await thrownBy(() => removeCopy(context))).code).toBe('claim-foreign');
  expect(cluster.peek('persistentvolumeclaims', 'data-postgresql-0-copy', namespace)).toBeDefined();
});
