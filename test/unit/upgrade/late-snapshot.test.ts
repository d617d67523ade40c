import { describe, expect, test } from '@jest/globals';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import { newImage, namespace, oldImage } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { ending, revertName, served } from './job-controller.ts';
import { live, loseRowOn14 } from './live.ts';
import { cutAt } from './storage-controller.ts';

type Live = Awaited<ReturnType<typeof live>>;

const reverted = ending(0, { command: 'revert', outcome: 'reverted', message: 'the old data directory is back' });
const isBackup = (snapshot: string) => snapshot.includes('-before-upgrade-');

/** A cluster whose storage takes a minute until the backup is ready. */
async function slow(
  states: Parameters<typeof live>[0],
  given: Readonly<Record<string, string>> = {},
  seconds = 60,
): Promise<Live & { readonly story: string[] }> {
  let asked: number | undefined;
  let hasBeen = false;
  const story: string[] = [];
  const setting = await live(states, given, ({ clock }, snapshot) => {
    if (!isBackup(snapshot)) return true;
    asked ??= clock.monotonic();
    const is = clock.monotonic() - asked >= seconds * 1000;
    if (is && !hasBeen) story.push('the backup is ready');
    hasBeen = is;
    return is;
  });
  setting.cluster.hooks.push(({ method, resource, name, body }) => {
    const text = JSON.stringify(body ?? '');
    if (method === 'create' && resource === 'jobs' && name === jobName) story.push('pg_upgrade runs');
    if (method === 'patch' && resource === 'statefulsets' && text.includes(newImage))
      story.push('PostgreSQL 14 is started');
    if (method === 'patch' && name === 'frontend' && text.includes('/spec/replicas","value":3'))
      story.push('the applications are restarted');
    if (method === 'delete' && isBackup(name)) story.push('the backup is deleted');
  });
  return { ...setting, story };
}

describe('an upgrade whose backup is ready a minute after it is cut', () => {
  test('runs pg_upgrade meanwhile, and starts PostgreSQL 14 on linked files only when the backup is ready', async () => {
    const { begin, story, image } = await slow({ [jobName]: ending(0) });
    const results = await begin();
    expect(story).toEqual([
      'pg_upgrade runs',
      'the backup is ready',
      'PostgreSQL 14 is started',
      'the applications are restarted',
    ]);
    expect(image()).toBe(newImage);
    expect(results).toMatchObject({ backupTimes: { cutAt }, warnings: [] });
    expect(results.backupTimes?.readyAt).toBeDefined();
  });

  test.each([
    ['the files were cloned', { [jobName]: ending(0, { transfer: 'clone' }) }, {}],
    ['the input says so', { [jobName]: ending(0) }, { 'snapshot-gate': 'cut' }],
  ])('waits for it after the restart of the applications where %s', async (_where, states, given) => {
    const { begin, story } = await slow(states, given);
    const results = await begin();
    expect(story).toEqual([
      'pg_upgrade runs',
      'PostgreSQL 14 is started',
      'the applications are restarted',
      'the backup is ready',
    ]);
    expect(results.warnings).toEqual([]);
  });

  test('waits for it before pg_upgrade where the storage cuts late', async () => {
    const setting = await slow({ [jobName]: ending(0) });
    setting.state.mark = '0/1500000';
    const results = await setting.begin();
    expect(setting.story.slice(0, 2)).toEqual(['the backup is ready', 'pg_upgrade runs']);
    expect(results.warnings).toEqual([expect.stringContaining('cuts snapshots later than it says')]);
  });

  test('reverts without loss when somebody deletes it meanwhile', async () => {
    const setting = await slow({ [jobName]: ending(0), [revertName]: reverted }, {}, Infinity);
    const { cluster, clock, story, image, state, replicas, journal } = setting;
    clock.meanwhile = () => {
      if (!story.includes('pg_upgrade runs')) return;
      for (const { metadata } of cluster.all('volumesnapshots'))
        if (isBackup(metadata.name)) cluster.remove('volumesnapshots', metadata.name, namespace);
    };
    const error = await thrownBy(setting.begin);
    expect(error.code).toBe('reverted');
    expect(error.message).toContain('Somebody else deleted VolumeSnapshot');
    expect(story).toEqual(['pg_upgrade runs', 'the applications are restarted']);
    expect([image(), state.version, replicas()]).toEqual([oldImage, '12.16', 3]);
    expect(journal()).toMatchObject({ outcome: 'reverted' });
  });

  test('reverts without loss when it is not ready at the limit', async () => {
    const states = { [jobName]: ending(0), [revertName]: reverted };
    const setting = await slow(states, { 'snapshot-timeout': '30s' }, Infinity);
    const error = await thrownBy(setting.begin);
    expect(error.code).toBe('reverted');
    expect(error.message).toContain('Timed out after 30 s waiting for VolumeSnapshot');
    expect(setting.story).not.toContain('PostgreSQL 14 is started');
    expect(setting.image()).toBe(oldImage);
  });

  test('restores PostgreSQL 12 from it only when it is ready, where the validation fails before', async () => {
    const states = { [jobName]: ending(0), [revertName]: served('link') };
    const setting = await slow(states, { 'snapshot-gate': 'cut' });
    loseRowOn14(setting);
    setting.cluster.hooks.push(({ method, resource, name }) => {
      const isCopy = method === 'create' && resource === 'persistentvolumeclaims' && name.endsWith('-copy');
      if (isCopy && setting.story.length > 0) setting.story.push('a copy of it is made');
    });
    const error = await thrownBy(setting.begin);
    expect(error.code).toBe('reverted');
    expect(setting.story).toEqual([
      'pg_upgrade runs',
      'PostgreSQL 14 is started',
      'the backup is ready',
      'a copy of it is made',
      'the applications are restarted',
    ]);
    expect(setting.image()).toBe(oldImage);
  });
});
