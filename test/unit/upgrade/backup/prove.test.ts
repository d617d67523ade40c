import { describe, expect, test } from '@jest/globals';
import { copyName } from '../../../../src/objects/copy.ts';
import { snapshotObject } from '../../../../src/objects/snapshot.ts';
import { bootJobName } from '../../../../src/objects/upgrade-job.ts';
import type { JournalRecord } from '../../../../src/journal/record.ts';
import { stateBeforeJob } from '../../../../src/upgrade/backup/backup-ready.ts';
import { proveBackup } from '../../../../src/upgrade/backup/prove.ts';
import { namespace } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp, type Setting } from '../context.ts';
import { controlJobs } from '../job-controller.ts';
import { controlStorage, cutAt } from '../storage-controller.ts';

async function proved(prepare: (setting: Setting) => void = () => undefined): Promise<Setting> {
  const setting = await setUp();
  prepare(setting);
  controlStorage(setting);
  controlJobs(setting, {});
  await proveBackup.run(setting.context);
  return setting;
}

test('a backup is proved by PostgreSQL 12 that starts on a copy of it; the copy goes, the snapshot stays for the next one', async () => {
  const { cluster, context, log } = await proved();
  const [snapshot] = cluster.all('volumesnapshots').map(({ metadata }) => metadata.name);
  expect(snapshot).toMatch(/^data-postgresql-0-live-\d{14}$/);
  expect(cluster.writes).toEqual(
    expect.arrayContaining([`create persistentvolumeclaims/${copyName(context.target)}`, `create jobs/${bootJobName}`]),
  );
  expect(cluster.peek('persistentvolumeclaims', copyName(context.target), namespace)).toBeUndefined();
  expect(log.text).toContain('starts on the copy');
});

test('its undo removes the snapshot', async () => {
  const { cluster, context } = await proved();
  await proveBackup.undo?.(context);
  expect(cluster.all('volumesnapshots')).toEqual([]);
});

describe('what the backup in the downtime is expected to take', () => {
  /** Storage that is ready so many milliseconds after it has cut the snapshot. */
  async function expectedAfter(ready: number, position = '0/1600000') {
    const setting = await setUp();
    setting.state.mark = position;
    setting.context.timeline.expect({ 'upgrade-job': 5 });
    controlStorage(setting, () => setting.clock.monotonic() >= ready);
    controlJobs(setting, {});
    await proveBackup.run(setting.context);
    const { timeline } = setting.context;
    return { backup: timeline.expectedTime('backup'), ready: timeline.expectedTime('backup-ready') };
  }

  test('is what the proof took: until the cut, and until it was ready beside the Job', async () => {
    const { backup, ready } = await expectedAfter(60_000);
    expect(backup).toBeLessThan(5000);
    expect(ready).toBeGreaterThanOrEqual(55_000);
    expect(ready).toBeLessThan(70_000);
  });

  test('is nothing for a wait that there will not be, however long the snapshot takes', async () => {
    const setting = await setUp();
    setting.context.timeline.expect({ 'backup-ready': 0 });
    controlStorage(setting, () => setting.clock.monotonic() >= 60_000);
    controlJobs(setting, {});
    await proveBackup.run(setting.context);
    expect(setting.context.timeline.expectedTime('backup-ready')).toBe(0);
  });

  test('is not predicted by the cut where the action waits for more', async () => {
    expect(await expectedAfter(60_000, '0/F')).toEqual({ backup: undefined, ready: 0 });
  });
});

