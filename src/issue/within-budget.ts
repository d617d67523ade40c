/** What there was room for. */
export interface WithinBudget<T> {
  readonly lines: readonly string[];
  /** Characters of all lines, with their ends. */
  readonly length: number;
  /** Those that found no room. */
  readonly left: readonly T[];
}

/**
 * The lines of each item in turn, as far as there is room for all lines of it: one that is too long does not take the place of a later one.
 * @param room characters
 */
export function takeWithinBudget<T>(
  items: readonly T[],
  linesOf: (item: T) => readonly string[],
  room: number,
): WithinBudget<T> {
  const lines: string[] = [];
  const left: T[] = [];
  let length = 0;
  for (const item of items) {
    const own = linesOf(item);
    const size = own.reduce((sum, line) => sum + line.length + 1, 0);
    if (length + size > room) {
      left.push(item);
      continue;
    }
    lines.push(...own);
    length += size;
  }
  return { lines, length, left };
}
