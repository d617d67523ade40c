import { describe, expect, test } from '@jest/globals';
import { UpgradeError } from '../../../src/common/errors.ts';
import { converge } from '../../../src/upgrade/converge.ts';
import { reversibleSteps } from '../../../src/upgrade/plan.ts';
import { journalName } from '../../../src/objects/journal-name.ts';
import type { WayBack } from '../../../src/upgrade/contract/ending.ts';
import type { Step } from '../../../src/upgrade/contract/step.ts';
import { namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { setUp, type Setting } from './context.ts';

const cause = new UpgradeError('job-failed', 'The disk is full', 'Make room.');

/** The journal knows real steps only. */
const ids = { stop: 'stop-applications', measure: 'quiesce', start: 'activate', release: 'verify' } as const;

/** Steps that note what they do; each may be undone but `measure`. */
function plan(events: string[], more: Record<string, Partial<Step>> = {}): Step[] {
  return (['stop', 'measure', 'start', 'release'] as const).map((name) => {
    const note = (what: string) => () => {
      events.push(`${what} ${name}`);
      return Promise.resolve();
    };
    const undo = name === 'measure' ? {} : { undo: note('undo') };
    return { id: ids[name], title: `Step ${name}`, plan: () => [], run: note('run'), ...undo, ...more[name] };
  });
}

function failing(events: string[], event: string, error: Error = cause): () => Promise<void> {
  return () => {
    events.push(event);
    return Promise.reject(error);
  };
}

function journalOf({ cluster }: Setting) {
  return cluster.peek('configmaps', journalName, namespace)?.data ?? {};
}

/** Runs the steps, one of which fails. */
async function goesBack(steps: readonly Step[], { context }: Setting): Promise<WayBack> {
  const ending = await converge(steps, context);
  if (ending.end === 'completed') throw new Error('no step failed');
  return ending;
}

describe('the steps', () => {
  test('run in order, each in a group and a phase, and noted before it begins', async () => {
    const setting = await setUp();
    const events: string[] = [];
    const seen: (string | undefined)[] = [];
    const run = () => {
      seen.push(journalOf(setting)['step']);
      return Promise.resolve();
    };
    expect(await converge(plan(events, { start: { run } }), setting.context)).toEqual({ end: 'completed' });
    expect(events).toEqual(['run stop', 'run measure', 'run release']);
    expect(seen).toEqual([ids.start]);
    expect(setting.log.groups).toEqual(['Step stop', 'Step measure', 'Step start', 'Step release']);
    expect(setting.context.timeline.phases.map((p) => [p.id, p.outcome])).toEqual([
      [ids.stop, 'done'],
      [ids.measure, 'done'],
      [ids.start, 'done'],
      [ids.release, 'done'],
    ]);
    expect(journalOf(setting)).not.toHaveProperty('outcome');
  });

  test('that began are undone from the last to the first, also the one that failed; no others', async () => {
    const setting = await setUp();
    const events: string[] = [];
    const steps = plan(events, { start: { run: failing(events, 'run start') } });
    const wayBack = await goesBack(steps, setting);
    expect(events).toEqual(['run stop', 'run measure', 'run start', 'undo start', 'undo stop']);
    expect(wayBack.end).toBe('reverted');
    expect(wayBack.message).toContain('Step start: The disk is full. PostgreSQL 12 serves');
    expect(wayBack.remedy.text).toBe('Make room.');
    expect(wayBack.cause).toBe(cause);
    expect(journalOf(setting)).toMatchObject({ outcome: 'reverted' });
    expect(setting.context.timeline.phases.map((p) => p.id)).toEqual([
      ids.stop,
      ids.measure,
      ids.start,
      `undo-${ids.start}`,
      `undo-${ids.stop}`,
    ]);
  });

  test('say in the log and in the timeline what undoing them does', () => {
    const without = reversibleSteps.filter((step) => 'undo' in step !== 'undoTitle' in step);
    expect(without).toEqual([]);
    const titles = reversibleSteps.flatMap(({ undoTitle }) => undoTitle ?? []);
    expect(titles.toReversed().slice(0, 4)).toEqual([
      'Stop PostgreSQL 14',
      'Restore the data directory of PostgreSQL 12',
      'Start PostgreSQL 12',
      'Compare the data of PostgreSQL 12',
    ]);
  });

  test('that fail are told at once, before the way back', async () => {
    const setting = await setUp();
    const events: string[] = [];
    const told: number[] = [];
    const undo = () => {
      told.push(setting.log.annotations.length);
      return Promise.resolve();
    };
    const steps = plan(events, { stop: { run: failing(events, 'run stop'), undo } });
    await goesBack(steps, setting);
    expect(told).toEqual([1]);
    expect(setting.log.annotations[0]).toMatchObject({ level: 'error' });
    expect(setting.log.annotations[0]?.message).toContain('The disk is full');
  });

  test('an undo that fails ends the way back there, with both causes, and the journal stays open', async () => {
    const setting = await setUp();
    const events: string[] = [];
    const blocked = new UpgradeError('job-still-runs', 'The Job still runs', 'Wait for its end.');
    const steps = plan(events, {
      start: { undo: failing(events, 'undo start', blocked) },
      release: { run: failing(events, 'run release') },
    });
    const wayBack = await goesBack(steps, setting);
    expect(events.slice(-2)).toEqual(['undo release', 'undo start']);
    expect(wayBack.end).toBe('way-back-failed');
    expect(wayBack.message).toContain(
      'Step release: The disk is full. The action could not undo step "Step start": The Job still runs',
    );
    expect(wayBack.message).not.toContain('serves');
    expect(wayBack.remedy.text).toBe('Wait for its end.');
    expect(journalOf(setting)).not.toHaveProperty('outcome');
  });

  test('are left as they are when nobody can tell whether the Job still runs', async () => {
    const setting = await setUp();
    const events: string[] = [];
    const silent = new UpgradeError('node-silent', 'Node node-b has stopped reporting', 'Bring it back.');
    const steps = plan(events, { start: { run: failing(events, 'run start', silent) } });
    expect(await thrownBy(() => converge(steps, setting.context))).toBe(silent);
    expect(events).toEqual(['run stop', 'run measure', 'run start']);
    expect(journalOf(setting)).not.toHaveProperty('back');
  });

  test('an error that is not one of ours is undone as well', async () => {
    const setting = await setUp();
    const events: string[] = [];
    const steps = plan(events, { stop: { run: failing(events, 'run stop', new TypeError('x is undefined')) } });
    const wayBack = await goesBack(steps, setting);
    expect(events).toEqual(['run stop', 'undo stop']);
    expect(wayBack.message).toContain('x is undefined');
    expect(wayBack.remedy.text).toMatch(/\S/);
  });

  test('a cancelled run starts no further step, and its way back is not cut short', async () => {
    const setting = await setUp();
    const events: string[] = [];
    const undone: boolean[] = [];
    const steps = plan(events, {
      stop: {
        undo: (context) => {
          undone.push(context.signal.aborted);
          return Promise.resolve();
        },
      },
      measure: {
        run: () => {
          setting.cancelled.abort();
          return Promise.resolve();
        },
      },
    });
    const wayBack = await goesBack(steps, setting);
    expect(events).not.toContain('run start');
    expect(undone).toEqual([false]);
    expect(wayBack.end).toBe('reverted');
    expect(wayBack.message).toContain('Cancelled');
  });

  test('a journal that can not be written ends the upgrade before the step', async () => {
    const setting = await setUp();
    const events: string[] = [];
    let notes = 0;
    setting.cluster.hooks.push((call) => {
      if (call.method === 'patch' && call.resource === 'configmaps' && ++notes === 2) throw cause;
    });
    const wayBack = await goesBack(plan(events), setting);
    expect(events).toEqual(['run stop', 'undo stop']);
    expect(wayBack.message).toContain('Step measure');
  });
});