describe('whether the storage cuts in time', () => {
  test('is noted: the copy has nothing that was written after the driver said that the snapshot was cut', async () => {
    const { context, log, state } = await proved();
    const [snapshot = ''] = [context.journal.noted.live];
    expect(context.journal.noted).toMatchObject({ mark: { snapshot, position: '0/1600000' }, cuts: 'in-time' });
    expect(state.statements.find((statement) => statement.includes('pg_switch_wal'))).toContain('template1: ');
    expect(log.text).toContain('The storage cuts snapshots in time: the WAL of the copy ends at 0/15000A0');
  });

  test.each([
    ['0/15000A0', 'late'],
    ['0/15000A1', 'in-time'],
    ['0/F', 'late'],
    ['1/0', 'in-time'],
  ])('with the mark at %s: %s', async (position, cuts) => {
    const { context } = await proved(({ state }) => (state.mark = position));
    expect(context.journal.noted.cuts).toBe(cuts);
    expect(context.results.warnings).toEqual(cuts === 'late' ? [expect.stringContaining(position)] : []);
  });

  test('is marked after the snapshot is cut, and before it is ready', async () => {
    const setting = await setUp();
    controlStorage(setting, () => setting.clock.monotonic() >= 5000);
    controlJobs(setting, {});
    const marks: string[] = [];
    const push = setting.state.statements.push.bind(setting.state.statements);
    setting.state.statements.push = (...statements) => {
      const [snapshot] = setting.cluster.all('volumesnapshots');
      if (statements.some((one) => one.includes('pg_switch_wal')))
        marks.push(`${snapshot?.status?.creationTime ?? 'uncut'} ${String(snapshot?.status?.readyToUse)}`);
      return push(...statements);
    };
    await proveBackup.run(setting.context);
    expect(marks).toEqual([`${cutAt} false`]);
    expect(setting.context.journal.noted.cuts).toBe('in-time');
  });

  test('is unknown where the server can not be marked', async () => {
    const { context, log } = await proved(({ state }) => {
      state.refuse = [{ statement: /pg_switch_wal/, message: 'permission denied for function pg_switch_wal' }];
    });
    expect(context.journal.noted.cuts).toBeUndefined();
    expect(log.text).toContain('permission denied for function pg_switch_wal');
    expect(log.text).toContain('It is unknown whether the storage cuts snapshots in time');
  });

  test('is unknown of a snapshot that an earlier run asked for: it was cut some time ago', async () => {
    const setting = await setUp();
    controlStorage(setting);
    controlJobs(setting, {});
    const { context, cluster } = setting;
    const earlier = 'data-postgresql-0-live-20260102030400';
    cluster.put('volumesnapshots', snapshotObject(context.target, 'live', '20260102030400', 'csi-class'));
    await context.journal.note('live', earlier);
    await proveBackup.run(context);
    expect(context.journal.noted).toMatchObject({ live: earlier });
    expect(context.journal.noted).not.toHaveProperty('mark');
    expect(context.journal.noted).not.toHaveProperty('cuts');
  });

  test('is not asked where the backup is not proved', async () => {
    const setting = await setUp(undefined, { 'verify-backup': 'false' });
    controlStorage(setting);
    await proveBackup.run(setting.context);
    expect(setting.state.statements).toEqual([]);
    expect(setting.context.journal.noted.cuts).toBeUndefined();
  });
});

