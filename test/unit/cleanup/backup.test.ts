import { describe, expect, test } from '@jest/globals';
import { namespace } from '../objects.ts';
import { clean, hoursAgo, ourSnapshot, scene, type Scene } from './scene.ts';

const earlier = 'data-postgresql-0-after-upgrade-20260102020405';

/** The backup of a cleanup that finds this one of PostgreSQL 14. */
async function backupWith(more: object = {}, change: (set: Scene) => void = () => undefined, made = hoursAgo(1)) {
  using set = await scene();
  const snapshot = ourSnapshot(earlier, made);
  set.cluster.put('volumesnapshots', { ...snapshot, metadata: { ...snapshot.metadata, ...more } });
  change(set);
  // The snapshot controller.
  await set.cluster.version();
  const { verdict, report } = await clean(set.cluster);
  expect([verdict, report.error]).toEqual(['cleaned-up', undefined]);
  return report.cleanup?.backup;
}

describe('a VolumeSnapshot of PostgreSQL 14', () => {
  const another = expect.not.stringContaining(earlier) as unknown;

  test('that an interrupted cleanup took within a day is its backup', async () => {
    expect(await backupWith()).toBe(`VolumeSnapshot ${earlier}`);
  });

  test('that is older, is being deleted, or is of an earlier claim, is none', async () => {
    expect(await backupWith({}, undefined, hoursAgo(25))).toEqual(another);
    expect(await backupWith({ deletionTimestamp: hoursAgo(0).toISOString() })).toEqual(another);
    const newer = ({ cluster }: Scene) => {
      const claim = cluster.look('persistentvolumeclaims', 'data-postgresql-0', namespace);
      const metadata = { ...claim?.metadata, creationTimestamp: hoursAgo(0.5) };
      cluster.put('persistentvolumeclaims', { ...claim, metadata });
    };
    expect(await backupWith({}, newer)).toEqual(another);
  });

  test('that somebody deletes before it is ready ends the cleanup, which has removed nothing', async () => {
    using set = await scene();
    set.cluster.hooks.push(({ method, resource, name }) => {
      const now = set.cluster.look('volumesnapshots', name, namespace);
      if (method !== 'find' || resource !== 'volumesnapshots' || now === undefined) return;
      if (!name.includes('-after-upgrade-') || now.metadata.deletionTimestamp !== undefined) return;
      const metadata = { ...now.metadata, deletionTimestamp: hoursAgo(0).toISOString() };
      set.cluster.put('volumesnapshots', { ...now, metadata });
    });
    const { code } = await clean(set.cluster);
    expect(code).toBe('snapshot-gone');
    expect(set.cluster.writes.filter((write) => write.startsWith('delete '))).toEqual([]);
  });
});
