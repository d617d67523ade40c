import { describe, expect, test } from '@jest/globals';
import { Stopwatch } from '../../../../src/prechecks/facts/stopwatch.ts';
import { FakeClock } from '../../fake-clock.ts';

describe('the stopwatch of the facts', () => {
  test('measures each reading, and says which facts are being read', async () => {
    const clock = new FakeClock();
    const stopwatch = new Stopwatch(clock);
    let end: () => void = () => undefined;
    const hazards = stopwatch.measure(
      ['hazards', 'upgradeProbe'],
      () => new Promise<void>((resolve) => (end = resolve)),
    );
    await stopwatch.measure('hazards', async () => {
      expect(stopwatch.pending).toBe('hazards, upgrade probe');
      await clock.sleep(2000);
    });
    expect(stopwatch.pending).toBe('hazards, upgrade probe');
    end();
    await hazards;
    expect(stopwatch.pending).toBe('');
    expect(stopwatch.seconds).toEqual({ hazards: 4, upgradeProbe: 2 });
  });

  test('a reading that fails is measured, and no more being read', async () => {
    const stopwatch = new Stopwatch(new FakeClock());
    await expect(stopwatch.measure('server', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
    expect([stopwatch.pending, stopwatch.seconds]).toEqual(['', { server: 0 }]);
  });
});
