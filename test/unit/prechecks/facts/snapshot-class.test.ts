import { describe, expect, test } from '@jest/globals';
import { chooseSnapshotClass } from '../../../../src/prechecks/facts/gather.ts';
import type { VolumeSnapshotClass } from '../../../../src/ports/cluster.ts';
import { FakeCluster } from '../../fake-cluster.ts';
import { snapshotClass, target } from '../../objects.ts';

const driver = 'csi.example.com';
const foreign = snapshotClass('foreign', 'other.example.com', true);

async function choose(classes: VolumeSnapshotClass[], wanted = '') {
  const { chosen, candidates } = await chooseSnapshotClass(
    new FakeCluster().put('volumesnapshotclasses', ...classes),
    await target(),
    wanted,
  );
  return [chosen?.metadata.name, candidates];
}

describe('the class of the snapshot', () => {
  test.each<[string, VolumeSnapshotClass[], string, string | undefined, string[]]>([
    ['the only one of the driver', [snapshotClass('a'), foreign], '', 'a', ['a']],
    ['the default of several', [snapshotClass('a'), snapshotClass('b', driver, true)], '', 'b', ['a', 'b']],
    ['the one asked for', [snapshotClass('a', driver, true), snapshotClass('b')], 'b', 'b', ['a', 'b']],
    ['none of several without a default', [snapshotClass('a'), snapshotClass('b')], '', undefined, ['a', 'b']],
    [
      'none of several defaults',
      [snapshotClass('a', driver, true), snapshotClass('b', driver, true)],
      '',
      undefined,
      ['a', 'b'],
    ],
    ['none when the one asked for is not there', [snapshotClass('a')], 'b', undefined, ['a']],
    ['none when the one asked for is of another driver', [snapshotClass('a'), foreign], 'foreign', undefined, ['a']],
    ['none of another driver', [foreign], '', undefined, []],
    ['none when there is none', [], '', undefined, []],
  ])('is %s', async (_what, classes, wanted, name, candidates) => {
    expect(await choose(classes, wanted)).toEqual([name, candidates]);
  });

  test('is none for a volume that is not of a CSI driver', async () => {
    const found = await target();
    const volume = {
      ...found.volume,
      persistentVolume: { metadata: { name: 'pv-1' }, spec: { hostPath: { path: '/d' } } },
    };
    const cluster = new FakeCluster().put('volumesnapshotclasses', snapshotClass('a'));
    expect(await chooseSnapshotClass(cluster, { ...found, volume }, '')).toEqual({
      driver: undefined,
      chosen: undefined,
      candidates: [],
    });
  });

  test('that may not be listed is no "none"', async () => {
    const cluster = new FakeCluster().refuse('list', 'volumesnapshotclasses', 403, 'forbidden');
    await expect(chooseSnapshotClass(cluster, await target(), '')).rejects.toMatchObject({ code: 'forbidden' });
  });
});
