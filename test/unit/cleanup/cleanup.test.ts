// `mode: cleanup` as a whole, over a cluster in memory and a volume in files.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { journalName } from '../../../src/objects/journal-name.ts';
import { serverNames } from '../../../src/target/server-names.ts';
import { permissionsFor } from '../../../src/permissions/permissions.ts';
import { choiceUpTo } from '../../choice.ts';
import { ungranted } from '../../granted.ts';
import { namespace } from '../objects.ts';
import { dyingAt } from '../upgrade/dying-cluster.ts';
import { expectClean } from './expect-clean.ts';
import { leaveRehearsal } from './killed-rehearsal.ts';
import { backup, clean, expireLeases, former, scene, type Scene } from './scene.ts';

// A cleanup for each kill.
jest.setTimeout(300_000);

/** Calls at which `npm test` kills a run. */
const kills = 8;

describe('a cleanup', () => {
  test('lists what it removes, takes a backup of PostgreSQL 14, removes all of it, and says what was freed', async () => {
    using set = await scene();
    const { verdict, code, report, runner } = await clean(set.cluster);
    expect([verdict, code]).toEqual(['cleaned-up', undefined]);
    expectClean(set);
    const { items = [], freedBytes, backup: taken, gates = [] } = report.cleanup ?? {};
    expect(items.map(({ kind, name, isRemoved }) => [kind, path.basename(name), isRemoved])).toEqual([
      ['Directory', 'data-12.preupgrade', true],
      ['Directory', 'upgrade-logs', true],
      ['Directory', '.postgresql-upgrade', true],
      ['Job', 'postgres-upgrade-12-to-14', true],
      ['VolumeSnapshot', backup, true],
      ['VolumeSnapshot', backup.replace('before-upgrade', 'live'), true],
      ['PersistentVolume', former, true],
      ['ConfigMap', journalName, true],
    ]);
    expect(items.find(({ name }) => name === former)?.bytes).toBe(8 * 2 ** 30);
    expect(freedBytes).toBeGreaterThanOrEqual(0);
    expect(runner.outputs.freedBytes).toBe(String(freedBytes));
    expect(taken).toMatch(/^VolumeSnapshot data-postgresql-0-after-upgrade-/);
    expect(gates.map(({ status }) => status)).toEqual(gates.map(() => 'met'));
    expect(runner.log.text).toContain('data-12.preupgrade');
    expect(runner.summary).toContain('| removed |');
  });

  test('takes the backup before it removes anything', async () => {
    using set = await scene();
    let wasWhole: boolean | undefined;
    set.cluster.hooks.push(({ method, resource }) => {
      if (method === 'create' && resource === 'volumesnapshots') wasWhole = existsSync(set.volume.kept);
    });
    await clean(set.cluster);
    expect(wasWhole).toBe(true);
    const deletes = set.cluster.writes.filter((write) => write.startsWith('delete '));
    expect(set.cluster.writes.findIndex((write) => write.startsWith('create volumesnapshots/'))).toBeLessThan(
      set.cluster.writes.indexOf(deletes[0] ?? ''),
    );
    expect(deletes.at(-1)).toBe(`delete configmaps/${journalName}`);
  });

  test('that fails at the backup has removed nothing', async () => {
    using set = await scene();
    set.cluster.refuse('create', 'volumesnapshots', 403, 'quota exceeded');
    const { code } = await clean(set.cluster);
    expect(code).toBe('forbidden');
    expect(existsSync(set.volume.kept)).toBe(true);
    expect(set.cluster.writes.filter((write) => write.startsWith('delete '))).toEqual([]);
  });

  test('as a dry run lists the same, and writes nothing', async () => {
    using set = await scene();
    const { verdict, report } = await clean(set.cluster, { 'dry-run': 'true', confirm: '' });
    expect(verdict).toBe('passed');
    expect(report.cleanup?.items).toHaveLength(8);
    expect(report.cleanup?.items.some(({ isRemoved }) => isRemoved)).toBe(false);
    expect(set.cluster.writes.filter((write) => !write.includes('selfsubject'))).toEqual([]);
    expect(existsSync(set.volume.kept)).toBe(true);
  });

  test('that finds nothing is done, and takes no backup', async () => {
    using set = await scene();
    await clean(set.cluster);
    set.cluster.calls.length = 0;
    const { verdict, report } = await clean(set.cluster);
    expect([verdict, report.cleanup?.items]).toEqual(['cleaned-up', []]);
    expect(set.cluster.writes.filter((write) => !write.includes('selfsubject'))).toEqual([]);
    expect(report.cleanup?.left).toEqual([
      {
        kind: 'VolumeSnapshot',
        name: expect.any(String) as unknown,
        why: expect.stringContaining('backup of PostgreSQL 14') as unknown,
      },
    ]);
  });

  test('after the documented way goes by what Kubernetes says of the pod', async () => {
    using set = await scene('vendor');
    const { verdict, report } = await clean(set.cluster);
    expect([verdict, report.error]).toEqual(['cleaned-up', undefined]);
    expect(readdirSync(set.volume.root)).toEqual(['data']);
    expect(report.cleanup?.items.map(({ name }) => path.basename(name))).toEqual([
      'data-12.preupgrade',
      'upgrade-logs',
    ]);
  });

  test('uses no right that the table does not have for it', async () => {
    using set = await scene();
    await leaveRehearsal(set.cluster, set.target);
    set.cluster.calls.length = 0;
    await clean(set.cluster);
    const rows = permissionsFor('cleanup').filter(({ informs }) => informs === undefined);
    const calls = set.cluster.calls.filter(({ resource }) => !resource.startsWith('selfsubject'));
    expect(ungranted(calls, serverNames(set.target), rows)).toEqual([]);
  });
});

