import { describe, expect, test } from '@jest/globals';
import { jobName, upgradeJob } from '../../../../src/objects/upgrade-job.ts';
import { job, namespace, stopApplications } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp as setUpServer } from '../context.ts';
import { collectPods, controlJobs, ending, revertName } from '../job-controller.ts';
import { run, setUp, undo } from '../stopped-server.ts';

describe('the upgrade Job', () => {
  test('gets its scripts, runs, and leaves its result', async () => {
    const setting = await setUp();
    controlJobs(setting, { [jobName]: ending(0) });
    await run(setting);
    const made = setting.cluster.peek('jobs', jobName, namespace)?.spec?.template.spec?.containers[0];
    expect(made?.command).toEqual(expect.arrayContaining(['upgrade.sh', 'echo upgrade', 'upgrade']));
    expect(setting.context.results).toMatchObject({
      jobRun: { phase: 'ended' },
      job: { oldVersion: '12.16', newVersion: '14.22' },
    });
    expect(setting.context.results.warnings).toEqual([]);
    expect(setting.log.text).toContain('pg_upgrade upgraded PostgreSQL 12.16 to 14.22 (transfer mode link)');
  });

  test('makes room where a Job of the documented way has failed, which has the same name', async () => {
    const setting = await setUp();
    setting.cluster.put('jobs', job(jobName, 0));
    controlJobs(setting, { [jobName]: ending(0) });
    await run(setting);
    expect(setting.log.text).toContain(`Deleting Job ${jobName} of an earlier try, which has ended`);
    expect(setting.context.results).toMatchObject({ jobRun: { phase: 'ended' } });
  });

  test('that had to recover the old server first is a warning', async () => {
    const setting = await setUp();
    controlJobs(setting, { [jobName]: ending(0, { recovered: true }) });
    await run(setting);
    expect(setting.context.results.warnings[0]).toContain('not been shut down cleanly');
  });

  test.each([
    ['link', 'clone'],
    ['clone', 'copy'],
    ['auto', ''],
    ['auto', undefined],
  ])('that was to transfer by %s and says %j has failed, and is taken back', async (planned, ran) => {
    const setting = await setUp(undefined, { transfer: planned });
    const reverted = ending(0, { outcome: 'reverted', message: 'pg_control is back' });
    controlJobs(setting, { [jobName]: ending(0, { transfer: ran }), [revertName]: reverted });
    const error = await thrownBy(() => run(setting));
    expect(error.code).toBe('transfer-differs');
    expect(error.message).toContain(`"${ran ?? ''}"`);
    expect(error.message).toContain(`"${planned}"`);
    await undo(setting);
    expect(setting.log.text).toContain('pg_control is back');
  });

  test('that failed is told at once, in its own words, with where its logs are', async () => {
    const setting = await setUp();
    controlJobs(setting, { [jobName]: ending(1) });
    const error = await thrownBy(() => run(setting));
    expect(error.code).toBe('job-failed');
    expect(error.message).toContain('Run pg_upgrade: lc_collate values for database "postgres" do not match');
    expect(error.remedy.text).toContain('/bitnami/postgresql/upgrade-logs');
    expect(setting.clock.monotonic()).toBeLessThan(5000);
  });

  test.each([
    ['was killed', { exitCode: 137, reason: 'OOMKilled' }, 'code 137 (OOMKilled; signal 9 ended it)'],
    ['ended well without a result', { exitCode: 0, reason: 'Completed' }, 'left no result'],
  ])('that %s has failed', async (_what, terminated, expected) => {
    const setting = await setUp();
    controlJobs(setting, { [jobName]: { terminated } });
    const error = await thrownBy(() => run(setting));
    expect(error.code).toBe('job-failed');
    expect(error.message).toContain(expected);
  });

  test('takes the place of an ended one of its name', async () => {
    const setting = await setUp();
    const { context } = setting;
    const earlier = upgradeJob(context.target, { ...context.settings, runId: 'run-0' }, 'upgrade', context.scripts);
    setting.cluster.put('jobs', { ...earlier, status: { failed: 1 } });
    const before = setting.cluster.peek('jobs', jobName, namespace)?.metadata?.uid;
    controlJobs(setting, { [jobName]: ending(0) });
    await run(setting);
    expect(setting.cluster.peek('jobs', jobName, namespace)?.metadata?.uid).not.toBe(before);
  });

  test('never deletes one that runs', async () => {
    const setting = await setUp();
    const { context } = setting;
    const earlier = upgradeJob(context.target, { ...context.settings, runId: 'run-0' }, 'upgrade', context.scripts);
    setting.cluster.put('jobs', { ...earlier, status: { active: 1 } });
    const error = await thrownBy(() => run(setting));
    expect(error.code).toBe('job-still-runs');
    expect(error.message).toContain(jobName);
    expect(setting.cluster.writes).toEqual([]);
  });

  test('is not made while a server runs on the volume', async () => {
    const setting = await setUpServer();
    stopApplications(setting.cluster);
    const error = await thrownBy(() => run(setting));
    expect(error.code).toBe('server-runs');
    expect(setting.cluster.writes).toEqual([]);
  });

  test('that the same upgrade made before is followed to its end, and not made again', async () => {
    const setting = await setUp();
    const { context, cluster } = setting;
    cluster.put('jobs', {
      ...upgradeJob(context.target, context.settings, 'upgrade', context.scripts),
      status: { active: 1 },
    });
    controlJobs(setting, { [jobName]: ending(0) });
    await run(setting);
    expect(context.results.job?.newVersion).toBe('14.22');
    expect(cluster.writes).toEqual([]);
  });

  test('of the same upgrade with another image is not touched while it is at work', async () => {
    const setting = await setUp();
    const { context, cluster } = setting;
    const other = upgradeJob(context.target, { ...context.settings, image: 'other:1' }, 'upgrade', context.scripts);
    cluster.put('jobs', { ...other, status: { active: 1 } });
    expect((await thrownBy(() => run(setting))).code).toBe('job-still-runs');
    expect(cluster.writes).toEqual([]);
  });

  test('that has just been made by another upgrade, and has no status yet, is not taken for ended', async () => {
    const setting = await setUp();
    setting.cluster.put('jobs', { ...job(jobName, 0), status: {} });
    expect((await thrownBy(() => run(setting))).code).toBe('job-still-runs');
  });

  test('whose pod is gone is made again: the script goes by what is on the disk', async () => {
    const setting = await setUp();
    const { context, cluster } = setting;
    const ended = {
      ...upgradeJob(context.target, context.settings, 'upgrade', context.scripts),
      status: { succeeded: 1 },
    };
    cluster.put('jobs', ended);
    // Its pod does not come back; the one of the new Job does.
    const uid = cluster.peek('jobs', jobName, namespace)?.metadata?.uid ?? '';
    cluster.hooks.push(() => {
      cluster.remove('pods', `${jobName}-${uid}`, namespace);
    });
    controlJobs(setting, { [jobName]: ending(0, { outcome: 'already-upgraded' }) });
    cluster.hooks.reverse();
    await run(setting);
    expect(cluster.writes).toContain(`create jobs/${jobName}`);
    expect(context.results.job?.outcome).toBe('already-upgraded');
  });

  test('that the cluster refuses is told in the words of the API server', async () => {
    const setting = await setUp();
    setting.cluster.refuse('create', 'jobs', 403, 'exceeded quota: compute');
    await expect(run(setting)).rejects.toThrow('exceeded quota: compute');
  });
});

