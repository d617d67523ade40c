// When ANALYZE is made, and what becomes of it where the run ends in the middle.
import { describe, expect, test } from '@jest/globals';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import { mayLose } from '../../../src/upgrade/rollback.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { resumeNow, rollBackNow, upgradeUntil } from '../../attacks/interrupted.ts';
import { namespace, newImage, oldImage } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { collectPods, ending, revertName, served } from './job-controller.ts';
import { live } from './live.ts';
import { seal } from './sealed.ts';

type Live = Awaited<ReturnType<typeof live>>;

const [quick, full] = [/default_statistics_target = 1/, /vacuum_cost_delay/];

async function upgrade(given: Readonly<Record<string, string>> = {}): Promise<Live> {
  const setting = await live({ [jobName]: ending(0), [revertName]: served('link') }, given);
  collectPods(setting);
  return setting;
}

/** Something happens as a script that matches is sent; it is answered only then. */
function asSent({ cluster }: Live, script: RegExp, act: () => Promise<void> | void): void {
  const exec = cluster.exec.bind(cluster);
  cluster.exec = async (...given) => {
    if (script.test(given[4])) await act();
    return await exec(...given);
  };
}

/** As a server that is slower than the API server: fails after many turns, in which nothing else is waited for. */
async function until(isThen: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (isThen()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('it does not come');
}

/** The phases in the order in which they began, from the validation on. */
function phasesOf({ context }: Live): string[] {
  const ids = context.timeline.phases.map(({ id }) => id);
  return ids.slice(ids.indexOf('verify'));
}

describe('the statistics', () => {
  test('keep no application waiting: they are started while ANALYZE is at work', async () => {
    const setting = await upgrade();
    asSent(setting, quick, () => until(() => setting.replicas() === 3));
    const seen: unknown[] = [];
    asSent(setting, full, () => void seen.push(setting.replicas(), setting.context.timeline.downtimeSeconds));
    await setting.begin();
    expect(seen).toEqual([3, expect.any(Number)]);
    expect(phasesOf(setting)).toEqual([
      'verify',
      'update-extensions',
      'server-ready',
      'restore-applications',
      'quick-analyze',
      'analyze',
      'finish',
    ]);
    expect(setting.log.groups.slice(-3)).toEqual([
      'Restart the applications',
      'Rebuild the statistics (ANALYZE)',
      'Clean up after the run',
    ]);
    expect(setting.journal()).toMatchObject({ statistics: 'complete', outcome: 'upgraded' });
  });

  test('are pending in the journal from the quick pass to the end of the full one', async () => {
    const setting = await upgrade();
    const seen: unknown[] = [];
    for (const script of [quick, full])
      asSent(setting, script, () => void seen.push(setting.journal()?.['step'], setting.journal()?.['statistics']));
    await setting.begin();
    expect(seen.slice(0, 2)).toEqual(['restore-applications', 'pending']);
    expect(seen.slice(-2)).toEqual(['restore-applications', 'pending']);
  });

  test('that fail are a warning with the command, and the upgrade is done', async () => {
    const setting = await upgrade();
    setting.state.refuse = [{ statement: /ANALYZE/, message: 'permission denied' }];
    const { warnings } = await setting.begin();
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toContain('Run `ANALYZE;` in this database.');
    expect([setting.image(), setting.replicas()]).toEqual([newImage, 3]);
    expect(setting.journal()).toMatchObject({ statistics: 'pending', outcome: 'upgraded' });
  });

  test('are completed by the next run where one dies between the two passes, without another quick one', async () => {
    const setting = await upgrade();
    let isDead = false;
    asSent(setting, quick, () => until(() => setting.replicas() === 3));
    setting.cluster.hooks.push(() => {
      isDead ||= setting.state.statements.some((statement) => quick.test(statement));
    });
    await upgradeUntil(setting, () => isDead);
    expect(setting.journal()).toMatchObject({ step: 'restore-applications', statistics: 'pending' });
    expect(setting.journal()).not.toHaveProperty('outcome');
    setting.state.statements.length = 0;
    await resumeNow(setting);
    expect(setting.state.statements.filter((statement) => quick.test(statement))).toEqual([]);
    expect(setting.state.statements.filter((statement) => full.test(statement))).toHaveLength(3);
    expect(setting.journal()).toMatchObject({ statistics: 'complete', outcome: 'upgraded' });
  });

  test('that are complete are not rebuilt by another run', async () => {
    const setting = await upgrade();
    await upgradeUntil(setting, () => setting.journal()?.['statistics'] === 'complete');
    setting.state.statements.length = 0;
    await resumeNow(setting);
    expect(setting.state.statements.filter((statement) => statement.includes('ANALYZE'))).toEqual([]);
    expect(setting.journal()).toMatchObject({ statistics: 'complete', outcome: 'upgraded' });
  });

  test('are completed also where the applications are not ready in time, which is told before', async () => {
    const setting = await upgrade({ 'rollout-timeout': '5s' });
    const { cluster, log } = setting;
    cluster.hooks.push(() => {
      const now = cluster.look('deployments', 'frontend', namespace);
      if (now?.spec?.replicas === 3 && now.status?.readyReplicas !== 0)
        cluster.put('deployments', { ...now, status: { ...now.status, readyReplicas: 0 } });
    });
    let toldBefore: string[] = [];
    asSent(setting, full, () => void (toldBefore = log.annotations.map(({ message }) => message)));
    const error = await thrownBy(setting.begin);
    expect(error.code).toBe('applications-not-back');
    expect(toldBefore.at(-1)).toBe(error.message);
    expect(setting.journal()).toMatchObject({ statistics: 'complete', outcome: 'upgraded' });
  });
});

describe('a cancellation while the statistics are rebuilt', () => {
  async function cancelled(): Promise<Live> {
    const setting = await upgrade();
    asSent(setting, full, () => {
      setting.cancelled.abort();
    });
    const error = await thrownBy(setting.begin);
    expect(error.code).toBe('statistics-pending');
    expect(error.remedy.text).toContain('Run "mode: upgrade" again');
    expect([setting.image(), setting.replicas()]).toEqual([newImage, 3]);
    expect(setting.journal()).toMatchObject({ step: 'restore-applications', statistics: 'pending' });
    expect(setting.journal()).not.toHaveProperty('outcome');
    return setting;
  }

  test('leaves them to the next run', async () => {
    const setting = await cancelled();
    await resumeNow(setting);
    expect(setting.journal()).toMatchObject({ statistics: 'complete', outcome: 'upgraded' });
  });

  test('leaves the way back open, with consent', async () => {
    const setting = await cancelled();
    const journal = await Journal.find(setting.cluster, namespace, seal);
    expect(journal && mayLose(journal)).toBe(true);
    expect(await rollBackNow(setting)).toMatch(/^reverted: /);
    expect([setting.image(), setting.replicas()]).toEqual([oldImage, 3]);
  });

  test('while the applications start does not keep one stopped', async () => {
    const setting = await upgrade();
    asSent(setting, quick, () => {
      setting.cancelled.abort();
    });
    expect((await thrownBy(setting.begin)).code).toBe('statistics-pending');
    expect(setting.replicas()).toBe(3);
  });
});

describe('statistics-budget', () => {
  /** Pauses as long as the budget end only by their signal; all others as always. */
  function budgeted({ clock }: Live, endless: boolean): void {
    const sleep = clock.sleep.bind(clock);
    clock.sleep = async (milliseconds, signal) => {
      if (milliseconds !== 60_000 || !endless) await sleep(milliseconds, signal);
      else
        await new Promise<void>((resolve) =>
          signal?.addEventListener('abort', () => {
            resolve();
          }),
        );
    };
  }

  test('holds the applications until the quick pass is done', async () => {
    const setting = await upgrade({ 'statistics-budget': '60s' });
    budgeted(setting, true);
    const seen: unknown[] = [];
    asSent(setting, quick, () => void seen.push(setting.replicas(), setting.journal()?.['step']));
    await setting.begin();
    expect(new Set(seen)).toEqual(new Set([0, 'activate']));
    const last = ['quick-analyze', 'server-ready', 'restore-applications', 'analyze', 'finish'];
    expect(phasesOf(setting).slice(-5)).toEqual(last);
    expect(setting.log.groups).toContain('Estimate the statistics (quick ANALYZE)');
    expect(setting.log.text).not.toContain('is over');
    expect(setting.state.statements.filter((statement) => quick.test(statement))).toHaveLength(3);
    expect(setting.journal()).toMatchObject({ statistics: 'complete', outcome: 'upgraded' });
  });

  test('that is over holds them no longer', async () => {
    const setting = await upgrade({ 'statistics-budget': '60s' });
    budgeted(setting, false);
    asSent(setting, quick, () => until(() => setting.replicas() === 3));
    await setting.begin();
    expect(setting.log.text).toContain('The time of `statistics-budget` is over');
    expect(setting.journal()).toMatchObject({ statistics: 'complete', outcome: 'upgraded' });
  });

  test('and somebody who sets the image of PostgreSQL 12 meanwhile: the pass has ended before the way back begins', async () => {
    const setting = await upgrade({ 'statistics-budget': '60s' });
    budgeted(setting, false);
    const { cluster, context } = setting;
    let isAtWork = 0;
    asSent(setting, quick, async () => {
      isAtWork++;
      const now = cluster.peek('statefulsets', 'postgresql', namespace);
      const [container] = now?.spec?.template.spec?.containers ?? [];
      if (now === undefined || container === undefined) throw new Error('there is no server');
      container.image = oldImage;
      cluster.put('statefulsets', now);
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      isAtWork--;
    });
    const atWorkAtBack: number[] = [];
    cluster.hooks.push(() => {
      if (setting.journal()?.['back'] !== undefined) atWorkAtBack.push(isAtWork);
    });
    expect((await thrownBy(setting.begin)).code).toBe('reverted');
    expect(new Set(atWorkAtBack)).toEqual(new Set([0]));
    expect(context.results.warnings.join()).not.toContain('ANALYZE');
    expect(setting.image()).toBe(oldImage);
  });
});
