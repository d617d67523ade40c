import { describe, expect, test } from '@jest/globals';
import { inParallel } from '../../../src/common/parallel.ts';

const turn = () => Promise.resolve();

describe('several at a time', () => {
  test.each([1, 2, 3, 10])('%i wide: never more, every item once, results in order', async (width) => {
    let running = 0;
    let most = 0;
    const results = await inParallel(width, [1, 2, 3, 4, 5], async (item) => {
      most = Math.max(most, ++running);
      // The first ones take longest.
      for (let turns = 10 - item; turns > 0; turns--) await turn();
      running--;
      return item * 10;
    });
    expect(results).toEqual([10, 20, 30, 40, 50]);
    expect(most).toBe(Math.min(width, 5));
  });

  test('nothing to do is done', async () => {
    expect(await inParallel(4, [], () => Promise.reject(new Error('called')))).toEqual([]);
  });

  test('after an error nothing new begins, and what has begun comes to its end', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const work = inParallel(2, [1, 2, 3, 4], async (item) => {
      begun.push(item);
      await turn();
      if (item === 1) throw new Error('the first');
      await turn();
      ended.push(item);
    });
    await expect(work).rejects.toThrow('the first');
    expect(begun).toEqual([1, 2]);
    expect(ended).toEqual([2]);
  });
});