describe('taking the upgrade Job back', () => {
  test('is nothing when there never was a Job', async () => {
    const setting = await setUp();
    await undo(setting);
    expect(setting.cluster.writes).toEqual([]);
  });

  test('is nothing when the Job itself brought the old data directory back', async () => {
    const setting = await setUp();
    controlJobs(setting, { [jobName]: ending(1, { reverted: true }) });
    await thrownBy(() => run(setting));
    setting.cluster.calls.length = 0;
    await undo(setting);
    expect(setting.cluster.writes).toEqual([]);
    expect(setting.log.text).toContain('itself restored the data directory of PostgreSQL 12');
  });

  test.each([
    ['that failed', ending(1)],
    ['that was killed', { terminated: { exitCode: 137, reason: 'OOMKilled' } }],
    ['that had upgraded', ending(0)],
  ])('of a Job %s is done by a second Job, by what is on the disk', async (_what, state) => {
    const setting = await setUp();
    controlJobs(setting, {
      [jobName]: state,
      [revertName]: ending(0, { outcome: 'reverted', message: 'pg_control is back' }),
    });
    await run(setting).catch(() => undefined);
    await undo(setting);
    expect(setting.cluster.writes).toContain(`create jobs/${revertName}`);
    expect(setting.cluster.writes).not.toContain(`delete jobs/${jobName}`);
    expect(setting.log.text).toContain('pg_control is back');
  });

  test.each([
    ['its image cannot be pulled', { waiting: { reason: 'ErrImagePull', message: 'not found' } }, 'job-cannot-start'],
    ['its pod is not started in time', { waiting: { reason: 'ContainerCreating' } }, 'wait-limit'],
  ])('removes a Job that never started, since %s, and needs no other', async (_what, state, code) => {
    const setting = await setUp(undefined, { 'job-start-timeout': '20s' });
    controlJobs(setting, { [jobName]: state });
    expect((await thrownBy(() => run(setting))).code).toBe(code);
    collectPods(setting);
    await undo(setting);
    expect(setting.cluster.writes).toContain(`delete jobs/${jobName}`);
    expect(setting.cluster.writes).not.toContain(`create jobs/${revertName}`);
    expect(setting.log.text).toContain('The upgrade Job did not start: the data directory is as it was');
  });

  test('is not misled by a container that never was and is told as ended while its pod goes', async () => {
    const setting = await setUp();
    controlJobs(setting, { [jobName]: { waiting: { reason: 'ErrImagePull' } } });
    await thrownBy(() => run(setting));
    setting.cluster.hooks.push(({ method, resource }) => {
      if (method !== 'delete' || resource !== 'jobs') return;
      const pod = setting.cluster.all('pods').find((p) => p.metadata?.name?.startsWith(jobName));
      const status = pod?.status?.containerStatuses?.[0];
      if (status !== undefined) status.state = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } };
      if (pod !== undefined) setting.cluster.put('pods', pod);
      setting.clock.meanwhile = () => {
        setting.cluster.remove('pods', pod?.metadata?.name ?? '', namespace);
      };
    });
    await undo(setting);
    expect(setting.cluster.writes).not.toContain(`create jobs/${revertName}`);
  });

  test('goes by the disk when somebody deleted the Job while it was at work', async () => {
    const setting = await setUp();
    controlJobs(setting, {
      [jobName]: { running: {} },
      [revertName]: ending(0, { outcome: 'reverted', message: 'pg_control is back' }),
    });
    setting.clock.meanwhile = () => {
      if (setting.context.results.jobRun?.phase === 'started') setting.cluster.remove('jobs', jobName, namespace);
    };
    collectPods(setting);
    expect((await thrownBy(() => run(setting))).message).toContain('was deleted');
    await undo(setting);
    expect(setting.cluster.writes).toContain(`create jobs/${revertName}`);
    expect(setting.log.text).toContain('pg_control is back');
  });

  test('leaves a Job that still runs to its end, and says how to wait for it', async () => {
    const setting = await setUp(undefined, { 'job-timeout': '20s' });
    controlJobs(setting, { [jobName]: { running: {} } });
    expect((await thrownBy(() => run(setting))).code).toBe('wait-limit');
    setting.cluster.calls.length = 0;
    const error = await thrownBy(() => undo(setting));
    expect(error.code).toBe('job-still-runs');
    expect(error.remedy.text).toContain(`job/${jobName}`);
    expect(setting.cluster.writes).toEqual([]);
  });

  test.each([
    ['failed', ending(1, { step: 'Revert', message: 'neither data nor data-14 is there' }), 'neither data nor data-14'],
    ['was killed', { terminated: { exitCode: 137, reason: 'OOMKilled' } }, 'OOMKilled'],
    ['ended well without a result', { terminated: { exitCode: 0 } }, 'no result'],
  ])('by a Job that %s is told, with the backup', async (_what, state, expected) => {
    const setting = await setUp();
    controlJobs(setting, { [jobName]: ending(1), [revertName]: state });
    await thrownBy(() => run(setting));
    setting.context.results.backup = { kind: 'snapshot', name: 'snap-1' };
    const error = await thrownBy(() => undo(setting));
    expect(error.code).toBe('revert-failed');
    expect(error.message).toContain(expected);
    expect(error.remedy.text).toContain('snap-1');
  });
});
