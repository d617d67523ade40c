import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, test } from '@jest/globals';
import { jobName } from '../../src/job/manifest.ts';
import { namespace, oldImage } from '../unit/objects.ts';
import { collectPods, ending, revertName } from '../unit/upgrade/job-controller.ts';
import { live } from '../unit/upgrade/live.ts';
import { rollBackNow, upgradeUntil, type Live } from './interrupted.ts';

const reverted = ending(0, { command: 'revert', outcome: 'reverted', message: 'data is PostgreSQL 12 again' });

/** The upgrade Job's own pod. */
const upgradePod = ({ cluster: from }: Live): V1Pod | undefined =>
  from.all('pods').find(({ metadata }) => metadata?.name?.startsWith(`${jobName}-uid`));

function stripLabels(setting: Live): void {
  const pod = upgradePod(setting);
  setting.cluster.put('pods', { ...pod, metadata: { ...pod?.metadata, labels: {}, ownerReferences: [] } });
}

describe('a neighbour who takes the labels off the pod of the upgrade Job', () => {
  test('after its end does not keep the way back from taking the data directory back', async () => {
    const setting = await live({ [jobName]: ending(0), [revertName]: reverted });
    await upgradeUntil(setting, () => setting.journal()?.['step'] === 'activate');
    stripLabels(setting);
    expect(await rollBackNow(setting)).toMatch(/^reverted: /);
    expect(setting.cluster.writes).toContain(`create jobs/${revertName}`);
    expect(setting.image()).toBe(oldImage);
  });

  test('and has it deleted after its end does not either', async () => {
    const setting = await live({ [jobName]: ending(0), [revertName]: reverted });
    await upgradeUntil(setting, () => setting.journal()?.['step'] === 'activate');
    const name = upgradePod(setting)?.metadata?.name ?? '';
    // A Job that has ended makes no other one.
    setting.cluster.hooks.push(() => {
      setting.cluster.remove('pods', name, namespace);
    });
    expect(await rollBackNow(setting)).toMatch(/^reverted: /);
    expect(setting.cluster.writes).toContain(`create jobs/${revertName}`);
  });

  test('while it is at work does not get the Job removed', async () => {
    const setting = await live({ [jobName]: { running: {} }, [revertName]: reverted });
    collectPods(setting);
    await upgradeUntil(setting, () => upgradePod(setting) !== undefined);
    stripLabels(setting);
    setting.cluster.calls.length = 0;
    expect(await rollBackNow(setting)).toContain('is at work on the volume');
    expect(setting.cluster.writes.filter((write) => write.includes('jobs/'))).toEqual([]);
  });

  test('and has the Job removed does not get a second one made beside a pod that is at work', async () => {
    const setting = await live({ [jobName]: { running: {} }, [revertName]: reverted });
    await upgradeUntil(setting, () => upgradePod(setting) !== undefined);
    stripLabels(setting);
    setting.cluster.remove('jobs', jobName, namespace);
    expect(await rollBackNow(setting)).toContain('is at work on the volume');
    expect(setting.cluster.writes).not.toContain(`create jobs/${revertName}`);
  });
});
