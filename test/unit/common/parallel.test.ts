import { describe, expect, test } from '@jest/globals';
import { allNamed, inParallel } from '../../../src/common/parallel.ts';

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

describe('unrelated work side by side', () => {
  test('all of it begins at once, and each result has its name', async () => {
    let running = 0;
    let most = 0;
    const after = async <T>(turns: number, result: T) => {
      most = Math.max(most, ++running);
      for (let left = turns; left > 0; left--) await turn();
      running--;
      return result;
    };
    const found = await allNamed({ slow: () => after(9, 'a'), fast: () => after(1, 'b'), count: () => after(2, 3) });
    expect(found).toEqual({ slow: 'a', fast: 'b', count: 3 });
    expect(most).toBe(3);
  });

  test('an error is thrown only when all that has begun has come to its end', async () => {
    const ended: string[] = [];
    const work = allNamed({
      first: () => Promise.reject(new Error('the first')),
      thrown: () => {
        throw new Error('at once');
      },
      last: async () => {
        for (let left = 5; left > 0; left--) await turn();
        ended.push('last');
      },
    });
    await expect(work).rejects.toThrow('the first');
    expect(ended).toEqual(['last']);
  });
});
