import type { AnyCluster } from '../any-cluster.ts';
import { describe, expect, jest, test } from '@jest/globals';
import { Database } from '../../../src/database/database.ts';
import { isRunError } from '../../../src/common/errors.ts';
import { replacedAnnotation } from '../../../src/objects/copy.ts';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import { Timeline } from '../../../src/report/timeline.ts';
import { discover } from '../../../src/target/discover.ts';
import { claimInSwap } from '../../../src/upgrade/backup/volume-swap.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { beginRollback, mayLose, rollBack } from '../../../src/upgrade/rollback.ts';
import { contextOf } from '../../../src/upgrade/upgrade.ts';
import { choiceUpTo } from '../../choice.ts';
import { deployment, inputs, namespace, oldImage, password } from '../objects.ts';
import { recordOf } from './context.ts';
import { dyingAt, Killed } from './dying-cluster.ts';
import { collectPods, ending, revertName, served } from './job-controller.ts';
import { live } from './live.ts';
import { seal } from './sealed.ts';

// The last two are some hundred upgrades and rollbacks each.
jest.setTimeout(180_000);

type Live = Awaited<ReturnType<typeof live>>;

/** A namespace whose server was upgraded a while ago; since then the frontend was scaled to 5. */
async function upgraded(transfer = 'link'): Promise<Live> {
  const back = ending(0, { command: 'rollback', outcome: 'reverted', message: 'data is PostgreSQL 12 again' });
  const setting = await live({
    [jobName]: ending(0, { transfer }),
    [revertName]: served(transfer),
    [`${revertName} rollback`]: back,
  });
  collectPods(setting);
  await setting.begin();
  // Of another run.
  delete setting.context.results.backup;
  setting.cluster.put('deployments', deployment('frontend', 5));
  setting.cluster.calls.length = 0;
  return setting;
}

/** What the mode does in one run, over a connection of its own. */
async function roll({ context, clock }: Live, cluster: AnyCluster, given = inputs()): Promise<string> {
  try {
    const earlier = await Journal.find(cluster, namespace, seal);
    if (earlier === undefined || earlier.noted.outcome === 'reverted') return 'reverted';
    const target = await discover(cluster, inputs(), () => Promise.resolve(claimInSwap(earlier)));
    const journal = await beginRollback(cluster, { target, seal }, earlier, {
      runId: 'run-2',
      startedAt: clock.now().toISOString(),
      reason: 'it was asked for',
    });
    const end = await rollBack({
      ...contextOf(
        {
          ...{ cluster, clock, target },
          log: context.log,
          signal: new AbortController().signal,
          inputs: given,
          database: new Database(cluster, target, password, 'postgres'),
          scripts: context.scripts,
          timeline: new Timeline(clock),
          runCommands: context.runCommands,
          results: context.results,
        },
        journal,
      ),
      isResumed: true,
    });
    return end.end === 'way-back-failed' && end.message.includes('killed') ? 'killed' : end.end;
  } catch (error) {
    if (error instanceof Killed || (isRunError(error) && /\bkilled\b/.test(error.message))) return 'killed';
    throw error;
  }
}

function expectTwelve({ cluster, image, journal }: Live): void {
  expect(image()).toBe(oldImage);
  expect(cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.replicas).toBe(1);
  expect(cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.template.spec).not.toHaveProperty(
    'schedulingGates',
  );
  expect(cluster.peek('deployments', 'frontend', namespace)?.spec?.replicas).toBe(5);
  expect(journal()).toMatchObject({ outcome: 'reverted' });
}

const volumeOf = ({ cluster }: Live) =>
  cluster.peek('persistentvolumeclaims', 'data-postgresql-0', namespace)?.spec?.volumeName;

/** The volume with PostgreSQL 14 is there, and says which one replaced it. */
function expectMarked(setting: Live): void {
  const { metadata, spec } = setting.cluster.peek('persistentvolumes', 'pv-1') ?? {};
  const uid = spec?.claimRef?.uid;
  expect(uid).toMatch(/./);
  expect(metadata?.annotations?.[replacedAnnotation]).toBe(`${uid ?? ''}/${volumeOf(setting) ?? ''}`);
}

