// What several rounds show together.

/** A number in several rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

export function spreadOf(numbers: readonly number[]): Spread {
  return { median: median(numbers), least: Math.min(...numbers), most: Math.max(...numbers) };
}

/**
 * Two ways in the same rounds.
 * @returns the ratio of the medians, with the spread of the ratios by round
 */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Spread {
  const byRound = ours.map((one, round) => one / (theirs[round] ?? NaN));
  return { ...spreadOf(byRound), median: median(ours) / median(theirs) };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** How much y grows with each x, by least squares; NaN where all x are the same. */
export function slopeOf(points: readonly Point[]): number {
  const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const above = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  return above / points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
}
