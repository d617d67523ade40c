// The Job and PostgreSQL 14 beside an anchor, and what removes it when they can't go where it is.
import { describe, expect, test } from '@jest/globals';
import type { V1Pod, V1PodSpec } from '@kubernetes/client-node';
import { answerError } from '../../../src/adapters/api-error.ts';
import { anchorName } from '../../../src/objects/anchor.ts';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import { activate } from '../../../src/upgrade/steps/activate.ts';
import { keepAttached } from '../../../src/upgrade/steps/anchor.ts';
import { stopPostgresql } from '../../../src/upgrade/steps/stop-postgresql.ts';
import { runUpgradeJob } from '../../../src/upgrade/steps/upgrade-job.ts';
import { namespace, oldImage } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { alter, anchor, anchored, attachment, endsWith, full } from './anchored.ts';
import type { Setting } from './context.ts';
import { ending, revertName } from './job-controller.ts';

const jobOf = ({ cluster }: Setting) => cluster.peek('jobs', jobName, namespace)?.spec?.template.spec;
const stoppedOf = (setting: Setting) =>
  jobOf(setting)?.containers[0]?.env?.find(({ name }) => name === 'STOPPED')?.value;
const requiredOf = (setting: Setting) =>
  jobOf(setting)?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]
    ?.matchFields?.[0]?.values;

describe('the upgrade Job beside an anchor', () => {
  async function stopped(...given: Parameters<typeof anchored>): Promise<Setting> {
    const setting = await anchored(...given);
    await stopPostgresql.run(setting.context);
    return setting;
  }

  test('has to go where the volume is, and refuses a server that did not end cleanly', async () => {
    const setting = await stopped();
    await runUpgradeJob.run(setting.context);
    expect(requiredOf(setting)).toEqual(['node-1']);
    expect(stoppedOf(setting)).toBe('cleanly');
    expect(anchor(setting)).toBeDefined();
  });

  test('goes anywhere and recovers a server after the volume was detached', async () => {
    const setting = await anchored();
    alter(setting, 'postgresql-0', endsWith(137));
    await stopPostgresql.run(setting.context);
    await runUpgradeJob.run(setting.context);
    expect(requiredOf(setting)).toBeUndefined();
    expect(stoppedOf(setting)).toBe('');
  });

  test('that can not go there is made again for any node, and the anchor is removed at once', async () => {
    const setting = await stopped();
    full(setting, jobName);
    await runUpgradeJob.run(setting.context);
    expect(setting.log.text).toContain('1 Insufficient cpu');
    expect(setting.log.text).toContain(`the pod of Job ${jobName} has to go to another one`);
    expect(setting.cluster.writes.filter((write) => write.includes('jobs/'))).toEqual([
      `create jobs/${jobName}`,
      `delete jobs/${jobName}`,
      `delete jobs/${anchorName}`,
      `create jobs/${jobName}`,
    ]);
    expect(requiredOf(setting)).toBeUndefined();
    expect(stoppedOf(setting)).toBe('cleanly');
    expect(setting.context.results.jobRun?.phase).toBe('ended');
    expect(setting.context.results.job?.outcome).toBe('upgraded');
    expect(setting.clock.monotonic()).toBeLessThan(5000);
  });

  test('whose second creation is not answered counts as asked for', async () => {
    const setting = await stopped();
    full(setting, jobName);
    let creations = 0;
    setting.cluster.hooks.push(({ method, resource }) => {
      if (method === 'create' && resource === 'jobs' && ++creations === 2) throw answerError('create jobs', 503, '{}');
    });
    expect((await thrownBy(() => runUpgradeJob.run(setting.context))).code).toBe('server-error');
    expect(setting.context.results.jobRun?.phase).toBe('asked');
  });

  test('goes anywhere once the anchor was evicted', async () => {
    const setting = await stopped();
    alter(setting, anchorName, (pod) => ({ ...pod, status: { phase: 'Failed' } }));
    await runUpgradeJob.run(setting.context);
    expect(requiredOf(setting)).toBeUndefined();
    expect(setting.log.text).toContain('does not run as it was made');
    expect(anchor(setting)).toBeUndefined();
  });

  test('of the same upgrade is followed by a run that does not know how the server was stopped', async () => {
    const setting = await stopped();
    await runUpgradeJob.run(setting.context);
    delete setting.context.results.isStillAttached;
    delete setting.context.results.anchor;
    setting.cluster.calls.length = 0;
    await runUpgradeJob.run(setting.context);
    expect(setting.cluster.writes).toEqual([]);
  });

  test('is taken back by a Job that goes anywhere, after the anchor is removed', async () => {
    const setting = await stopped(ending(1));
    await thrownBy(() => runUpgradeJob.run(setting.context));
    setting.cluster.calls.length = 0;
    await runUpgradeJob.undo?.(setting.context);
    expect(setting.cluster.writes.filter((write) => write.includes('jobs/'))).toEqual([
      `delete jobs/${anchorName}`,
      `create jobs/${revertName}`,
    ]);
  });

  test('that took itself back leaves the anchor, so that PostgreSQL 12 starts beside it', async () => {
    const setting = await stopped(ending(1, { reverted: true }));
    await thrownBy(() => runUpgradeJob.run(setting.context));
    const before = attachment(setting);
    await runUpgradeJob.undo?.(setting.context);
    await stopPostgresql.undo?.(setting.context);
    expect(setting.cluster.peek('pods', 'postgresql-0', namespace)?.spec?.containers[0]?.image).toBe(oldImage);
    expect(attachment(setting)).toBe(before);
    await keepAttached.undo?.(setting.context);
    expect(anchor(setting)).toBeUndefined();
  });
});