describe('a rollback of a finished upgrade', () => {
  test('restores PostgreSQL 12 from the backup, and the applications as they are by now', async () => {
    const setting = await upgraded();
    expect(await roll(setting, setting.cluster)).toBe('reverted');
    expectTwelve(setting);
    expect(volumeOf(setting)).toMatch(/^volume-of-/);
    expect(setting.log.text).toContain('has the data that was measured before the upgrade');
    expect(setting.context.results).toMatchObject({
      backup: { kind: 'snapshot', name: expect.stringContaining('-before-upgrade-') },
      served: { kind: 'PersistentVolume', name: 'pv-1' },
      restored: volumeOf(setting),
    });
    expectMarked(setting);
  });

  test('of cloned files keeps the volume, and has a snapshot of what PostgreSQL 14 had', async () => {
    const setting = await upgraded('clone');
    expect(await roll(setting, setting.cluster)).toBe('reverted');
    expectTwelve(setting);
    expect(volumeOf(setting)).toBe('pv-1');
    expect(setting.cluster.peek('persistentvolumes', 'pv-1')?.metadata?.annotations).not.toHaveProperty([
      replacedAnnotation,
    ]);
    expect(setting.cluster.all('volumesnapshots').map(({ metadata }) => metadata.name)).toEqual([
      expect.stringContaining('-before-upgrade-'),
      expect.stringContaining('-of-14-'),
    ]);
    const { backup, served } = setting.context.results;
    expect([backup?.name, served]).toEqual([
      expect.stringContaining('-before-upgrade-'),
      { kind: 'VolumeSnapshot', name: expect.stringContaining('-of-14-') as unknown },
    ]);
  });

  test('waits where the Job controller counts the end of the first Job late', async () => {
    const setting = await upgraded('clone');
    let asked = 0;
    setting.cluster.hooks.push(({ method, resource, name }) => {
      const job = setting.cluster.look('jobs', revertName, namespace);
      const isFirst = job?.spec?.template.spec?.containers[0]?.command?.at(-1) === 'revert';
      if (method !== 'find' || resource !== 'jobs' || name !== revertName || !isFirst) return;
      setting.cluster.put('jobs', { ...job, status: ++asked < 3 ? { active: 1 } : { failed: 1 } });
    });
    expect(await roll(setting, setting.cluster)).toBe('reverted');
    expectTwelve(setting);
    expect(asked).toBe(3);
  });

  test('whose applications do not stop changes nothing else, and puts them back', async () => {
    const setting = await upgraded();
    setting.cluster.refuse('patch', 'deployments', 403, 'no', 'insights');
    expect(await roll(setting, setting.cluster)).toBe('not-rolled-back');
    expect(setting.image()).not.toBe(oldImage);
    expect(setting.cluster.peek('deployments', 'frontend', namespace)?.spec?.replicas).toBe(5);
    expect(setting.cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.replicas).toBe(1);
  });

  test('loses something, and one of an upgrade that has not let the applications in does not', async () => {
    const setting = await upgraded();
    const journal = await Journal.find(setting.cluster, namespace, seal);
    expect(journal && mayLose(journal)).toBe(true);
    const open = await live();
    await Journal.begin(open.cluster, namespace, seal, recordOf(open.context.target), { step: 'activate' });
    const unfinished = await Journal.find(open.cluster, namespace, seal);
    expect(unfinished && mayLose(unfinished)).toBe(false);
  });

  test.each([
    ['before', false],
    ['after', true],
  ])('that is killed %s the effect of any of its calls is brought to its end by one more', async (_when, hasEffect) => {
    const whole = await upgraded();
    const counted = dyingAt(whole.cluster, Infinity, true);
    await roll(whole, counted.cluster);
    expect(counted.count()).toBeGreaterThan(60);
    for (const last of choiceUpTo(counted.count(), 12)) {
      const setting = await upgraded();
      await roll(setting, dyingAt(setting.cluster, last, hasEffect).cluster);
      const killedAt = JSON.stringify(setting.cluster.calls.at(-1) ?? 'no call').slice(0, 200);
      try {
        expect(await roll(setting, setting.cluster)).toBe('reverted');
        expectTwelve(setting);
        expectMarked(setting);
      } catch (error) {
        throw new Error(`killed at call ${String(last)}, after ${killedAt}`, { cause: error });
      }
    }
  });
});
