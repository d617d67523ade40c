import { describe, expect, test } from '@jest/globals';
import type { JobResult } from '../../../../src/job/result.ts';
import type { Notes } from '../../../../src/journal/notes.ts';
import { awaitBackup, seeBackupReady } from '../../../../src/upgrade/backup/backup-ready.ts';
import { lookAgainAnnotation } from '../../../../src/objects/look-again.ts';
import { takeBackup } from '../../../../src/upgrade/backup/take.ts';
import { namespace } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp, type Setting } from '../context.ts';
import { controlStorage, cutAt } from '../storage-controller.ts';

const name = 'data-postgresql-0-before-upgrade-20260102030405';
const content = `content-of-${name}`;

/** A storage that cuts a snapshot at once, and has it ready after some milliseconds. */
async function slowStorage(
  readyAfter: number,
  given: Readonly<Record<string, string>> = {},
  cuts?: Notes['cuts'],
): Promise<Setting> {
  const setting = await setUp(undefined, given);
  controlStorage(setting, () => setting.clock.monotonic() >= readyAfter);
  if (cuts !== undefined) await setting.context.journal.note('cuts', cuts);
  return setting;
}

/** The backup is taken, and pg_upgrade has run. */
async function upgraded(setting: Setting, transfer: JobResult['transfer']): Promise<void> {
  const { context } = setting;
  await takeBackup.run(context);
  const words = { command: 'upgrade', outcome: 'upgraded', state: 'new', step: '', message: 'done' };
  context.results.job = { schema: 1, ...words, transfer };
}

const policy = ({ cluster }: Setting) => cluster.peek('volumesnapshotcontents', content)?.spec.deletionPolicy;
const waited = ({ clock }: Setting) => clock.monotonic() / 1000;

describe('the backup before pg_upgrade', () => {
  test('is cut, where the storage was seen to cut in time; it is kept from then on', async () => {
    const setting = await slowStorage(60_000, {}, 'in-time');
    await takeBackup.run(setting.context);
    expect(waited(setting)).toBe(0);
    expect(policy(setting)).toBe('Retain');
    expect(setting.context.results).toMatchObject({
      backup: { kind: 'snapshot', name },
      backupTimes: { cutAt, readyAt: undefined },
    });
    expect(setting.log.text).toContain(`VolumeSnapshot ${name} was cut at ${cutAt}. It is not ready to use yet`);
  });

  test.each([
    ['where that is unknown', {}, undefined],
    ['where the storage cuts late', {}, 'late'],
    ['where the storage cuts late, whatever the input says', { 'snapshot-gate': 'cut' }, 'late'],
  ] as const)('is ready, %s', async (_where, given, cuts) => {
    const setting = await slowStorage(60_000, given, cuts);
    await takeBackup.run(setting.context);
    expect(waited(setting)).toBeGreaterThanOrEqual(60);
    expect(setting.context.results.backupTimes).toEqual({ cutAt, readyAt: '2026-01-02T03:04:05.000Z' });
  });

  test('is cut where that is unknown and the input asks for it', async () => {
    const setting = await slowStorage(60_000, { 'snapshot-gate': 'cut' });
    await takeBackup.run(setting.context);
    expect(waited(setting)).toBe(0);
  });

  test.each([
    ['its content has no handle', { creationTime: cutAt, boundVolumeSnapshotContentName: content }, {}],
    ['it has no time', { boundVolumeSnapshotContentName: content }, { snapshotHandle: 'handle' }],
    ['it has no content', { creationTime: cutAt }, { snapshotHandle: 'handle' }],
    [
      'the driver reports an error',
      { creationTime: cutAt, boundVolumeSnapshotContentName: content, error: { message: 'busy' } },
      { snapshotHandle: 'handle' },
    ],
  ])('is not cut while %s', async (_while, status, contentStatus) => {
    const setting = await setUp();
    const { cluster, clock, context } = setting;
    await context.journal.note('cuts', 'in-time');
    clock.meanwhile = (elapsed) => {
      const now = cluster.peek('volumesnapshots', name, namespace);
      if (now === undefined) return;
      const spec = { deletionPolicy: 'Delete', volumeSnapshotRef: { name, namespace } };
      cluster.put('volumesnapshotcontents', { metadata: { name: content }, spec, status: contentStatus });
      cluster.put('volumesnapshots', { ...now, status: elapsed < 3000 ? status : { readyToUse: true } });
    };
    await takeBackup.run(context);
    expect(waited(setting)).toBeGreaterThanOrEqual(3);
  });

  test('is not cut by the content of another snapshot', async () => {
    const setting = await slowStorage(60_000, {}, 'in-time');
    const spec = { deletionPolicy: 'Delete', volumeSnapshotRef: { name: 'another', namespace } };
    const metadata = { name: content };
    setting.cluster.put('volumesnapshotcontents', { metadata, spec, status: { snapshotHandle: 'another' } });
    expect((await thrownBy(() => takeBackup.run(setting.context))).code).toBe('snapshot-foreign');
  });
});

