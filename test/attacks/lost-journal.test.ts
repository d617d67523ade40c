// No way back may be lost with the journal: at every moment of an upgrade and of its rollback it is spoiled, deleted, or tells of a StatefulSet that was made again.
import type { V1PersistentVolume } from '@kubernetes/client-node';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { jobName } from '../../src/objects/upgrade-job.ts';
import { copyName } from '../../src/objects/copy.ts';
import { journalName } from '../../src/objects/journal-name.ts';
import { choiceOf } from '../choice.ts';
import { namespace, statefulSet } from '../unit/objects.ts';
import { claimName, enter, expectTwelve, stage, type Stage } from './journal/stage.ts';
import { momentOf, runMode, type Ended, type Moment } from './journal/world.ts';

jest.setTimeout(600_000);

const confirm = `${namespace} without the journal`;
interface Scene {
  readonly moment: Moment;
  readonly served: readonly string[];
  /** The call that was made last. */
  readonly after: string;
}

/** What there was after each write of an upgrade and of its rollback. */
async function scenesOf({ world, served: onVolumes }: Stage): Promise<Scene[]> {
  const scenes: Scene[] = [];
  const { cluster } = world;
  let last = '';
  const look = () => {
    const moment = last === '' ? undefined : momentOf(world);
    if (moment !== undefined) scenes.push({ moment, served: [...onVolumes], after: last });
  };
  cluster.hooks.push(({ method, resource, name }) => {
    look();
    last =
      ['create', 'patch', 'delete'].includes(method) && resource !== 'leases' ? `${method} ${resource}/${name}` : '';
  });
  await world.begin();
  expect((await runMode(world, 'rollback')).code).toBeUndefined();
  cluster.hooks.pop();
  return scenes;
}

/** Does what the commands of `claim-missing` do, with the volume that its words say is the one. */
function giveVolume({ world: { cluster, wake } }: Stage, { remedy, commands }: Ended): void {
  expect(remedy).toContain('the one without UID');
  expect(commands.split('\n')).toHaveLength(4);
  const ofClaim = cluster.all('persistentvolumes').filter(({ spec }) => spec?.claimRef?.name === claimName);
  const promised = ofClaim.find(({ spec }) => spec?.claimRef?.uid === undefined);
  const volumeName = (promised ?? ofClaim[0])?.metadata?.name ?? '';
  const spec = { ...cluster.peek('persistentvolumes', volumeName)?.spec };
  delete spec.claimRef;
  cluster
    .put('persistentvolumes', { ...cluster.peek('persistentvolumes', volumeName), spec })
    .put('persistentvolumeclaims', { metadata: { name: claimName, namespace }, spec: { volumeName } });
  wake();
}

function backups({ world: { cluster } }: Stage): string[] {
  return [...cluster.all('volumesnapshots'), ...cluster.all('persistentvolumeclaims')]
    .map(({ metadata }) => metadata?.name ?? '')
    .filter((name) => name.startsWith(`${claimName}-before-upgrade-`));
}

/** The newest backup that an error lists. */
function namedBackup({ remedy }: Ended): string {
  return /: (?:VolumeSnapshot|PersistentVolumeClaim) (\S+), made at [^;]*, ready/.exec(remedy)?.[1] ?? '';
}

/** Does what each error says, until PostgreSQL 12 is there; errors that lead in a circle end the test. */
async function followRemedies(setting: Stage): Promise<string[]> {
  const codes: string[] = [];
  let wanted = confirm;
  for (let tries = 0; tries < 4; tries++) {
    const ended = await runMode(setting.world, 'rollback', { confirm: wanted });
    if (ended.code === undefined) return codes;
    codes.push(ended.code);
    const [, byName] = /"confirm: ([^"]* from )NAME"/.exec(ended.remedy) ?? [];
    if (ended.code === 'claim-missing') giveVolume(setting, ended);
    else if (byName !== undefined) wanted = `${byName}${namedBackup(ended)}`;
    else throw new Error(`${ended.code}: ${ended.text.slice(0, 3000)}`);
  }
  throw new Error(`no end: ${codes.join(', ')}`);
}

async function each(scenes: readonly Scene[], act: (scene: Scene) => Promise<void>): Promise<void> {
  for (const [number, scene] of scenes.entries()) {
    try {
      await act(scene);
    } catch (cause) {
      throw new Error(`moment ${String(number)} of ${String(scenes.length)}, after ${scene.after}`, { cause });
    }
  }
}

let setting: Stage;
let scenes: readonly Scene[];
/** In npm test a choice, with each moment at which there is no claim: the ways back differ most there. */
let chosen: readonly Scene[];

beforeAll(async () => {
  setting = await stage();
  scenes = await scenesOf(setting);
  const some = choiceOf(scenes, 25);
  chosen = scenes.filter((scene) => some.includes(scene) || !hasClaim(scene));
});

test('the moments hold all of an exchange of volumes', () => {
  const claimless = scenes.filter((scene) => !hasClaim(scene));
  const promised = scenes.filter(({ moment }) => {
    const volumes = (moment.objects.get('persistentvolumes') ?? []) as readonly V1PersistentVolume[];
    return volumes.some(({ spec }) => spec?.claimRef?.name === claimName && spec.claimRef.uid === undefined);
  });
  expect(claimless.length).toBeGreaterThan(0);
  expect(promised.length).toBeGreaterThan(1);
  expect(scenes.length).toBeGreaterThan(80);
});

