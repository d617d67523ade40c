import { describe, expect, test } from '@jest/globals';
import { withHeartbeat, type LongWork } from '../../../src/ports/heartbeat.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeLog } from '../fake-runner.ts';

/** The lines of work that takes so many seconds. */
async function linesOf(seconds: number, work: Partial<LongWork> = {}): Promise<string[]> {
  const clock = new FakeClock();
  const log = new FakeLog();
  const answer = await withHeartbeat({ doing: 'counting rows', clock, log, ...work }, async () => {
    for (let second = 0; second < seconds; second++) await clock.sleep(1000);
    return 'counted';
  });
  expect([answer, clock.repeating]).toEqual(['counted', 0]);
  return log.lines;
}

describe('long work', () => {
  test('is told once a minute, and not where it takes less', async () => {
    expect(await linesOf(59)).toEqual([]);
    expect(await linesOf(150)).toEqual(['Still counting rows (60 s)', 'Still counting rows (2 min)']);
  });

  test('is told with what is expected, its limit, and its state by then', async () => {
    const minute = 60_000;
    const lineOf = async (work: Partial<LongWork>) => (await linesOf(60, work))[0];
    expect(await lineOf({ limit: 30 * minute })).toBe('Still counting rows (60 s, at most 30 min)');
    expect(await lineOf({ expected: 90_400, limit: 90 * minute, limitOf: 'each database' })).toBe(
      'Still counting rows (60 s, expected about 90 s, at most 90 min for each database)',
    );
    expect(await lineOf({ expected: 6 * 60 * minute, limit: 390 * minute })).toBe(
      'Still counting rows (60 s, expected about 6 h, at most 6 h 30 min)',
    );
    let database = 'postgres';
    const state = () => database;
    database = 'a\n::error::b';
    expect(await lineOf({ state })).toBe('Still counting rows: a ::error::b (60 s)');
    expect(await lineOf({ state: () => undefined })).toBe('Still counting rows (60 s)');
  });

  test('is told without its state where that can not be told: nothing would catch the error', async () => {
    const state = () => {
      throw new TypeError('progress is not a function');
    };
    expect(await linesOf(60, { state })).toContain('Still counting rows (60 s)');
  });

  test('that fails is told no more', async () => {
    const clock = new FakeClock();
    const log = new FakeLog();
    const failure = new Error('no room');
    const work = { doing: 'counting rows', clock, log };
    await expect(withHeartbeat(work, () => Promise.reject(failure))).rejects.toBe(failure);
    await clock.sleep(600_000);
    expect([log.lines, clock.repeating]).toEqual([[], 0]);
  });
});
