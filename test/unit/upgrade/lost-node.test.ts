import { describe, expect, test } from '@jest/globals';
import { jobName, upgradeJob } from '../../../src/objects/upgrade-job.ts';
import { namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { controlJobs, ending, revertName } from './job-controller.ts';
import { run, setUp, undo } from './stopped-server.ts';

describe('the upgrade Job on a node that goes', () => {
  test('whose pod was evicted is told as evicted, with what to do', async () => {
    const setting = await setUp();
    controlJobs(setting, { [jobName]: ending(10) });
    setting.cluster.hooks.push(() => {
      for (const pod of setting.cluster.all('pods')) {
        const condition = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' };
        pod.spec = { containers: [], ...pod.spec, nodeName: 'node-b' };
        if (pod.status !== undefined) pod.status.conditions = [condition];
        setting.cluster.put('pods', pod);
      }
    });
    const error = await thrownBy(() => run(setting));
    expect(error.code).toBe('job-failed');
    expect(error.message).toContain('node node-b, EvictionByEvictionAPI');
    expect(error.remedy.text).toContain('node-b');
  });

  test.each(['revert', 'another upgrade'])(
    'of %s that counts as failed since its node is gone, while its container may run, is never deleted',
    async (whose) => {
      const setting = await setUp();
      const { context, cluster } = setting;
      const name = whose === 'revert' ? revertName : jobName;
      const left = upgradeJob(
        context.target,
        { ...context.settings, runId: 'another' },
        whose === 'revert' ? 'revert' : 'upgrade',
        context.scripts,
      );
      if (whose !== 'revert') cluster.put('jobs', left);
      controlJobs(setting, { [name]: { running: {} }, [jobName]: whose === 'revert' ? ending(1) : { running: {} } });
      // The Job controller counts a pod that is to go as failed, whether it has gone or not.
      cluster.hooks.push(() => {
        const job = cluster.peek('jobs', name, namespace);
        if (job !== undefined) cluster.put('jobs', { ...job, status: { failed: 1, terminating: 1 } });
      });
      const error = await thrownBy(async () => {
        if (whose !== 'revert') await run(setting);
        await thrownBy(() => run(setting));
        cluster.put('jobs', left);
        await undo(setting);
      });
      expect(error.code).toBe('job-still-runs');
      expect(cluster.writes).not.toContain(`delete jobs/${name}`);
    },
  );
});
