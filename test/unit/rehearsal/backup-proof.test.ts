import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../src/facts/facts.ts';
import { proofOf, whyNoProof } from '../../../src/rehearsal/backup-proof.ts';
import { claim, inputs, target } from '../objects.ts';
import { facts, known, unread, upgradeProbe } from '../prechecks/facts.ts';
import { ending } from '../upgrade/job-controller.ts';
import { bootJob, scene } from './scene.ts';

const bySnapshot = { kind: 'snapshot', className: 'csi-class' } as const;
const byClone = { kind: 'clone' } as const;
const booted = (walEnd: string) => ending(0, { command: 'boot', outcome: 'booted', message: 'it starts', walEnd });

async function recoveryOf(
  walEnd: string,
  prepare: (setting: Awaited<ReturnType<typeof scene>>) => void = () => undefined,
) {
  const setting = await scene({ [bootJob]: booted(walEnd) });
  prepare(setting);
  const { findings, restored, seconds } = await setting.whole();
  return { recovery: findings.find(({ id }) => id === 'rehearsal-recovery'), restored, seconds, log: setting.log };
}

describe('whether the storage cuts in time', () => {
  test('is seen in the copy: it has nothing that was written after the driver said that the snapshot was cut', async () => {
    const { recovery, restored } = await recoveryOf('0/15000A0');
    expect(restored).toEqual({ copying: bySnapshot, cuts: 'in-time' });
    expect(recovery?.status).toBe('passed');
    expect(recovery?.evidence.join()).toContain('cuts snapshots in time: the WAL of the copy ends at 0/15000A0');
  });

  test('is a warning where it cuts late, as in the upgrade', async () => {
    const { recovery, restored } = await recoveryOf('0/1600000');
    expect(restored).toEqual({ copying: bySnapshot, cuts: 'late' });
    expect(recovery?.status).toBe('warning');
    expect(recovery?.evidence.join()).toContain('cuts snapshots later than it says');
  });

  test('is unknown where the server can not be marked: that is no failure of the rehearsal', async () => {
    const { recovery, restored, log } = await recoveryOf('0/15000A0', ({ state }) => {
      state.refuse = [{ statement: /pg_switch_wal/, message: 'permission denied' }];
    });
    expect([recovery?.status, restored]).toEqual(['passed', { copying: bySnapshot, cuts: undefined }]);
    expect(recovery?.evidence.join()).toContain('the upgrade proves its backup by itself');
    expect(log.text).toContain('permission denied');
  });

  test('is unknown where the copy does not say where its WAL ends', async () => {
    expect((await recoveryOf('')).restored).toEqual({ copying: bySnapshot, cuts: undefined });
  });

  test('has the seconds until the snapshot was cut and ready', async () => {
    const { seconds } = await recoveryOf('0/15000A0');
    expect(seconds).toMatchObject({ 'rehearsal-cut': expect.any(Number), 'rehearsal-ready': expect.any(Number) });
  });
});

test('a copy on which PostgreSQL 12 does not start is none that was restored', async () => {
  const { whole } = await scene({ [bootJob]: ending(10, { message: 'invalid page' }) });
  expect((await whole()).restored).toBeUndefined();
});

test('a clone on which PostgreSQL 12 starts was restored, and has no time of a cut', async () => {
  const { whole } = await scene({}, byClone);
  expect((await whole()).restored).toEqual({ copying: byClone, cuts: undefined });
});

/** As a node names an image that it has pulled. */
const digestOf = (image: string) => `${image.replace(/:[^:]*$/, '')}@sha256:${'1'.repeat(64)}`;

/** Facts of an upgrade, with what matters to its backup. */
async function upgrading(more: Partial<Facts> = {}): Promise<Facts> {
  const chosen = {
    metadata: { name: 'csi-class', uid: 'uid-of-class' },
    driver: 'csi.example.com',
    deletionPolicy: 'Delete',
    parameters: { tier: 'fast' },
  };
  return await facts({
    snapshotClass: known({ driver: chosen.driver, chosen, candidates: ['csi-class'] }),
    upgradeProbe: known({ ...upgradeProbe, seen: { imageId: digestOf(upgradeProbe.image), node: 'node-1' } }),
    ...more,
  });
}

const inTime = { copying: bySnapshot, cuts: 'in-time' } as const;

describe('a rehearsal proves the backup', () => {
  test('of an upgrade whose storage is as it was', async () => {
    const all = await upgrading();
    const proof = proofOf(all, inTime);
    expect(proof).toMatchObject({ kind: 'snapshot', class: 'csi-class', cuts: 'in-time' });
    expect(whyNoProof(proof, await upgrading())).toBeUndefined();
  });

  test('also where the storage cuts late, and by a clone', async () => {
    expect(proofOf(await upgrading(), { ...inTime, cuts: 'late' })).toMatchObject({ cuts: 'late' });
    const cloning = await upgrading({ inputs: inputs({ backup: 'clone' }) });
    const proof = proofOf(cloning, { copying: byClone, cuts: undefined });
    expect([proof?.kind, whyNoProof(proof, cloning)]).toEqual(['clone', undefined]);
  });

  test('but not where no copy was restored, or it is unknown when the storage cuts, or what it makes copies by', async () => {
    const all = await upgrading();
    expect(proofOf(all, undefined)).toBeUndefined();
    expect(proofOf(all, { ...inTime, cuts: undefined })).toBeUndefined();
    expect(proofOf(await upgrading({ storageClass: unread('forbidden') }), inTime)).toBeUndefined();
    expect(whyNoProof(undefined, all)).toContain('does not say that a copy was restored');
  });

  const otherClass = (more: object) =>
    known({
      driver: 'csi.example.com',
      chosen: {
        metadata: { name: 'csi-class', uid: 'uid-of-class' },
        driver: 'csi.example.com',
        deletionPolicy: 'Delete',
        parameters: { tier: 'fast' },
        ...more,
      },
      candidates: ['csi-class'],
    });

  test.each<[string, () => Promise<Partial<Facts>> | Partial<Facts>, string]>([
    ['another kind', () => ({ inputs: inputs({ backup: 'clone' }) }), 'in another way'],
    ['another class', () => ({ snapshotClass: otherClass({ metadata: { name: 'another' } }) }), 'in another way'],
    [
      'a class that was created again',
      () => ({ snapshotClass: otherClass({ metadata: { name: 'csi-class', uid: 'x' } }) }),
      'has changed',
    ],
    ['other parameters of the class', () => ({ snapshotClass: otherClass({ parameters: {} }) }), 'has changed'],
    [
      'another StorageClass',
      () => ({
        storageClass: known({ name: 'csi', found: { provisioner: 'csi.example.com', parameters: { a: 'b' } } }),
      }),
      'has changed',
    ],
    [
      'an image that no node has by digest',
      () => ({
        upgradeProbe: known({ ...upgradeProbe, seen: { imageId: `sha256:${'1'.repeat(64)}`, node: 'node-1' } }),
      }),
      'only a Job shows which image',
    ],
    ['a StorageClass that can not be read', () => ({ storageClass: unread('forbidden') }), 'could not be read'],
    [
      'a larger volume',
      async () => {
        const found = await target();
        const persistentVolume = { ...found.volume.persistentVolume, spec: { capacity: { storage: '99Gi' } } };
        return { target: { ...found, volume: { ...found.volume, claim: claim(), persistentVolume } } };
      },
      'has changed',
    ],
  ])('but not of an upgrade with %s', async (_what, more, why) => {
    const proof = proofOf(await upgrading(), inTime);
    expect(whyNoProof(proof, await upgrading(await more()))).toContain(why);
  });
});
