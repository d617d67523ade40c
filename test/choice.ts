/** Whether nothing is left out: `npm run test:all`, or a part that a change touches. */
export const isWhole = process.env['TEST_WHOLE'] === '1';

/**
 * Cases of a test that takes long: all of them, or in `npm test` so many, the same every time: evenly spread, with the first and the last.
 * @param count at least 2
 */
export function choiceOf<T>(all: readonly T[], count: number): readonly T[] {
  if (isWhole || all.length <= count) return all;
  const chosen = new Set(
    Array.from({ length: count }, (_, index) => Math.round((index * (all.length - 1)) / (count - 1))),
  );
  return all.filter((_, index) => chosen.has(index));
}

/** `choiceOf` of the numbers from 1. */
export function choiceUpTo(last: number, count: number): readonly number[] {
  return choiceOf(
    Array.from({ length: last }, (_, index) => index + 1),
    count,
  );
}
