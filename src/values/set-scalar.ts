import type { Scalar } from 'yaml';
import type { Edit } from './edit.ts';
import type { ParsedPair } from './nodes.ts';
import { scalarText, type Style } from './plain.ts';
import { styleOf } from './style.ts';

/** Puts another text in place of a scalar, in the quotes that it has. */
export function replaceScalar(
  node: Scalar.Parsed,
  text: string,
  quotes: Exclude<Style, 'PLAIN'>,
  inFlow: boolean,
): Edit {
  return { start: node.range[0], end: node.range[1], text: scalarText(text, styleOf(node), quotes, inFlow) };
}

/** Gives a value to a key that has none, or null: after the colon (anchor, tag), before whatever follows. */
export function fillPair(pair: ParsedPair, text: string): Edit {
  const { value } = pair;
  if (value !== null && value.range[1] > value.range[0]) {
    return { start: value.range[0], end: value.range[1], text };
  }
  const at = separatorEnd(pair);
  return { start: at.offset, end: at.offset, text: at.colon ? ` ${text}` : `: ${text}` };
}

/** Where what separates a key from its value ends, without the space after it; `{key}` has no colon at all. */
export function separatorEnd(pair: ParsedPair): { offset: number; colon: boolean } {
  const last = pair.srcToken?.sep?.findLast(({ type }) => ['map-value-ind', 'anchor', 'tag'].includes(type));
  if (last === undefined) return { offset: pair.key.range[1], colon: false };
  return { offset: last.offset + last.source.length, colon: true };
}
