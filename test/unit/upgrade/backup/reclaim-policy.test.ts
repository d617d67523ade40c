import { expect, test } from '@jest/globals';
import { protectVolume } from '../../../../src/upgrade/backup/reclaim-policy.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp, type Setting } from '../context.ts';

const policyOf = ({ cluster }: Setting) =>
  cluster.peek('persistentvolumes', 'pv-1')?.spec?.persistentVolumeReclaimPolicy;

test("the server's volume is kept when its claim goes, until the upgrade is undone", async () => {
  const setting = await setUp();
  const before = policyOf(setting);
  expect(before).not.toBe('Retain');
  await protectVolume.run(setting.context);
  expect(policyOf(setting)).toBe('Retain');
  await protectVolume.undo?.(setting.context);
  expect(policyOf(setting)).toBe(before);
});

test('a volume that is gone ends the upgrade before anything is stopped', async () => {
  const setting = await setUp();
  setting.cluster.remove('persistentvolumes', 'pv-1');
  expect((await thrownBy(() => protectVolume.run(setting.context))).code).toBe('volume-gone');
});