describe('a cleanup of a backup that is a claim', () => {
  const put = ({ cluster }: Scene, source: boolean) => {
    const name = backup;
    const annotations = { 'circleci-server-postgresql-upgrade/copy-of': `${namespace}/data-postgresql-0` };
    cluster
      .put('persistentvolumes', {
        metadata: { name: 'pv-backup', uid: 'uid-of-pv-backup', ...(source ? {} : { annotations }) },
        spec: {
          persistentVolumeReclaimPolicy: 'Retain',
          capacity: { storage: '8Gi' },
          claimRef: { name, namespace, uid: 'uid-of-backup' },
          csi: { driver: 'csi.example.com', volumeHandle: 'volume-of-backup' },
        },
        status: { phase: 'Bound' },
      })
      .put('persistentvolumeclaims', {
        metadata: { name, namespace, uid: 'uid-of-backup', creationTimestamp: new Date(Date.UTC(2026, 0, 1)) },
        spec: {
          volumeName: 'pv-backup',
          ...(source ? { dataSource: { kind: 'PersistentVolumeClaim', name: 'data-postgresql-0' } } : {}),
        },
        status: { phase: 'Bound' },
      });
    cluster.remove('volumesnapshots', backup, namespace);
    cluster.remove('volumesnapshotcontents', `content-of-${backup}`);
  };

  test.each([
    ['a clone', true],
    ['a complete copy', false],
  ])('removes %s with its volume, also of a class that retains volumes', async (_what, isClone) => {
    using set = await scene();
    put(set, isClone);
    const { verdict, report } = await clean(set.cluster);
    expect([verdict, report.error]).toEqual(['cleaned-up', undefined]);
    expect(report.cleanup?.items.find(({ kind }) => kind === 'PersistentVolumeClaim')).toMatchObject({
      name: backup,
      isRemoved: true,
    });
    expectClean(set);
  });

  test('refuses while a pod names it', async () => {
    using set = await scene();
    put(set, true);
    set.cluster.put('pods', {
      metadata: { name: 'users-pod', namespace },
      spec: { containers: [], volumes: [{ name: 'data', persistentVolumeClaim: { claimName: backup } }] },
      status: { phase: 'Succeeded' },
    });
    const { code, report } = await clean(set.cluster);
    expect(code).toBe('cleanup-blocked');
    expect(report.error?.message).toContain(`pod users-pod names PersistentVolumeClaim ${backup}`);
  });
});

test('where nothing shows that PostgreSQL 14 has the data of PostgreSQL 12, the backups of PostgreSQL 12 stay', async () => {
  using set = await scene('ours', { noted: { outcome: 'reverted' } });
  // An empty PostgreSQL 14 serves, on a new volume in the place of one that is lost.
  for (const name of ['data/.postgresql-upgrade', 'data-12.preupgrade', 'upgrade-logs', '.postgresql-upgrade'])
    rmSync(path.join(set.volume.root, name), { recursive: true });
  const { verdict, report } = await clean(set.cluster);
  expect([verdict, report.error]).toEqual(['cleaned-up', undefined]);
  expect(set.cluster.peek('volumesnapshots', backup, namespace)).toBeDefined();
  expect(set.cluster.peek('persistentvolumes', former)).toBeDefined();
  expect(report.cleanup?.left.map(({ name }) => name)).toEqual(expect.arrayContaining([backup, former]));
});

describe('the Retain that an upgrade set', () => {
  const retained = async (set: Scene, manager?: string) => {
    const now = set.cluster.look('persistentvolumes', 'pv-1');
    const fieldsV1 = { 'f:spec': { 'f:persistentVolumeReclaimPolicy': {} } };
    set.cluster.put('persistentvolumes', {
      ...now,
      metadata: { ...now?.metadata, ...(manager === undefined ? {} : { managedFields: [{ manager, fieldsV1 }] }) },
      spec: { ...now?.spec, persistentVolumeReclaimPolicy: 'Retain' },
    });
    await clean(set.cluster);
    return set.cluster.peek('persistentvolumes', 'pv-1')?.spec?.persistentVolumeReclaimPolicy;
  };

  test('is set to what it was before', async () => {
    using set = await scene();
    expect(await retained(set)).toBe('Delete');
  });

  test('stays where somebody else has set it, where it was so before, and without a journal', async () => {
    using set = await scene();
    expect(await retained(set, 'kubectl-patch')).toBe('Retain');
    using was = await scene('ours', { record: { reclaimPolicy: 'Retain' } });
    expect(await retained(was)).toBe('Retain');
    using vendors = await scene('vendor');
    expect(await retained(vendors)).toBe('Retain');
  });
});

describe('a cleanup that is killed', () => {
  const callsOf = async () => {
    using set = await scene();
    const { cluster, count } = dyingAt(set.cluster, Infinity, true);
    await clean(cluster);
    return count();
  };

  test.each([
    ['before', false],
    ['after', true],
  ])('%s the effect of any of its calls is completed by the next one', async (_when, hasEffect) => {
    const calls = await callsOf();
    expect(calls).toBeGreaterThan(60);
    for (const last of choiceUpTo(calls, kills)) {
      using set = await scene();
      await clean(dyingAt(set.cluster, last, hasEffect).cluster);
      const killedAt = JSON.stringify(set.cluster.calls.at(-1) ?? 'no call').slice(0, 200);
      expireLeases(set.cluster);
      const { verdict, report } = await clean(set.cluster);
      try {
        expect([verdict, report.error]).toEqual(['cleaned-up', undefined]);
        expectClean(set);
      } catch (error) {
        throw new Error(`killed at call ${String(last)} of ${String(calls)}, ${killedAt}`, { cause: error });
      }
    }
  });
});
