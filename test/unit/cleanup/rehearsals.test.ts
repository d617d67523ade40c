// What rehearsals have left goes with a cleanup, unless one lives.
import { describe, expect, jest, test } from '@jest/globals';
import { newLease } from '../../../src/objects/lease.ts';
import { rehearsalLeaseName, rehearsalPodName, rehearsalRecordName } from '../../../src/objects/rehearsal.ts';
import { choiceUpTo } from '../../choice.ts';
import type { FakeCluster } from '../fake-cluster.ts';
import { namespace } from '../objects.ts';
import { dyingAt } from '../upgrade/dying-cluster.ts';
import { expectClean } from './expect-clean.ts';
import { claimOfRehearsal, leaveRehearsal, ofRehearsal12 } from './killed-rehearsal.ts';
import { clean, expireLeases, scene, type Cleaned, type Scene } from './scene.ts';

// A cleanup for each kill.
jest.setTimeout(300_000);

/** Calls at which `npm test` kills a run. */
const kills = 4;

const rehearsing = 'https://github.example/o/r/actions/runs/7/attempts/1';

const namesOf = (rows: readonly { readonly kind: string; readonly name: string }[] = []) =>
  rows.map(({ kind, name }) => `${kind} ${name}`);
const all = ofRehearsal12.map(([kind, name]) => `${kind} ${name}`);

/** A namespace that a cleanup is for, with what a killed rehearsal has left. */
async function left(): Promise<Scene> {
  const set = await scene();
  await leaveRehearsal(set.cluster, set.target);
  set.cluster.calls.length = 0;
  return set;
}

/** Those of a rehearsal among what the report has. */
function listed({ report }: Cleaned) {
  const items = report.cleanup?.items ?? [];
  return items.filter(({ kind, name }) => all.includes(`${kind} ${name}`));
}

function whys({ report }: Cleaned): string[] {
  const left = report.cleanup?.left ?? [];
  return left.filter(({ kind, name }) => all.includes(`${kind} ${name}`)).map(({ why }) => why);
}

/** All that has a name of a rehearsal's, and the volume of its copy. */
function there(cluster: FakeCluster): string[] {
  const kinds = [
    ...(['pods', 'jobs', 'persistentvolumeclaims', 'volumesnapshots'] as const),
    ...(['volumesnapshotcontents', 'persistentvolumes', 'configmaps'] as const),
  ];
  return kinds.flatMap((kind) =>
    cluster.all(kind).flatMap(({ metadata }) => {
      const name = metadata?.name ?? '';
      return name.includes('rehearsal') ? [`${kind}/${name}`] : [];
    }),
  );
}

/** The Lease of a rehearsal; its run renews it each time that it is looked at, unless it has died. */
function hold(cluster: FakeCluster, isAlive: boolean): void {
  let seconds = 0;
  const put = () => {
    const now = new Date(cluster.time().getTime() - 30_000 + seconds);
    cluster.put('leases', newLease(namespace, rehearsing, '1', now, rehearsalLeaseName));
  };
  put();
  if (!isAlive) return;
  cluster.hooks.push(({ method, name }) => {
    if (method !== 'find' || name !== rehearsalLeaseName) return;
    seconds += 1000;
    put();
  });
}

