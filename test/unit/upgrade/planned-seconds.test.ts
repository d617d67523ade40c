// How long the steps of a plan would take.
import { describe, expect, test } from '@jest/globals';
import type { RestoreTestFacts } from '../../../src/probes/restore-test.ts';
import { downtimeText, stepLine } from '../../../src/report/plan-lines.ts';
import { planReport } from '../../../src/report/plan-report.ts';
import { plannedDowntime, type PlannedStep } from '../../../src/report/planned-step.ts';
import { live } from './live.ts';
import { planned, rehearsed, stepsOfDowntime } from './planned.ts';

describe('seconds', () => {
  test('of a copy are those of writing the data and reading it again', async () => {
    const backup = (await planned(await live(), { backup: 'copy' })).find(({ id }) => id === 'backup')?.expected;
    expect(backup?.seconds).toBeGreaterThanOrEqual(5);
    expect(backup?.basis).toMatch(/^copying .* GiB of data at 100 MiB\/s, and reading the copy/);
  });

  const measured: RestoreTestFacts = {
    image: 'image',
    unreachable: undefined,
    broken: undefined,
    network: undefined,
    cpus: 4,
    places: [undefined, 'template1', 'circle'].map((database) => ({
      ...{ database, skipped: undefined, dump: [], failures: [], more: 0, server: [] },
      seconds: { dump: 1, restore: 2 },
    })),
  };
  const restored = { restoreTest: { known: true, value: measured } } as const;

  test('are told for each step of the downtime, from what was measured', async () => {
    const steps = await planned(await live(), {}, restored);
    const job = steps.find(({ id }) => id === 'upgrade-job');
    expect(job?.expected?.seconds).toBeGreaterThan(3 + 1.3 + 1 + 2 + 2);
    expect(plannedDowntime(steps).seconds).toBeGreaterThan(job?.expected?.seconds ?? Infinity);
    expect(steps.filter(({ isDowntime }) => isDowntime).map(({ id }) => id)).toEqual(stepsOfDowntime);
    const last = ['restore-applications', 'quick-analyze', 'analyze', 'confirm-backup', 'finish'];
    expect(steps.slice(-5).map(({ id }) => id)).toEqual(last);
    for (const step of planReport(steps).steps)
      expect(stepLine(step)).toMatch(
        /: (?:about [\d.]+ s \([\d.]+ to [\d.]+ s; .+\)|(?:about 0 s|not predicted) \(.+\))$|\(no downtime\)$/,
      );
    // The storage has copied nothing yet.
    const { unpredicted, seconds } = plannedDowntime(steps);
    expect(unpredicted.map(({ id }) => id)).toEqual(['backup-ready']);
    expect(downtimeText(planReport(steps))).toBe(
      `at least about ${String(Math.ceil(seconds))} s; not predicted: Wait until the backup is ready`,
    );
  });

  test('have the time of `statistics-budget` in the downtime, at most', async () => {
    const world = await live();
    const without = await planned(world, {}, restored);
    const budgeted = await planned(world, { 'statistics-budget': '90s' }, restored);
    expect(plannedDowntime(budgeted).seconds - plannedDowntime(without).seconds).toBeCloseTo(90);
    const ids = budgeted.map(({ id }) => id);
    const last = ['quick-analyze', 'server-ready', 'restore-applications', 'analyze', 'confirm-backup', 'finish'];
    expect(ids.slice(-6)).toEqual(last);
    const moves = (steps: readonly PlannedStep[]) => steps.find(({ id }) => id === 'quick-analyze')?.moves;
    expect(moves(without)).toEqual([{ does: 'run', what: expect.stringMatching(/^Beside the restart/) }]);
    expect(moves(budgeted)).toEqual([{ does: 'run', what: expect.stringMatching(/^Before the restart/) }]);
  });

  test('of a hook before the restart are its limit; that after it takes no downtime', async () => {
    const hooks = { 'before-applications': 'x', 'after-applications': 'x', 'hook-timeout': '2m' };
    const steps = await planned(await live(), hooks);
    const [before, ready, after] = ['before-applications', 'server-ready', 'after-applications'].map((id) =>
      steps.findIndex((step) => step.id === id),
    ) as [number, number, number];
    expect([ready - before, after > ready]).toEqual([1, true]);
    expect(steps[before]).toMatchObject({
      isDowntime: true,
      expected: { seconds: 120, spread: { low: 0, high: 1 }, basis: 'at most hook-timeout' },
    });
    expect(steps[after]?.isDowntime).toBe(false);
    const both = await planned(await live(), { ...hooks, 'before-applications-sql': 'SELECT 1' });
    expect(both[before]?.expected?.seconds).toBe(240);
    expect((await planned(await live())).filter(({ id }) => id.endsWith('-applications')).map(({ id }) => id)).toEqual([
      ...['stop-applications', 'restore-applications'],
    ]);
  });

  test('are not made up where the restore test was not run', async () => {
    const restoreTest = { known: false, reason: 'no pods', code: 'not-asked' } as const;
    const steps = await planned(await live(), {}, { restoreTest });
    expect(planReport(steps).downtimeSeconds).toBeUndefined();
    expect(planReport(steps).steps.map(stepLine).join('\n')).toContain('Run pg_upgrade in a Job: not predicted (');
  });

  test('have a range, in whole seconds for all', async () => {
    const inputs = { transfer: 'clone' };
    const plan = planReport(await planned(await live(), inputs));
    const { downtimeSeconds = NaN, lowSeconds, highSeconds } = plan;
    const steps = plan.steps.filter(({ isDowntime }) => isDowntime);
    const sum = (of: 'lowSeconds' | 'highSeconds') => steps.reduce((all, step) => all + (step[of] ?? NaN), 0);
    expect(Math.abs(lowSeconds - sum('lowSeconds'))).toBeLessThan(1.5);
    expect(Math.abs(highSeconds - sum('highSeconds'))).toBeLessThan(1.5);
    expect(lowSeconds).toBeGreaterThanOrEqual(Math.floor(0.6 * (downtimeSeconds - 1)));
    expect(highSeconds).toBeLessThanOrEqual(Math.ceil(1.4 * downtimeSeconds));
    expect(downtimeText(plan)).toBe(
      `about ${String(downtimeSeconds)} s (${String(lowSeconds)} to ${String(highSeconds)} s)`,
    );
  });

  test('of a backup that a rehearsal has proved are those of the rehearsal, which the plan names', async () => {
    const steps = await planned(await live(), {}, rehearsed);
    const byId = (id: string) => steps.find((step) => step.id === id);
    expect(JSON.stringify(byId('prove-backup')?.moves)).toContain(
      'The backup was proved by the rehearsal of 2026-01-02T03:04:05.000Z (process 1): no copy is made',
    );
    expect(byId('backup')?.expected).toMatchObject({ seconds: 2.5, basis: 'what the rehearsal took' });
    const job = byId('upgrade-job')?.expected?.seconds ?? 0;
    expect(byId('backup-ready')?.expected?.seconds).toBeCloseTo(600 - job, 1);
  });
});
