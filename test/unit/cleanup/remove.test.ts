// What a removal asks again right before it removes something.
import { describe, expect, test } from '@jest/globals';
import type { Item } from '../../../src/cleanup/inventory.ts';
import { removeItems } from '../../../src/cleanup/remove.ts';
import { UpgradeError } from '../../../src/common/errors.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeLog } from '../fake-runner.ts';
import { inputs, namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { backup, former, formerVolume, hoursAgo, scene, type Scene } from './scene.ts';

const claimName = 'data-postgresql-0';

/** @param listed what another look lists */
function removalOf({ cluster, target }: Scene, listed: readonly Item[]): Parameters<typeof removeItems>[0] {
  return {
    ...{ cluster: cluster, target, inputs: inputs(), clock: new FakeClock(), log: new FakeLog() },
    signal: new AbortController().signal,
    database: undefined as never,
    onRemoved: () => undefined,
    onFreed: () => undefined,
    lookAgain: () => Promise.resolve(listed),
  };
}

async function remove(set: Scene, item: Item, listed: readonly Item[] = [item]): Promise<string> {
  return (await thrownBy(() => removeItems(removalOf(set, listed), [item]))).code;
}

/** The server's volume is at Retain. */
async function retained(): Promise<Scene> {
  const set = await scene();
  const now = set.cluster.look('persistentvolumes', 'pv-1');
  set.cluster.put('persistentvolumes', { ...now, spec: { ...now?.spec, persistentVolumeReclaimPolicy: 'Retain' } });
  return set;
}

const ofServer = ({ cluster }: Scene) => cluster.look('persistentvolumes', 'pv-1');
const policyItem = (set: Scene): Item => ({
  ...{ name: 'pv-1', id: ofServer(set)?.metadata?.uid ?? '', why: '' },
  kind: 'ReclaimPolicy',
});

describe('Retain is not set back', () => {
  const changes: readonly [string, (set: Scene) => void][] = [
    [
      'is being deleted',
      ({ cluster }) => {
        const claim = cluster.look('persistentvolumeclaims', claimName, namespace);
        const metadata = { ...claim?.metadata, deletionTimestamp: hoursAgo(0) };
        cluster.put('persistentvolumeclaims', { ...claim, metadata });
      },
    ],
    [
      'is gone',
      ({ cluster }) => {
        cluster.remove('persistentvolumeclaims', claimName, namespace);
      },
    ],
    [
      'is another one',
      ({ cluster }) => {
        const claim = cluster.look('persistentvolumeclaims', claimName, namespace);
        cluster.put('persistentvolumeclaims', { ...claim, metadata: { ...claim?.metadata, uid: 'another' } });
      },
    ],
    [
      'has another volume',
      ({ cluster }) => {
        const claim = cluster.look('persistentvolumeclaims', claimName, namespace);
        cluster.put('persistentvolumeclaims', { ...claim, spec: { ...claim?.spec, volumeName: 'pv-2' } });
      },
    ],
  ];
  test.each(changes)('where the claim %s', async (_what, change) => {
    using set = await retained();
    change(set);
    expect(await remove(set, policyItem(set))).toBe('cleanup-changed');
    expect(ofServer(set)?.spec?.persistentVolumeReclaimPolicy).toBe('Retain');
  });
});

const formerItem: Item = { kind: 'PersistentVolume', name: former, id: 'uid-of-former', why: '' };

describe('before each object that holds data, or keeps it', () => {
  const snapshotItem = ({ cluster }: Scene): Item => {
    const id = cluster.look('volumesnapshots', backup, namespace)?.metadata.uid ?? '';
    return { kind: 'VolumeSnapshot', name: backup, id, why: '' };
  };

  test('another look lists it, or it stays', async () => {
    using set = await retained();
    for (const item of [snapshotItem(set), formerItem, policyItem(set)]) {
      expect(await remove(set, item, [])).toBe('cleanup-changed');
      expect(await remove(set, item, [{ ...item, id: 'another' }])).toBe('cleanup-changed');
    }
    expect(set.cluster.writes).toEqual([]);
  });

  test('the conditions are asked again, and nothing more goes where one is not met', async () => {
    using set = await retained();
    let looks = 0;
    const items = [snapshotItem(set), formerItem, policyItem(set)];
    const lookAgain = () => {
      looks++;
      return Promise.resolve(items);
    };
    await removeItems({ ...removalOf(set, items), lookAgain }, items);
    expect(looks).toBe(items.length);
    using other = await retained();
    const refused = () => Promise.reject(new UpgradeError('cleanup-stopped', 'It stopped.', 'Look.'));
    const { code } = await thrownBy(() => removeItems({ ...removalOf(other, []), lookAgain: refused }, items));
    expect(code).toBe('cleanup-stopped');
    expect(other.cluster.writes).toEqual([]);
  });

  test('one that is gone by then is no error', async () => {
    using set = await scene();
    set.cluster.remove('persistentvolumes', former);
    await removeItems(removalOf(set, []), [formerItem]);
    expect(set.cluster.writes).toEqual([]);
  });
});

test('a former volume is not removed once another PersistentVolume stands for its storage', async () => {
  using set = await scene();
  set.cluster.put('persistentvolumes', {
    metadata: { name: 'pv-static' },
    spec: { csi: formerVolume().spec?.csi },
  } as never);
  expect(await remove(set, formerItem)).toBe('cleanup-changed');
  expect(set.cluster.peek('persistentvolumes', former)?.spec?.persistentVolumeReclaimPolicy).toBe('Retain');
});