describe('what is left of a rehearsal that was killed', () => {
  test('is listed with its bytes by a dry run, which takes no Lease', async () => {
    using set = await left();
    const end = await clean(set.cluster, { 'dry-run': 'true', confirm: '' });
    expect(listed(end).map(({ kind, name, bytes }) => [kind, name, bytes])).toEqual(
      ofRehearsal12.map(([kind, name, bytes]) => [kind, name, bytes]),
    );
    expect(there(set.cluster)).toHaveLength(7);
    expect(set.cluster.peek('leases', rehearsalLeaseName, namespace)).toBeUndefined();
  });

  test('is removed under the Lease of the rehearsals, after all that the upgrade kept', async () => {
    using set = await left();
    const end = await clean(set.cluster);
    expect([end.verdict, end.report.error]).toEqual(['cleaned-up', undefined]);
    expect(listed(end).map(({ isRemoved }) => isRemoved)).toEqual(ofRehearsal12.map(() => true));
    expect(there(set.cluster)).toEqual([]);
    expectClean(set);
    const { writes } = set.cluster;
    const [taken, first] = [`create leases/${rehearsalLeaseName}`, `delete pods/${rehearsalPodName(12)}`];
    expect(writes.indexOf(first)).toBeGreaterThan(writes.indexOf(taken));
    expect(writes.indexOf(taken)).toBeGreaterThan(
      writes.findIndex((write) => write.startsWith('delete configmaps/postgresql-upgrade')),
    );
  });

  test('is removed without a backup where nothing else is left, since it is no way back', async () => {
    using set = await left();
    await clean(set.cluster);
    await leaveRehearsal(set.cluster, set.target);
    set.cluster.calls.length = 0;
    const { verdict, report, runner } = await clean(set.cluster);
    expect([verdict, namesOf(report.cleanup?.items)]).toEqual(['cleaned-up', all]);
    expect(set.cluster.writes.filter((write) => write.startsWith('create volumesnapshots'))).toEqual([]);
    expect(JSON.stringify(runner.log.annotations)).toContain('Removed 5 items, 16 GiB by their sizes.');
    expect(there(set.cluster)).toEqual([]);
  });

  test('is not said to be removed while the storage has its volume', async () => {
    using set = await left();
    const finalizers = ['example.com/held'];
    const volume = set.cluster.look('persistentvolumes', 'pv-of-rehearsal');
    set.cluster.hooks.push(() => {
      if (set.cluster.look('persistentvolumes', 'pv-of-rehearsal') === undefined)
        set.cluster.put('persistentvolumes', { ...volume, metadata: { ...volume?.metadata, finalizers } });
    });
    const end = await clean(set.cluster);
    expect(end.report.error?.message).toContain('waiting for PersistentVolume pv-of-rehearsal to be deleted');
    expect(listed(end).map(({ isRemoved }) => isRemoved)).toEqual(ofRehearsal12.map(() => false));
  });

  test('stays, and is named, where it is not known what is there', async () => {
    using set = await left();
    set.cluster.refuse('find', 'pods', 403, 'forbidden', rehearsalPodName(12));
    const { code, report } = await clean(set.cluster);
    expect(code).toBe('cleanup-blocked');
    expect(report.cleanup?.gates.find(({ id }) => id === 'objects')?.status).toBe('unknown');
    expect(there(set.cluster)).toHaveLength(7);
  });
});

describe('while a rehearsal lives', () => {
  test.each([{}, { 'dry-run': 'true', confirm: '' }])(
    '%j names what it made, and removes nothing of it',
    async (more) => {
      using set = await left();
      hold(set.cluster, true);
      const end = await clean(set.cluster, more);
      expect(end.report.error).toBeUndefined();
      expect([listed(end), there(set.cluster).length]).toEqual([[], 7]);
      expect(new Set(whys(end))).toEqual(
        new Set([`a rehearsal is at work: ${rehearsing} holds Lease ${rehearsalLeaseName}`]),
      );
      expect(whys(end)).toHaveLength(5);
      expect(set.cluster.peek('leases', rehearsalLeaseName, namespace)?.spec?.holderIdentity).toBe(rehearsing);
    },
  );

  test('that began after the last look, it keeps what it made', async () => {
    using set = await left();
    set.cluster.hooks.push(({ method, name }) => {
      if (method === 'delete' && name.startsWith('postgresql-upgrade')) hold(set.cluster, true);
    });
    const end = await clean(set.cluster);
    expect([end.verdict, listed(end).map(({ isRemoved }) => isRemoved)]).toEqual([
      'cleaned-up',
      ofRehearsal12.map(() => false),
    ]);
    expect(JSON.stringify(end.runner.log.annotations)).toContain('The cleanup leaves what rehearsals have made.');
    expect(there(set.cluster)).toHaveLength(7);
  });

  test('that has died, the cleanup waits until its Lease expires', async () => {
    using set = await left();
    hold(set.cluster, false);
    const { time } = set.cluster;
    let looks = 0;
    set.cluster.hooks.push(({ method, name }) => {
      if (method === 'find' && name === rehearsalLeaseName) looks += 1;
      if (looks === 3) set.cluster.time = () => new Date(time().getTime() + 31_000);
    });
    const end = await clean(set.cluster);
    expect([end.verdict, there(set.cluster)]).toEqual(['cleaned-up', []]);
    expect(end.runner.log.text).toContain(`Lease ${rehearsalLeaseName} of ${rehearsing} to expire`);
  });
});

