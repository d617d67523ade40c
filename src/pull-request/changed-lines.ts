export interface ChangedLine {
  /** In the text before for a removed line, in the text after for an added one; from 1. */
  readonly line: number;
  readonly sign: '-' | '+';
  readonly text: string;
}

/**
 * The lines that an edit of neighbouring lines changes: what is between the
 * common beginning and the common end, less what stands in both at the same
 * place. For an edit that touches far-off lines and adds some, it shows more
 * than the smallest difference, never less.
 */
export function changedLines(before: string, after: string): ChangedLine[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const shorter = Math.min(old.length, now.length);
  let start = 0;
  while (start < shorter && old[start] === now[start]) start++;
  let end = 0;
  while (end < shorter - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end++;
  const pairwise = old.length === now.length;
  const side = (sign: '-' | '+', own: readonly string[], other: readonly string[]): ChangedLine[] =>
    own
      .slice(start, own.length - end)
      .map((text, i) => ({ line: start + i + 1, sign, text }))
      .filter(({ line, text }) => !pairwise || other[line - 1] !== text);
  return [...side('-', old, now), ...side('+', now, old)];
}
