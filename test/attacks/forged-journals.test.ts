import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { isWhole } from '../choice.ts';
import { journalName } from '../../src/objects/journal-name.ts';
import { namespace } from '../unit/objects.ts';
import { seal } from '../unit/upgrade/sealed.ts';
import { forge, type Data } from './journal/forge.ts';
import { momentsOfUpgrade } from './journal/moments.ts';
import { Random } from './journal/random.ts';
import {
  harm,
  makeWorld,
  objectsOf,
  putBack,
  putJournal,
  runMode,
  type Live,
  type Mode,
  type Moment,
} from './journal/world.ts';

jest.setTimeout(900_000);

const seed = Number(process.env['SEED'] ?? 20261129);
const count = Number(process.env['FORGED_JOURNALS'] ?? (isWhole ? 2000 : 600));
const changing: readonly Mode[] = ['upgrade', 'rollback'];

let moments: readonly Moment[];
let world: Live;

beforeAll(async () => {
  const { upgrade, rollback } = await momentsOfUpgrade();
  moments = [...upgrade, ...rollback];
  world = await makeWorld();
});

/** Signed as the action signs, with the counter of the moment, so that nothing but grammar and ownership is left to refuse it. */
async function signed(data: Data, { data: authentic }: Moment): Promise<Data> {
  return await seal.sign(namespace, { ...data, salt: authentic['salt'] ?? '', counter: authentic['counter'] ?? '' });
}

/** The moment at which the world is, and all that was there then; none once something was changed. */
let present: { readonly moment: Moment; readonly objects: ReturnType<typeof objectsOf> } | undefined;

function setWorld(moment: Moment, data: Data): ReturnType<typeof objectsOf> {
  if (present?.moment === moment) putJournal(world, data);
  else {
    putBack(world, moment, data);
    present = { moment, objects: objectsOf(world.cluster) };
  }
  return present.objects;
}

/** Runs the modes one after the other; where one has changed something, the next one finds the world as it was. */
async function attack(
  moment: Moment,
  data: Data,
): Promise<{ harms: string[]; codes: string[]; writes: string[]; seen: Data | undefined }> {
  const harms: string[] = [];
  const codes: string[] = [];
  const writes: string[] = [];
  let seen: Data | undefined;
  for (const mode of ['status', 'post', ...changing] as const) {
    const before = setWorld(moment, data);
    // The fake API keeps no name `__proto__`.
    seen ??= world.cluster.look('configmaps', journalName, namespace)?.data;
    const ended = await runMode(world, mode);
    const changed = world.cluster.writes;
    harms.push(...harm(world, before, ended, moment.data['backup']).map((what) => `${mode}: ${what}`));
    if (changed.length > 0) present = undefined;
    codes.push(ended.code ?? '');
    writes.push(...changed.map((write) => `${mode}: ${write}`));
    if (!changing.includes(mode) && changed.length > 0) harms.push(`${mode} writes: ${changed.join()}`);
  }
  return { harms, codes, writes, seen };
}

test('the journals that are forged are of every moment of an upgrade and its rollback', () => {
  const steps = new Set(moments.map(({ data }) => data['step']));
  expect(steps.size).toBeGreaterThan(8);
  expect(moments.some(({ data }) => data['exchange'] !== undefined)).toBe(true);
  expect(moments.some(({ data }) => data['outcome'] === 'upgraded')).toBe(true);
  expect(moments.some(({ data }) => data['outcome'] === 'reverted')).toBe(true);
});

describe.each([
  ['unsigned', false],
  ['correctly signed', true],
])('%s forged journals', (_how, isSigned) => {
  const half = Math.ceil(count / 2);

  test(`${String(half)} of seed ${String(seed)} change nothing of others, run nothing and tell no secret`, async () => {
    const random = new Random(seed + (isSigned ? 1 : 0));
    const others = moments.map(({ data }) => data);
    let refused = 0;
    const found = new Map<string, string>();
    for (let number = 0; number < half; number++) {
      // Some of each moment, one after the other.
      const moment = moments[Math.floor((number / half) * moments.length)] ?? random.of(moments);
      const forged = forge(random, moment.data, others);
      const data = isSigned ? await signed(forged, moment) : forged;
      const { harms, codes, writes, seen } = await attack(moment, data);
      const what = `journal ${String(number)} of seed ${String(seed)}: ${JSON.stringify(data).slice(0, 3000)}`;
      for (const one of harms) if (found.size < 20) found.set(one.slice(0, 600), what);
      const isForged = !isDeepStrictEqual(seen, moment.data);
      if (!isSigned && isForged) {
        if (writes.length > 0) found.set(`it was believed: ${writes.join(', ')}`, what);
        expect(codes.slice(2).filter((code) => !code.startsWith('journal-'))).toEqual([]);
      }
      if (codes.some((code) => code.startsWith('journal-'))) refused++;
    }
    expect(Object.fromEntries(found)).toEqual({});
    // Else the forger forges nothing that matters.
    expect(refused).toBeGreaterThan(half / 4);
  });
});

describe('an older authentic journal that a neighbour put back', () => {
  test('in the middle of an upgrade, after its end, or after a rollback, is told before the first write', async () => {
    let tried = 0;
    for (const [now, moment] of moments.entries()) {
      for (const earlier of new Set([0, Math.floor(now / 2), now - 1])) {
        const older = moments[earlier];
        if (older === undefined || earlier >= now) continue;
        putBack(world, moment, older.data);
        // What is on the volume is older by one change where a run was killed between the two.
        const status = await runMode(world, 'status');
        if (earlier < now - 1) expect(status.text).toContain('journal');
        for (const mode of changing) {
          const { code, remedy } = await runMode(world, mode);
          if (earlier === now - 1 && code !== 'journal-replayed') {
            putBack(world, moment, older.data);
            continue;
          }
          expect([mode, earlier, now, code]).toEqual([mode, earlier, now, 'journal-replayed']);
          expect(remedy).toContain('confirm');
          expect(world.cluster.writes).toEqual([]);
          tried++;
        }
      }
    }
    expect(tried).toBeGreaterThan(50);
  });
});