describe('what is not a rehearsal’s', () => {
  test('keeps its name, and all that a rehearsal made beside it', async () => {
    using set = await left();
    const name = rehearsalPodName(12);
    set.cluster.put('pods', { metadata: { name, namespace }, spec: { containers: [] } });
    const end = await clean(set.cluster);
    expect([end.verdict, namesOf(listed(end))]).toEqual(['cleaned-up', [`ConfigMap ${rehearsalRecordName}`]]);
    expect(whys(end)).toEqual([
      'no rehearsal of this server made it',
      ...Array.from({ length: 3 }, () => expect.stringContaining(`no rehearsal made Pod ${name}`) as unknown),
    ]);
    expect(there(set.cluster)).toHaveLength(6);
  });

  test('is a result that nobody sealed who knows the password', async () => {
    using set = await left();
    const now = set.cluster.look('configmaps', rehearsalRecordName, namespace);
    set.cluster.put('configmaps', { ...now, data: { ...now?.data, record: '{"passed":true}' } });
    const end = await clean(set.cluster);
    expect([end.verdict, whys(end)]).toEqual(['cleaned-up', ["nobody who knows the superuser's password wrote it"]]);
    expect(there(set.cluster)).toEqual([`configmaps/${rehearsalRecordName}`]);
  });

  test('is a volume which Kubernetes gave the claim: it stays, and has no bytes that the cleanup frees', async () => {
    using set = await left();
    const volume = set.cluster.look('persistentvolumes', 'pv-of-rehearsal');
    const claim = set.cluster.look('persistentvolumeclaims', claimOfRehearsal, namespace);
    const made = (hours: number) => new Date(Date.UTC(2026, 0, 2) - hours * 3_600_000);
    set.cluster
      .put('persistentvolumes', { ...volume, metadata: { ...volume?.metadata, creationTimestamp: made(9) } })
      .put('persistentvolumeclaims', { ...claim, metadata: { ...claim?.metadata, creationTimestamp: made(1) } });
    const end = await clean(set.cluster);
    const item = listed(end).find(({ kind }) => kind === 'PersistentVolumeClaim');
    expect([end.verdict, item]).toEqual([
      'cleaned-up',
      {
        ...{ kind: 'PersistentVolumeClaim', name: claimOfRehearsal, isRemoved: true },
        why: 'a claim of a rehearsal; PersistentVolume pv-of-rehearsal is no copy, and stays',
      },
    ]);
    expect(there(set.cluster)).toEqual(['persistentvolumes/pv-of-rehearsal']);
    const stays = set.cluster.peek('persistentvolumes', 'pv-of-rehearsal');
    expect(stays?.spec?.persistentVolumeReclaimPolicy).toBe('Retain');
  });
});

describe('a cleanup that is killed while it removes what a rehearsal left', () => {
  const isRemoving = ({ method, name }: { method: string; name: string }) =>
    method === 'create' && name === rehearsalLeaseName;
  /** The calls of a cleanup, and how many of them come before that. */
  const callsOf = async () => {
    using set = await left();
    const { cluster, count } = dyingAt(set.cluster, Infinity, true);
    let before = 0;
    set.cluster.hooks.push((call) => {
      if (isRemoving(call)) before = count();
    });
    await clean(cluster);
    return [before, count()] as const;
  };

  test.each([
    ['before', false],
    ['after', true],
  ])('%s the effect of any of its calls is completed by the next one', async (_when, hasEffect) => {
    const [before, calls] = await callsOf();
    expect(calls - before).toBeGreaterThan(30);
    for (const last of choiceUpTo(calls - before, kills)) {
      using set = await left();
      await clean(dyingAt(set.cluster, before - 1 + last, hasEffect).cluster);
      const killedAt = JSON.stringify(set.cluster.calls.at(-1) ?? 'no call').slice(0, 200);
      expireLeases(set.cluster);
      const { verdict, report } = await clean(set.cluster);
      try {
        expect([verdict, report.error]).toEqual(['cleaned-up', undefined]);
        expectClean(set);
        expect(there(set.cluster)).toEqual([]);
      } catch (error) {
        throw new Error(`killed at call ${String(last)} of ${String(calls - before)}, ${killedAt}`, { cause: error });
      }
    }
  });
});