describe('a backup that a rehearsal has proved', () => {
  const at = '2026-01-02T01:00:00.000Z';
  const run = 'https://github.example/o/r/actions/runs/1/attempts/1';

  /** A run that proves the backup; `given` is what the modes found out of the rehearsal. */
  async function provedBy(
    given: Setting['context']['rehearsal'],
    { inputs = {}, noted, ready = 0, ...record }: Tried = {},
  ): Promise<Setting> {
    const setting = await setUp(undefined, inputs, record);
    const { context, clock } = setting;
    if (noted !== undefined) await context.journal.noteAll(noted);
    setting.cluster.calls.length = 0;
    controlStorage(setting, () => clock.monotonic() >= ready);
    controlJobs(setting, {});
    await proveBackup.run({ ...context, rehearsal: given });
    return setting;
  }

  interface Tried extends Partial<JournalRecord> {
    readonly inputs?: Readonly<Record<string, string>>;
    readonly noted?: Parameters<Setting['context']['journal']['noteAll']>[0];
    /** Milliseconds. */
    readonly ready?: number;
  }

  const made = ({ cluster }: Setting) => cluster.writes.filter((write) => write.startsWith('create '));
  const onlySnapshot = [expect.stringMatching(/^create volumesnapshots\/data-postgresql-0-live-\d{14}$/)];

  test('needs no copy and no Job: only its snapshot is taken, for the next one', async () => {
    const setting = await provedBy({ run, at, cuts: 'in-time' });
    const { context, log, state } = setting;
    expect(made(setting)).toEqual(onlySnapshot);
    expect(context.journal.noted).toMatchObject({ rehearsal: { run, at }, cuts: 'in-time' });
    expect(context.results).toEqual({ backupProof: { by: 'rehearsal', run, at }, warnings: [] });
    expect(log.text).toContain(`The backup is proved by the rehearsal of ${at} (${run})`);
    // The mark would show nothing without a copy.
    expect(state.statements).toEqual([]);
  });

  test('is not waited for before pg_upgrade, but where the rehearsal saw a late cut', async () => {
    expect(stateBeforeJob((await provedBy({ run, at, cuts: 'in-time' })).context)).toBe('cut');
    const { context } = await provedBy({ run, at, cuts: 'late' }, { inputs: { 'snapshot-gate': 'cut' } });
    expect(stateBeforeJob(context)).toBe('ready');
    expect(context.results.warnings).toEqual([
      expect.stringContaining(`In the rehearsal of ${at} (${run}) the storage cut the snapshot later than it said.`),
    ]);
  });

  test('has its time until the cut and until it is ready measured on that snapshot', async () => {
    const { context } = await provedBy(
      { run, at, cuts: 'in-time' },
      { ready: 60_000, inputs: { 'verify-backup': 'false' } },
    );
    expect(context.timeline.expectedTime('backup')).toBeLessThan(5000);
    expect(context.timeline.expectedTime('backup-ready')).toBeGreaterThanOrEqual(55_000);
  });

  test('as a clone needs nothing at all', async () => {
    const setting = await provedBy({ run, at }, { inputs: { backup: 'clone' }, backup: { kind: 'clone' } });
    expect(made(setting)).toEqual([]);
    expect(setting.context.journal.noted).not.toHaveProperty('cuts');
  });

  test('stays proved in a run that resumes, which goes by the journal', async () => {
    const setting = await provedBy(undefined, { noted: { rehearsal: { run, at }, cuts: 'in-time' } });
    expect(made(setting)).toEqual(onlySnapshot);
    expect(setting.context.results.backupProof).toEqual({ by: 'rehearsal', run, at });
  });

  test('is proved by a run that resumes, where the journal has no rehearsal', async () => {
    const setting = await provedBy(undefined);
    expect(made(setting)).toContain(`create jobs/${bootJobName}`);
    expect(setting.context.results.backupProof).toEqual({ by: 'upgrade' });
  });

  test('is not begun with where a claim of others has the name that a restore needs', async () => {
    const setting = await setUp();
    const name = copyName(setting.context.target);
    setting.cluster.put('persistentvolumeclaims', { metadata: { name, namespace }, spec: {} });
    controlStorage(setting);
    const rehearsal = { run, at, cuts: 'in-time' } as const;
    expect((await thrownBy(() => proveBackup.run({ ...setting.context, rehearsal }))).code).toBe('claim-foreign');
    expect(setting.cluster.peek('persistentvolumeclaims', name, namespace)).toBeDefined();
  });
});

describe('a free volume that Kubernetes gives the claim of the copy', () => {
  /** Of the copy's class, made free by a person, with data of theirs. */
  async function given() {
    const setting = await setUp();
    const { cluster, context } = setting;
    const name = copyName(context.target);
    const spec = { persistentVolumeReclaimPolicy: 'Delete', claimRef: { name, namespace } };
    cluster.put('persistentvolumes', { metadata: { name: 'theirs', creationTimestamp: new Date('2020-01-01') }, spec });
    cluster.hooks.push(() => {
      const claim = cluster.look('persistentvolumeclaims', name, namespace);
      if (claim === undefined || claim.metadata?.creationTimestamp !== undefined) return;
      const metadata = { ...claim.metadata, creationTimestamp: setting.clock.now() };
      cluster.put('persistentvolumeclaims', { ...claim, metadata });
    });
    controlStorage(setting);
    controlJobs(setting, {});
    return setting;
  }

  test('is no proof of the backup', async () => {
    const setting = await given();
    const error = await thrownBy(() => proveBackup.run(setting.context));
    expect(error.code).toBe('volume-given');
    expect(error.message).toContain('the free PersistentVolume theirs');
    expect(setting.cluster.peek('persistentvolumes', 'theirs')?.spec?.persistentVolumeReclaimPolicy).toBe('Retain');
  });

  test('stays when the copy is removed', async () => {
    const setting = await given();
    await thrownBy(() => proveBackup.run(setting.context));
    await proveBackup.undo?.(setting.context);
    const { cluster, context } = setting;
    expect(cluster.peek('persistentvolumeclaims', copyName(context.target), namespace)).toBeUndefined();
    expect(cluster.peek('persistentvolumes', 'theirs')?.spec?.persistentVolumeReclaimPolicy).toBe('Retain');
    expect(context.results.warnings).toEqual([expect.stringContaining('keeps that volume (Retain)')]);
  });
});
