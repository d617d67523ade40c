import { describe, expect, test } from '@jest/globals';
import { CancelledError, ClusterError, WaitError } from '../../../src/common/errors.ts';
import type { ClusterModeContext } from '../../../src/modes/mode.ts';
import { waitFor, type Look, type Wait } from '../../../src/ports/wait.ts';
import type { Context } from '../../../src/upgrade/contract/step.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeLog } from '../fake-runner.ts';
import { thrownBy } from '../thrown.ts';

function setUp(limit = 60_000) {
  const clock = new FakeClock();
  const log = new FakeLog();
  const cancelled = new AbortController();
  const wait = { what: 'the pod', limit, limitInput: 'pod-timeout', clock, log, signal: cancelled.signal };
  return { clock, log, cancelled, wait };
}

/** Answers one look after the other, the last one for ever. */
function looks<T>(...answers: Look<T>[]): () => Promise<Look<T>> {
  let next = 0;
  return () => Promise.resolve(answers[Math.min(next++, answers.length - 1)] ?? { pending: 'nothing' });
}

describe('a wait', () => {
  test('ends at once, without a word, when the first look says done', async () => {
    const { wait, log, clock } = setUp();
    expect(await waitFor(wait, looks({ done: 'value' }))).toBe('value');
    expect(log.lines).toEqual([]);
    expect(clock.pauses).toEqual([]);
  });

  test('done may be undefined', async () => {
    const { wait } = setUp();
    await expect(waitFor(wait, looks<unknown>({ done: undefined }))).resolves.toBeUndefined();
  });

  test('says what is missing once for each change', async () => {
    const { wait, log } = setUp();
    const pulling = { pending: 'it pulls' };
    const running = { pending: 'it runs' };
    await waitFor(wait, looks<number>(pulling, pulling, pulling, running, running, pulling, { done: 1 }));
    expect(log.lines).toEqual([
      'Waiting for the pod: it pulls',
      'Waiting for the pod: it runs',
      'Waiting for the pod: it pulls',
    ]);
  });

  test('pauses longer the longer it lasts: an eightieth of it, but at least a tenth of a second and never more than one', async () => {
    const { wait, clock } = setUp(120_000);
    await thrownBy(() => waitFor(wait, looks({ pending: 'it runs' })));
    let waited = 0;
    for (const pause of clock.pauses) {
      expect(pause).toBeCloseTo(Math.min(Math.max(waited / 80, 100), 1000));
      waited += pause;
    }
    expect(clock.pauses.at(-1)).toBe(1000);
  });

  test('ends at its limit, naming what was missing last and the input that sets the limit', async () => {
    const { wait, clock } = setUp(30_000);
    const error = await thrownBy(() => waitFor(wait, looks({ pending: 'it pulls' }, { pending: 'it crashes' })));
    expect(error).toBeInstanceOf(WaitError);
    expect(error.message).toBe('Timed out after 30 s waiting for the pod: it crashes.');
    expect(error.remedy.text).toBe('Raise `pod-timeout`, or look at what holds it up.');
    expect(clock.monotonic()).toBeGreaterThanOrEqual(30_000);
    expect(clock.monotonic()).toBeLessThan(32_000);
  });

  test('ends at its limit with the command that shows what holds it up', async () => {
    const { wait } = setUp(30_000);
    const lookAt = 'kubectl -n circleci describe pod postgresql-0';
    const error = await thrownBy(() => waitFor({ ...wait, lookAt }, looks({ pending: 'it pulls.' })));
    expect(error.message).toBe('Timed out after 30 s waiting for the pod: it pulls.');
    expect(error.remedy.text).toBe(`Raise \`pod-timeout\`, or look at what holds it up: \`${lookAt}\`.`);
  });

  test('says once a minute what is still missing, how long it has lasted, and its limit', async () => {
    const { wait, log, clock } = setUp(30 * 60_000);
    clock.meanwhile = (elapsed) => {
      if (elapsed > 190_000) done = true;
    };
    let done = false;
    await waitFor(wait, () => Promise.resolve(done ? { done: undefined } : { pending: 'it pulls' }));
    expect(log.lines).toEqual([
      'Waiting for the pod: it pulls',
      'Still waiting for the pod: it pulls (61 s, at most 30 min)',
      'Still waiting for the pod: it pulls (2 min, at most 30 min)',
      'Still waiting for the pod: it pulls (3 min, at most 30 min)',
    ]);
    expect(clock.repeating).toBe(0);
  });

  test('says how far it has come, and how long it is expected to take, where that is known', async () => {
    const { wait, log } = setUp(100_000);
    const stage = () => 'step 5 of 9';
    await thrownBy(() => waitFor({ ...wait, stage, expected: 12_300 }, looks({ pending: 'it runs' })));
    expect(log.lines[1]).toBe('Still waiting for the pod: step 5 of 9 (61 s, expected about 12 s, at most 100 s)');
  });

  test('shares no name by chance with the contexts that are spread into it', () => {
    type Shared = keyof Wait & (keyof ClusterModeContext | keyof Context);
    // tsc asks for each of them here.
    const shared: Readonly<Record<Shared, true>> = { clock: true, log: true, signal: true };
    expect(Object.keys(shared)).toHaveLength(3);
  });

  test('says in one line what others said in several, and cuts what is long', async () => {
    const { wait, log } = setUp(1000);
    const psql = 'psql: error: FATAL\n\n  the database system is starting up\u001b[31m';
    const error = await thrownBy(() => waitFor(wait, looks({ pending: psql }, { pending: 'x'.repeat(5000) })));
    expect(log.lines).toEqual([
      String.raw`Waiting for the pod: psql: error: FATAL the database system is starting up\x1b[31m`,
      `Waiting for the pod: ${'x'.repeat(500)} … (4500 more characters)`,
    ]);
    expect(error.message).toHaveLength('Timed out after 1 s waiting for the pod: '.length + 526);
  });

  test('looks a last time after the limit before it gives up', async () => {
    const { wait, clock } = setUp(50);
    clock.meanwhile = () => {
      clock.pass(10_000);
    };
    expect(await waitFor(wait, looks<string>({ pending: 'it pulls' }, { done: 'late' }))).toBe('late');
  });

  test('ends when the run is cancelled meanwhile', async () => {
    const { wait, clock, cancelled } = setUp();
    clock.meanwhile = (elapsed) => {
      if (elapsed > 1000) cancelled.abort();
    };
    const error = await thrownBy(() => waitFor(wait, looks({ pending: 'it runs' })));
    expect(error).toBeInstanceOf(CancelledError);
    expect(error.message).toContain('waiting for the pod');
    expect(clock.monotonic()).toBeLessThan(5000);
  });

  test('does not even look in a cancelled run', async () => {
    const { wait, cancelled } = setUp();
    cancelled.abort();
    let looked = 0;
    const error = await thrownBy(() =>
      waitFor(wait, () => {
        looked++;
        return Promise.resolve({ done: 1 });
      }),
    );
    expect(error).toBeInstanceOf(CancelledError);
    expect(looked).toBe(0);
  });

  test('ends with what a look throws: what is waited for can no longer come', async () => {
    const { wait, clock } = setUp();
    const hopeless = new ClusterError('probe-gone', 'The pod is gone.', 'Look for it.');
    let looked = 0;
    const error = await thrownBy(() =>
      waitFor(wait, () => (++looked < 3 ? Promise.resolve({ pending: 'it runs' }) : Promise.reject(hopeless))),
    );
    expect(error).toBe(hopeless);
    expect(clock.pauses).toHaveLength(2);
  });
});
