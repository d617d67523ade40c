import { isMap, isScalar, visit, type Document, type YAMLMap } from 'yaml';
import type { ParsedDocument } from './documents.ts';
import { pairsOf, type ParsedPair } from './nodes.ts';
import type { Style } from './plain.ts';
import { indentOf } from './position.ts';

/** How a file is written, for what is added to it. */
export interface FileStyle {
  /** Columns from a mapping to the one within it. */
  readonly step: number;
  /** What its quoted values are in. */
  readonly quotes: Exclude<Style, 'PLAIN'>;
}

export function fileStyle(text: string, { document }: ParsedDocument, near: readonly YAMLMap.Parsed[]): FileStyle {
  const step =
    [...near]
      .reverse()
      .map((map) => stepWithin(text, map))
      .find((found) => found !== undefined) ??
    firstStep(text, document) ??
    2;
  return { step, quotes: quotesOf(document) };
}

/** The style of a key or value as it is written; anything but a quoted scalar counts as plain. */
export function styleOf(node: unknown): Style {
  if (!isScalar(node)) return 'PLAIN';
  return node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE' ? node.type : 'PLAIN';
}

/** Where a pair starts: at its key, or what stands before that (`?`, an anchor, a tag). */
export function pairStart(pair: ParsedPair): number {
  const before = pair.srcToken?.start.find(({ type }) => ['explicit-key-ind', 'anchor', 'tag'].includes(type));
  return before?.offset ?? pair.key.range[0];
}

function stepWithin(text: string, map: YAMLMap.Parsed): number | undefined {
  for (const { key, value } of pairsOf(map)) {
    if (map.flow !== true && isMap(value) && value.flow !== true) {
      const step = value.range[0] - lineOffset(text, value.range[0]) - indentOf(text, key.range[0]);
      if (step > 0) return step;
    }
  }
  return undefined;
}

const lineOffset = (text: string, offset: number) => offset - indentOf(text, offset);

function firstStep(text: string, document: Document): number | undefined {
  let found: number | undefined;
  visit(document, {
    Map: (_, map) => {
      found = stepWithin(text, map as YAMLMap.Parsed);
      return found === undefined ? undefined : visit.BREAK;
    },
  });
  return found;
}

function quotesOf(document: Document): FileStyle['quotes'] {
  let singles = 0;
  let doubles = 0;
  visit(document, {
    Scalar: (_, { type }) => {
      if (type === 'QUOTE_SINGLE') singles++;
      if (type === 'QUOTE_DOUBLE') doubles++;
    },
  });
  return singles > doubles ? 'QUOTE_SINGLE' : 'QUOTE_DOUBLE';
}
