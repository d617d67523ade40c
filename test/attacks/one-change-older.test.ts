// A journal that is exactly one change older than the newest, put back at each change of an upgrade and of its rollback.
import { beforeAll, expect, jest, test } from '@jest/globals';
import { counterOf } from '../../src/journal/counter.ts';
import { journalName } from '../../src/objects/journal-name.ts';
import { namespace } from '../unit/objects.ts';
import { enter, expectFourteen, expectTwelve, stage, type Stage } from './journal/stage.ts';
import { momentOf, objectsOf, runMode, type Moment } from './journal/world.ts';

jest.setTimeout(600_000);

type Data = Readonly<Record<string, string>>;

interface Change {
  /** All that there was just before. */
  readonly before: ReturnType<typeof objectsOf>;
  readonly older: Data;
  /** When it was written, and not counted on the volume yet. */
  readonly written: Moment;
  /** When it was counted. */
  counted?: Moment;
  readonly served: readonly string[];
}

let setting: Stage;
const changes: Change[] = [];

beforeAll(async () => {
  setting = await stage();
  const { world, served } = setting;
  const { cluster } = world;
  const data = () => cluster.look('configmaps', journalName, namespace)?.data;
  let pending: Pick<Change, 'before' | 'older'> | undefined;
  // Before the controllers do anything about it.
  cluster.hooks.unshift(() => {
    const last = changes.at(-1);
    const now = data()?.['counter'];
    if (pending !== undefined && now !== pending.older['counter']) {
      const written = momentOf(world);
      if (written !== undefined) changes.push({ ...pending, written, served: [...served] });
      pending = undefined;
    } else if (last !== undefined && last.counted === undefined && isCounted(Number(now))) {
      const counted = momentOf(world);
      if (counted !== undefined) last.counted = counted;
    }
  });
  cluster.hooks.push(({ method, resource, name }) => {
    const older = data();
    if (method === 'patch' && resource === 'configmaps' && name === journalName && older !== undefined)
      pending = { before: objectsOf(cluster), older };
  });
  await world.begin();
  expect((await runMode(world, 'rollback')).code).toBeUndefined();
  cluster.hooks.pop();
  cluster.hooks.shift();

  function isCounted(counter: number): boolean {
    return cluster.lookAtAll('persistentvolumes').some((volume) => counterOf(volume) === counter);
  }
});

test('there are changes of each kind', () => {
  const names = changes.flatMap(({ older, written: { data } }) =>
    Object.keys(data).filter((name) => data[name] !== older[name]),
  );
  for (const name of ['step', 'measured', 'backup', 'validated', 'outcome', 'rollback', 'back', 'exchange', 'undone'])
    expect(names).toContain(name);
  expect(changes.filter(({ counted }) => counted !== undefined).length).toBeGreaterThan(changes.length - 3);
});

test('is told before the first write once the change is counted', async () => {
  for (const { counted, older, served } of changes) {
    if (counted === undefined) continue;
    enter(setting, { moment: counted, served }, older);
    for (const mode of ['upgrade', 'rollback'] as const) {
      const { code } = await runMode(setting.world, mode);
      expect([mode, code]).toEqual([mode, 'journal-replayed']);
      expect(setting.world.cluster.writes).toEqual([]);
    }
  }
});

test('is, while it is not counted, to the byte what a run leaves that was killed just before the change', () => {
  for (const { before, older, written, served } of changes) {
    enter(setting, { moment: written, served }, older);
    expect(comparable(objectsOf(setting.world.cluster))).toEqual(comparable(before));
  }
});

test.each(['upgrade', 'rollback'] as const)('and "mode: %s" brings that to its end, without loss', async (mode) => {
  const ends = new Set<string>();
  for (const { older, written, served } of changes) {
    enter(setting, { moment: written, served }, older);
    const { code = 'done', text } = await runMode(setting.world, mode);
    ends.add(code);
    if (code === 'reverted' || (mode === 'rollback' && code === 'done')) expectTwelve(setting);
    else if (code === 'done') expectFourteen(setting);
    else throw new Error(`${String(older['counter'])}: ${text.slice(0, 3000)}`);
    expect(setting.world.replicas()).toBe(3);
    expect(setting.world.cluster.look('cronjobs', 'nightly', namespace)?.spec.suspend ?? false).toBe(false);
  }
  expect([...ends].sort()).toEqual(mode === 'upgrade' ? ['done', 'reverted'] : ['done']);
});

/** Without the Lease, which is dead in one of the two, and the versions that the API server gives. */
function comparable(objects: ReturnType<typeof objectsOf>): unknown[] {
  return [...objects]
    .filter(([kind]) => kind !== 'leases')
    .map(([kind, list]) => [
      kind,
      [...list]
        .map((object) => ({ ...object, metadata: { ...object.metadata, resourceVersion: '' } }))
        .sort((a, b) =>
          ((a.metadata as { name?: string }).name ?? '').localeCompare((b.metadata as { name?: string }).name ?? ''),
        ),
    ]);
}