function hasClaim({ moment: { objects } }: Scene): boolean {
  return (objects.get('persistentvolumeclaims') ?? []).some(({ metadata }) => metadata?.name === claimName);
}

describe('at each moment of an upgrade and its rollback, PostgreSQL 12 comes back', () => {
  test('where the seal does not fit any more, in one run', async () => {
    await each(chosen, async (scene) => {
      const spoiled = { ...scene.moment.data, seal: '0'.repeat(64) };
      enter(setting, scene, spoiled);
      for (const mode of ['upgrade', 'rollback'] as const) {
        const { code, remedy } = await runMode(setting.world, mode);
        expect(code).toBe('journal-not-authentic');
        expect(remedy).toContain(confirm);
        expect(setting.world.cluster.writes).toEqual([]);
      }
      const { code, text } = await runMode(setting.world, 'rollback', { confirm });
      if (code !== undefined) throw new Error(text.slice(0, 3000));
      expectTwelve(setting);
    });
  });

  test('where nothing of the journal can be read any more, by what the errors say', async () => {
    const codes = new Set<string>();
    await each(chosen, async (scene) => {
      enter(setting, scene, { record: 'nothing', seal: '0' });
      for (const code of await followRemedies(setting)) codes.add(code);
      expectTwelve(setting);
    });
    expect([...codes].sort()).toEqual(['claim-missing', 'way-back-failed']);
  });

  test('where somebody deleted the journal, by what the errors say', async () => {
    await each(chosen, async (scene) => {
      enter(setting, scene, scene.moment.data);
      const { cluster } = setting.world;
      cluster.remove('configmaps', journalName, namespace);
      const ended = await runMode(setting.world, 'rollback');
      expect(['nothing-to-roll-back', 'journal-gone', 'claim-missing']).toContain(ended.code);
      await followRemedies(setting);
      expectTwelve(setting);
    });
  });

  test('where the StatefulSet was made again, by what the errors say', async () => {
    await each(chosen, async (scene) => {
      enter(setting, scene, scene.moment.data);
      const again = statefulSet();
      setting.world.cluster.put('statefulsets', { ...again, metadata: { ...again.metadata, uid: 'made-again' } });
      setting.world.wake();
      const isOpen = scene.moment.data['outcome'] === undefined;
      if (scene.moment.data['outcome'] === 'reverted') return;
      for (const mode of isOpen ? (['upgrade', 'rollback'] as const) : (['rollback'] as const)) {
        const { code, remedy } = await runMode(setting.world, mode);
        expect(code).toBe('journal-foreign');
        expect(remedy).toContain(confirm);
      }
      expect(await followRemedies(setting)).toEqual([]);
      expectTwelve(setting);
    });
  });
});

test('a clone that is the backup is restored where the volume in place is that of PostgreSQL 14', async () => {
  const cloned = await stage({ backup: 'clone' });
  const all = await scenesOf(cloned);
  const upgraded = all.findLast(({ moment }) => moment.data['outcome'] === 'upgraded');
  if (upgraded === undefined) throw new Error('no such moment');
  const clone = upgraded.moment.data['backup'] ?? '';
  enter(cloned, upgraded, { ...upgraded.moment.data, seal: '0'.repeat(64) });
  const refused = await runMode(cloned.world, 'rollback', { confirm, 'accept-data-loss': 'false' });
  expect(refused.text).toContain(`the action would restore PersistentVolumeClaim ${clone}`);
  const { code } = await runMode(cloned.world, 'rollback', { confirm });
  expect(code).toBeUndefined();
  expectTwelve(cloned);
  // Nobody knows of it by name: the error tells how to find it, and how to name it.
  enter(cloned, upgraded, { record: 'nothing' });
  expect(await followRemedies(cloned)).toEqual(['way-back-failed']);
  expectTwelve(cloned);
  expect(backups(cloned)).toEqual([clone]);
});

test.each([
  ['another name', 'users-snapshot', 'backup-unknown'],
  ['the copy', copyName({ volume: { claimName } }), 'backup-unknown'],
  ['what is not there', `${claimName}-before-upgrade-20200101000000`, 'backup-unknown'],
])('a backup is named in "confirm" by %s, and nothing is changed', async (_what, name, code) => {
  const upgraded = scenes.findLast(({ moment }) => moment.data['outcome'] === 'upgraded');
  if (upgraded === undefined) throw new Error('no such moment');
  enter(setting, upgraded, { ...upgraded.moment.data, seal: '0'.repeat(64) });
  const ended = await runMode(setting.world, 'rollback', { confirm: `${confirm} from ${name}` });
  expect(ended.code).toBe(code);
  expect(ended.remedy).toContain(
    `Backups by this action of PersistentVolumeClaim ${claimName}: VolumeSnapshot ${backups(setting)[0] ?? ''}, made at `,
  );
  expect(setting.world.cluster.writes).toEqual([]);
});

test('a neighbour who takes the label off the backup does not keep it from being restored', async () => {
  const upgraded = scenes.findLast(({ moment }) => moment.data['outcome'] === 'upgraded');
  if (upgraded === undefined) throw new Error('no such moment');
  enter(setting, upgraded, upgraded.moment.data);
  const { cluster } = setting.world;
  for (const one of cluster.all('volumesnapshots'))
    cluster.put('volumesnapshots', { ...one, metadata: { ...one.metadata, labels: {} } });
  expect((await runMode(setting.world, 'rollback')).code).toBeUndefined();
  expectTwelve(setting);
  expect(cluster.look('jobs', jobName, namespace)).toBeUndefined();
});
