import { describe, expect, test } from '@jest/globals';
import { anchorName } from '../../../../src/objects/anchor.ts';
import { jobName } from '../../../../src/objects/upgrade-job.ts';
import { expectShortPlan, expectStartInTime } from '../../../../src/upgrade/steps/gates.ts';
import { stopApplications } from '../../../../src/upgrade/steps/applications.ts';
import type { PlannedStep } from '../../../../src/report/planned-step.ts';
import { FakeLog } from '../../fake-runner.ts';
import { cluster as newCluster, inputs, namespace, oldImage, scaledObject } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp, type Setting } from '../context.ts';
import { ending, revertName } from '../job-controller.ts';
import { live } from '../live.ts';

/** The time that the API server tells. */
const now = Date.UTC(2026, 0, 2, 3, 4, 5);
const inTime = { 'start-before': '2026-01-02T03:04:06Z' };
const tooLate = { 'start-before': '2026-01-02T04:04:05+01:00' };

describe('start-before', () => {
  const at = (given: Record<string, string>, time = now) => {
    const [cluster, log] = [newCluster(), new FakeLog()];
    cluster.time = () => new Date(time);
    return { inputs: inputs(given), cluster, log };
  };

  test('lets pass what is earlier by the clock of the API server, and says by how the clock stands', async () => {
    const gate = at(inTime);
    await expectStartInTime(gate);
    expect(gate.log.text).toBe(
      'The API server\'s clock says 2026-01-02T03:04:05.000Z, and "start-before" is 2026-01-02T03:04:06.000Z: in time',
    );
  });

  test('refuses at that very moment, and later', async () => {
    for (const later of [0, 1, 86_400_000]) {
      const error = await thrownBy(() => expectStartInTime(at(tooLate, now + later)));
      expect(error.code).toBe('start-too-late');
      expect(error.message).toContain('"start-before" is 2026-01-02T03:04:05.000Z. No application was stopped.');
    }
  });

  test('asks for no time where there is none to compare with', async () => {
    const gate = at({});
    gate.cluster.now = () => Promise.reject(new Error('the time was asked for'));
    await expectStartInTime(gate);
    expect(gate.log.lines).toEqual([]);
  });
});

describe('max-downtime', () => {
  const step = (id: string, seconds?: number, isDowntime = true): PlannedStep => ({
    ...{ id, title: `Step ${id}`, moves: [], isDowntime },
    expected: seconds === undefined ? { basis: 'nobody knows' } : { seconds, basis: 'known' },
  });
  const judge = (steps: readonly PlannedStep[], given: Record<string, string> = {}) => {
    const log = new FakeLog();
    expectShortPlan(inputs({ 'max-downtime': '60s', ...given }), steps, log);
    return log.text;
  };

  test('lets pass a prediction up to it, which counts the steps of the downtime alone', () => {
    const text = judge([step('a', 20), step('b', 39.2), step('c', 500, false)]);
    expect(text).toBe('The downtime is predicted to take 60 s, and "max-downtime" is 60 s');
  });

  test('refuses a longer prediction', async () => {
    const error = await thrownBy(() => judge([step('a', 20), step('b', 40.5)]));
    expect(error.code).toBe('downtime-too-long');
    expect(error.message).toContain('predicted to take 61 s, and "max-downtime" is 60 s');
  });

  test('refuses what nothing predicts, by its name', async () => {
    const error = await thrownBy(() => judge([step('a', 1), step('upgrade-job'), step('activate'), step('c', 1)]));
    expect(error.code).toBe('downtime-too-long');
    expect(error.message).toContain('Steps without a prediction: Step upgrade-job, Step activate.');
  });

  test.each(['snapshot', 'clone'])('leaves to a later look what the proof of a %s will measure', (backup) => {
    const text = judge([step('a', 20), step('backup'), step('backup-ready')], { backup });
    expect(text).toContain('predicted to take at least 20 s');
    expect(text).toContain('measures the rest (Step backup, Step backup-ready)');
  });

  test.each<[string, Record<string, string>]>([
    ['is not tried', { 'verify-backup': 'false' }],
    ['is a copy', { backup: 'copy' }],
  ])('leaves nothing to a later look where the backup %s', async (_what, given) => {
    expect((await thrownBy(() => judge([step('a', 1), step('backup')], given))).code).toBe('downtime-too-long');
  });

  test('refuses what is too long already, whatever the proof will measure', async () => {
    expect((await thrownBy(() => judge([step('a', 61), step('backup-ready')]))).code).toBe('downtime-too-long');
  });

  test('judges nothing where there is none', () => {
    const log = new FakeLog();
    expectShortPlan(inputs(), [step('a')], log);
    expect(log.lines).toEqual([]);
  });
});