describe('PostgreSQL 14 beside an anchor', () => {
  /** The first looks at its pod show it so. */
  function atFirst(setting: Setting, change: (pod: V1Pod) => V1Pod): void {
    let looks = 0;
    const find = setting.cluster.find.bind(setting.cluster);
    setting.cluster.find = async (resource, name, of) => {
      const found = await find(resource, name, of);
      if (resource !== 'pods' || name !== 'postgresql-0' || found === undefined || ++looks > 3) return found as never;
      return change(found as V1Pod) as never;
    };
  }

  const waiting = (pod: V1Pod): V1Pod => ({ ...pod, status: { phase: 'Pending' } });

  test('leaves it until the applications are restarted', async () => {
    const setting = await anchored();
    await stopPostgresql.run(setting.context);
    await activate.run(setting.context);
    expect(anchor(setting)).toBeDefined();
    expect(setting.context.results.anchor).toBeDefined();
  });

  test.each<[string, (pod: V1Pod) => V1Pod, string]>([
    [
      'is on another node',
      (pod) => waiting({ ...pod, spec: { containers: [], ...pod.spec, nodeName: 'node-2' } }),
      "PostgreSQL's pod is on node-2",
    ],
    [
      'is taken by no node',
      ({ spec, ...pod }) => {
        const unplaced: V1PodSpec = { containers: [], ...spec };
        delete unplaced.nodeName;
        const condition = {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message: 'node is cordoned',
        };
        return { ...pod, spec: unplaced, status: { phase: 'Pending', conditions: [condition] } };
      },
      "PostgreSQL's pod finds no node: node is cordoned",
    ],
  ])('has it removed at once when its pod %s', async (_what, change, why) => {
    const setting = await anchored();
    await stopPostgresql.run(setting.context);
    atFirst(setting, change);
    await activate.run(setting.context);
    expect(anchor(setting)).toBeUndefined();
    expect(setting.log.text).toContain(`so that the volume can leave its node: ${why}`);
    expect(setting.log.text).toContain('PostgreSQL 14.22 answers');
  });

  test('has it while the scheduler has not yet said where its pod goes', async () => {
    const setting = await anchored();
    await stopPostgresql.run(setting.context);
    atFirst(setting, ({ spec, ...pod }) => {
      const unplaced: V1PodSpec = { containers: [], ...spec };
      delete unplaced.nodeName;
      return waiting({ ...pod, spec: unplaced });
    });
    await activate.run(setting.context);
    expect(anchor(setting)).toBeDefined();
  });

  test('that is stopped again waits until the volume is detached', async () => {
    const setting = await anchored();
    await stopPostgresql.run(setting.context);
    await activate.run(setting.context);
    await activate.undo?.(setting.context);
    expect(anchor(setting)).toBeUndefined();
    expect(attachment(setting)).toBeUndefined();
  });
});
