import { describe, expect, test } from '@jest/globals';
import { WaitError } from '../../../src/common/errors.ts';
import type { VolumeSnapshot } from '../../../src/ports/cluster.ts';
import { journalName } from '../../../src/objects/journal-name.ts';
import { takeBackup } from '../../../src/upgrade/backup/take.ts';
import { namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { setUp, type Setting } from './context.ts';

const name = 'data-postgresql-0-before-upgrade-20260102030405';

/** What the snapshot controller makes of it, at each pause. */
function controlSnapshots({ cluster, clock }: Setting, ...states: NonNullable<VolumeSnapshot['status']>[]): void {
  clock.meanwhile = () => {
    const now = cluster.peek('volumesnapshots', name, namespace);
    const status = states.shift();
    if (now !== undefined && status !== undefined) cluster.put('volumesnapshots', { ...now, status });
  };
}

describe('the snapshot', () => {
  test('is one of the claim, with the chosen class, noted in the journal, and awaited', async () => {
    const setting = await setUp();
    controlSnapshots(setting, { readyToUse: false }, { readyToUse: true });
    await takeBackup.run(setting.context);
    expect(setting.cluster.peek('volumesnapshots', name, namespace)?.spec).toEqual({
      source: { persistentVolumeClaimName: 'data-postgresql-0' },
      volumeSnapshotClassName: 'csi-class',
    });
    expect(setting.cluster.peek('configmaps', journalName, namespace)?.data).toMatchObject({ backup: name });
    expect(setting.context.results.backup).toEqual({ kind: 'snapshot', name });
    expect(setting.clock.pauses).toHaveLength(2);
  });

  test('an error that passes is waited for, and told', async () => {
    const setting = await setUp();
    controlSnapshots(setting, { error: { message: 'rate limit' } }, { readyToUse: true });
    await takeBackup.run(setting.context);
    expect(setting.log.text).toContain('rate limit');
  });

  test('that goes on failing is given up long before the limit, in the words of the driver', async () => {
    const setting = await setUp();
    controlSnapshots(setting, { error: { message: 'the class is gone' } });
    const started = setting.clock.monotonic();
    const error = await thrownBy(() => takeBackup.run(setting.context));
    expect(error.code).toBe('snapshot-failed');
    expect(error.message).toContain('the class is gone');
    const minutes = (setting.clock.monotonic() - started) / 60_000;
    expect(minutes).toBeGreaterThan(5);
    expect(minutes).toBeLessThan(6);
  });

  test('that fails, recovers and fails again has its time anew', async () => {
    const setting = await setUp();
    const failing = (count: number) => Array.from({ length: count }, () => ({ error: { message: 'busy' } }));
    controlSnapshots(setting, ...failing(200), {}, ...failing(200), { readyToUse: true });
    await takeBackup.run(setting.context);
    expect(setting.context.results.backup).toEqual({ kind: 'snapshot', name });
  });

  test('that is not ready at the limit ends it, in the words of the driver; it is kept', async () => {
    const setting = await setUp(undefined, { 'snapshot-timeout': '20s' });
    controlSnapshots(setting, { error: { message: 'quota of snapshots exceeded' } });
    const error = await thrownBy(() => takeBackup.run(setting.context));
    expect(error).toBeInstanceOf(WaitError);
    expect(error.message).toContain('quota of snapshots exceeded');
    expect(error.remedy.text).toContain('`snapshot-timeout`');
    expect(setting.cluster.peek('volumesnapshots', name, namespace)).toBeDefined();
    expect(setting.context.results.backup).toBeUndefined();
    expect(takeBackup).not.toHaveProperty('undo');
  });

  test('that somebody deletes ends it at once', async () => {
    const setting = await setUp();
    setting.clock.meanwhile = () => {
      setting.cluster.remove('volumesnapshots', name, namespace);
    };
    const error = await thrownBy(() => takeBackup.run(setting.context));
    expect(error.code).toBe('snapshot-gone');
    expect(error.message).toContain(name);
  });
});
