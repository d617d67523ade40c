import { scalarText, type Style } from './plain.ts';
import type { FileStyle } from './style.ts';

/** Keys to add, with a value or with keys of their own. */
export type Entry = readonly [key: string, value: string | readonly Entry[]];

/** How added keys and values are written. */
export interface EntryStyle extends FileStyle {
  readonly keys: Style;
  readonly values: Style;
}

/** Lines of a block mapping, the outermost keys without indentation. */
export function blockLines(entries: readonly Entry[], style: EntryStyle): string[] {
  return entries.flatMap(([key, value]) => {
    const name = `${scalarText(key, style.keys, style.quotes, false)}:`;
    if (typeof value === 'string') return [`${name} ${scalarText(value, style.values, style.quotes, false)}`];
    return [name, ...blockLines(value, style).map((line) => ' '.repeat(style.step) + line)];
  });
}

/** The pairs of a flow mapping. */
export function flowPairs(entries: readonly Entry[], style: EntryStyle): string[] {
  return entries.map(([key, value]) => {
    const text =
      typeof value === 'string'
        ? scalarText(value, style.values, style.quotes, true)
        : `{${flowPairs(value, style).join(', ')}}`;
    return `${scalarText(key, style.keys, style.quotes, true)}: ${text}`;
  });
}

/** Keys below keys: `['a', 'b'], entries` is `a: {b: {entries}}`. */
export function nested(path: readonly string[], entries: readonly Entry[]): readonly Entry[] {
  return path.reduceRight<readonly Entry[]>((inner, key) => [[key, inner]], entries);
}