describe('right before the downtime', () => {
  /** A run whose steps before the downtime took this long. */
  function passing({ cluster, clock }: Setting, seconds: number): void {
    cluster.time = () => new Date(now + clock.monotonic());
    cluster.hooks.push(({ method, resource, name }) => {
      if (method === 'create' && resource === 'jobs' && name === anchorName) clock.pass(seconds * 1000);
    });
  }

  const replicasOf = ({ cluster }: Setting) => cluster.peek('deployments', 'frontend', namespace)?.spec?.replicas;
  const stops = ({ cluster }: Setting) =>
    cluster.writes.filter((write) => /^patch (deployments\/frontend|statefulsets)/.test(write));

  test('a run that took too long until then stops nothing, and removes what it made', async () => {
    const setting = await live(undefined, { 'start-before': '2026-01-02T03:30:00Z' });
    passing(setting, 3600);
    const error = await thrownBy(setting.begin);
    expect(error.code).toBe('reverted');
    expect(error.message).toContain('It is too late to begin the downtime.');
    expect([replicasOf(setting), setting.image(), stops(setting)]).toEqual([3, oldImage, []]);
    expect(setting.journal()?.['outcome']).toBe('reverted');
    expect(setting.cluster.peek('jobs', anchorName, namespace)).toBeUndefined();
  });

  test('a refusal waits for no application: none was stopped', async () => {
    const setting = await live(undefined, tooLate);
    setting.cluster.hooks.push(() => {
      const now = setting.cluster.look('deployments', 'frontend', namespace);
      if (now !== undefined)
        setting.cluster.put('deployments', { ...now, status: { observedGeneration: 1, replicas: 3 } });
    });
    expect((await thrownBy(setting.begin)).code).toBe('reverted');
    expect(setting.journal()?.['outcome']).toBe('reverted');
  });

  test('a run in time goes on', async () => {
    const setting = await live(undefined, { 'start-before': '2026-01-02T05:30:00Z' });
    passing(setting, 3600);
    await setting.begin();
    expect(setting.journal()?.['outcome']).toBe('upgraded');
  });

  test('what the proof of the backup measured counts', async () => {
    const given = { 'max-downtime': '2h', 'snapshot-timeout': '5h' };
    let asked: number | undefined;
    const setting = await live({ [jobName]: ending(0) }, given, ({ clock }) => {
      asked ??= clock.monotonic();
      return clock.monotonic() - asked > 4 * 3_600_000;
    });
    const error = await thrownBy(setting.begin);
    expect(error.message).toMatch(/predicted to take 1\d{4} s, and "max-downtime" is 7200 s/);
    expect([replicasOf(setting), stops(setting)]).toEqual([3, []]);
  });

  test('what is predicted right before the downtime is in the results and the log, with its range', async () => {
    const setting = await live();
    const { predicted } = await setting.begin();
    const { seconds = NaN, lowSeconds = NaN, highSeconds = NaN } = predicted ?? {};
    expect([lowSeconds < seconds, seconds < highSeconds]).toEqual([true, true]);
    expect(setting.log.text).toContain(
      `The downtime is predicted to take about ${String(seconds)} s (${String(lowSeconds)} to ${String(highSeconds)} s)`,
    );
  });

  test('what the proof did not measure is not passed', async () => {
    const setting = await live(undefined, { 'max-downtime': '2h' });
    // The anchor can't run: so nothing keeps the volume attached.
    setting.cluster.refuse('create', 'jobs', 403, 'exceeded quota', anchorName);
    const error = await thrownBy(setting.begin);
    expect(error.message).toContain('Steps without a prediction: ');
    expect([replicasOf(setting), stops(setting)]).toEqual([3, []]);
    expect(setting.context.results.predicted).toBeUndefined();
  });

  test('a run that resumed an upgrade without a downtime has no prediction, so it refuses', async () => {
    const { context } = await setUp(undefined, { 'max-downtime': '2h' });
    const error = await thrownBy(() => stopApplications.run({ ...context, isResumed: true }));
    expect([error.code, error.message]).toEqual(['downtime-too-long', expect.stringContaining('This run resumed')]);
  });

  test.each(['a downtime that has begun', 'a rollback'])('%s is held up by neither', async (what) => {
    const setting = await setUp(undefined, { ...tooLate, 'max-downtime': '1s' });
    const { context } = setting;
    if (what === 'a rollback') await context.journal.note('rollback', 'Somebody asked for it.');
    else await context.journal.note('downSince', new Date(now - 60_000));
    await stopApplications.run(context);
    expect(replicasOf(setting)).toBe(0);
  });

  test('an autoscaler that was paused before the gate is as it was', async () => {
    const reverted = ending(0, { command: 'revert', outcome: 'reverted', message: 'the old data directory is back' });
    const setting = await live({ [revertName]: reverted }, tooLate);
    setting.cluster.put('scaledobjects', scaledObject('frontend-scaler', 'frontend'));
    expect((await thrownBy(setting.begin)).code).toBe('reverted');
    const scaler = setting.cluster.peek('scaledobjects', 'frontend-scaler', namespace)?.metadata;
    expect([scaler?.annotations ?? {}, scaler?.labels ?? {}]).toEqual([{}, {}]);
  });
});