describe('the backup before the first start of PostgreSQL 14', () => {
  test.each([
    ['that were linked', 'link', {}, 60],
    ['of which another run knows how they were transferred', undefined, {}, 60],
    ['that were cloned', 'clone', {}, 0],
    ['that were copied', 'copy', {}, 0],
    ['that were linked, where the input says so', 'link', { 'snapshot-gate': 'cut' }, 0],
  ] as const)('on files %s', async (_what, transfer, given, seconds) => {
    const setting = await slowStorage(60_000, given, 'in-time');
    await upgraded(setting, transfer);
    await awaitBackup.run(setting.context);
    expect(Math.floor(waited(setting))).toBe(seconds);
    if (seconds === 0) expect(setting.log.text).toContain(`Did not wait for VolumeSnapshot ${name}, since`);
    else expect(setting.context.results.backupTimes?.readyAt).toBeDefined();
  });

  test.each(['clone', 'external'] as const)('is not waited for where it is no snapshot (%s)', async (kind) => {
    const { cluster, context } = await setUp(undefined, {}, { backup: { kind } });
    await context.journal.note('backup', 'data-postgresql-0-before-upgrade-20260102030405');
    cluster.calls.length = 0;
    await awaitBackup.run(context);
    await seeBackupReady.run(context);
    expect(cluster.calls).toEqual([]);
  });

  test('that fails for good ends it, and that somebody deletes at once', async () => {
    const setting = await slowStorage(Infinity, {}, 'in-time');
    await upgraded(setting, 'link');
    const { cluster, context, clock } = setting;
    clock.meanwhile = () => {
      const now = cluster.peek('volumesnapshots', name, namespace);
      if (now !== undefined)
        cluster.put('volumesnapshots', { ...now, status: { ...now.status, error: { message: 'upload failed' } } });
    };
    const error = await thrownBy(() => awaitBackup.run(context));
    expect([error.code, error.message]).toEqual(['snapshot-failed', expect.stringContaining('upload failed')]);
    cluster.remove('volumesnapshots', name, namespace);
    expect((await thrownBy(() => awaitBackup.run(context))).code).toBe('snapshot-gone');
  });
});

describe('the snapshot controller', () => {
  const nudges = ({ cluster }: Setting) =>
    cluster
      .patchesOf('volumesnapshotcontents', content)
      .filter((patch) => JSON.stringify(patch).includes('look-again'));

  test('is made to look again every few seconds while the snapshot is not ready', async () => {
    const setting = await slowStorage(60_000, {}, 'in-time');
    await upgraded(setting, 'link');
    expect(nudges(setting)).toEqual([]);
    await awaitBackup.run(setting.context);
    expect(nudges(setting).length).toBeGreaterThanOrEqual(10);
    expect(nudges(setting).length).toBeLessThanOrEqual(13);
    const annotations = setting.cluster.peek('volumesnapshotcontents', content)?.metadata.annotations;
    expect(Object.keys(annotations ?? {})).toEqual([lookAgainAnnotation]);
  });

  test('keeps what its own annotations say', async () => {
    const setting = await slowStorage(20_000, {}, 'in-time');
    await upgraded(setting, 'link');
    const { cluster, context } = setting;
    const now = cluster.peek('volumesnapshotcontents', content);
    if (now !== undefined)
      cluster.put('volumesnapshotcontents', { ...now, metadata: { ...now.metadata, annotations: { its: 'own' } } });
    await awaitBackup.run(context);
    expect(cluster.peek('volumesnapshotcontents', content)?.metadata.annotations).toMatchObject({ its: 'own' });
  });

  test('that can not be asked is waited for all the same, and told once', async () => {
    const setting = await slowStorage(60_000, {}, 'in-time');
    await upgraded(setting, 'link');
    setting.cluster.refuse('patch', 'volumesnapshotcontents', 403, 'no right to patch');
    await awaitBackup.run(setting.context);
    expect(setting.log.text.split('no right to patch')).toHaveLength(2);
  });
});

describe('the backup at the end', () => {
  test('is waited for, where PostgreSQL 14 did not wait for it', async () => {
    const setting = await slowStorage(60_000, {}, 'in-time');
    await upgraded(setting, 'clone');
    await seeBackupReady.run(setting.context);
    expect(Math.floor(waited(setting))).toBe(60);
    expect(setting.context.results.warnings).toEqual([]);
  });

  test('that was seen to be ready is not asked for again', async () => {
    const setting = await slowStorage(0);
    await upgraded(setting, 'link');
    setting.cluster.calls.length = 0;
    await seeBackupReady.run(setting.context);
    expect(setting.cluster.calls).toEqual([]);
  });

  test.each([
    ['clone', /is whole in its old directory, so "mode: rollback" can restore it without the backup/],
    ['link', /nothing restores PostgreSQL 12/],
  ] as const)('that is not to be had is an error which all see, and a warning (%s)', async (transfer, text) => {
    const setting = await slowStorage(Infinity, { 'snapshot-timeout': '20s', 'snapshot-gate': 'cut' });
    await upgraded(setting, transfer);
    await seeBackupReady.run(setting.context);
    expect(setting.context.results.warnings).toEqual([expect.stringMatching(text)]);
    expect(setting.context.results.warnings[0]).toContain(name);
    expect(setting.log.annotations.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      expect.stringMatching(/^error: .*become ready: Timed out after 20 s/),
    ]);
  });
});
