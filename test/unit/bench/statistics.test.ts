import { describe, expect, test } from '@jest/globals';
import { median, ratioOf, slopeOf, spreadOf } from '../../../bench/downtime/statistics.ts';

describe('of several rounds', () => {
  test.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[7], 7],
  ])('the median of %j is %d', (numbers, middle) => {
    expect(median(numbers)).toBe(middle);
  });

  test('the spread has the least and the most', () => {
    expect(spreadOf([5, 9, 1])).toEqual({ median: 5, least: 1, most: 9 });
  });

  test('the ratio is that of the medians, and its spread that of the rounds', () => {
    // By round 1, 0.25 and 2; the medians are 20 and 20.
    expect(ratioOf([20, 10, 40], [20, 40, 20])).toEqual({ median: 1, least: 0.25, most: 2 });
  });
});

describe('the slope', () => {
  test('is that of points on a line', () => {
    const points = [0.1, 1, 3].map((x) => ({ x, y: 12 + 0.5 * x }));
    expect(slopeOf(points)).toBeCloseTo(0.5, 9);
  });

  test('has the least squares where they are on none', () => {
    const points = [
      { x: 0, y: 0 },
      { x: 0, y: 2 },
      { x: 2, y: 3 },
      { x: 2, y: 7 },
    ];
    expect(slopeOf(points)).toBeCloseTo(2, 9);
  });

  test('is none where all have the same data', () => {
    expect(
      slopeOf([
        { x: 1, y: 1 },
        { x: 1, y: 2 },
      ]),
    ).toBeNaN();
  });
});
