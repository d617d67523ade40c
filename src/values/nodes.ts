import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Document,
  type Pair,
  type ParsedNode,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { lineEnd } from './source.ts';

/** A key of a mapping with its value, as parsed. */
export type ParsedPair = Pair<ParsedNode, ParsedNode | null>;

export function pairsOf(map: YAMLMap.Parsed): ParsedPair[] {
  return map.items;
}

/** The node an alias stands for; any other node itself. */
export function resolved(node: ParsedNode | null | undefined, document: Document): ParsedNode | undefined {
  const target = isAlias(node) ? (node.resolve(document) as ParsedNode | undefined) : node;
  return target ?? undefined;
}

/** The pair whose key is written in this mapping; of several the last one, as Helm takes it. */
export function writtenPair(map: YAMLMap.Parsed, key: string, document: Document): ParsedPair | undefined {
  return pairsOf(map).findLast((pair) => keyOf(pair, document) === key);
}

/** The text of a key; undefined when it is a list or a mapping. */
export function keyOf(pair: ParsedPair, document: Document): string | undefined {
  const node = resolved(pair.key, document);
  return isScalar<string>(node) ? node.value : undefined;
}

export function isMergeKey(pair: ParsedPair): boolean {
  return isScalar(pair.key) && pair.key.type === 'PLAIN' && pair.key.value === '<<';
}

/** The pair that `<<` brings into a mapping for a key, wherever that comes from. */
export function mergedPair(
  map: YAMLMap.Parsed,
  key: string,
  document: Document,
  seen: ReadonlySet<unknown> = new Set(),
): { merge: ParsedPair; pair: ParsedPair } | undefined {
  if (seen.has(map)) return undefined;
  for (const merge of pairsOf(map).filter(isMergeKey)) {
    const value = resolved(merge.value, document);
    const origins = isSeq(value) ? value.items.map((item) => resolved(item, document)) : [value];
    for (const origin of origins) {
      if (!isMap(origin)) continue;
      const from = origin;
      const pair = writtenPair(from, key, document) ?? mergedPair(from, key, document, new Set([...seen, map]))?.pair;
      if (pair !== undefined) return { merge, pair };
    }
  }
  return undefined;
}

/**
 * Where the tag `!` stands before a scalar: Go's parser (v2) then reads even `! "14.20"` as a number, so it goes with the value.
 * Undefined when something else, such as an anchor, stands between them.
 */
export function nonSpecificTag(text: string, { range: [start, end] }: ParsedNode): number | undefined {
  const before = /!\s+$/.exec(text.slice(text.lastIndexOf('\n', start) + 1, start));
  return before === null || start === end ? undefined : start - before[0].length;
}

/** The text of a scalar; that of a block scalar without its line end. */
export function textOf({ value, type }: Scalar): string {
  return type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED' ? String(value).trimEnd() : String(value);
}

/** Nothing, or a plain null. */
export function isNothing(node: ParsedNode | null | undefined): boolean {
  if (node === null || node === undefined) return true;
  return isScalar(node) && node.type === 'PLAIN' && /^(|~|null|Null|NULL)$/.test(node.source);
}

/** What a path of keys leads to, aliases and merges followed as Helm follows them. */
export function nodeAt(
  root: ParsedNode | null | undefined,
  path: readonly string[],
  document: Document,
): ParsedNode | undefined {
  let node = resolved(root, document);
  for (const key of path) {
    if (!isMap(node)) return undefined;
    const map = node;
    const pair = writtenPair(map, key, document) ?? mergedPair(map, key, document)?.pair;
    node = resolved(pair?.value, document);
  }
  return node;
}

/** Where the content of a pair ends: its last scalar, alias or bracket. */
export function contentEnd(pair: ParsedPair): number {
  const { value } = pair;
  if (value === null || (isScalar(value) && value.range[1] === value.range[0])) return separatorEnd(pair).offset;
  return nodeEnd(value);
}

/**
 * Where a line can be added after a pair of a block mapping: at the end of its last line, and of the comments below that are
 * indented as its own.
 * Undefined when the file ends in a block scalar without a line end: one more line would give its text one.
 */
export function lineEndAfter(text: string, pair: ParsedPair, indent: number): number | undefined {
  let end = contentEnd(pair);
  if (endsInBlockScalar(pair.value)) {
    if (text[end - 1] !== '\n') return undefined;
    end -= text[end - 2] === '\r' ? 2 : 1;
  }
  end = lineEnd(text, end);
  for (;;) {
    const comment = /^(?:\r?\n[ \t]*)*\r?\n( +)#[^\n]*?(?=\r?\n|$)/.exec(text.slice(end));
    if (comment === null || (comment[1] ?? '').length <= indent) return end;
    end += comment[0].length;
  }
}

function nodeEnd(node: ParsedNode): number {
  if (!isCollection(node) || node.flow === true) return node.range[1];
  if (isMap(node)) {
    const last = pairsOf(node).at(-1);
    return last === undefined ? node.range[1] : contentEnd(last);
  }
  const last = node.items.at(-1);
  return last === undefined ? node.range[1] : nodeEnd(last);
}

function lastLeaf(node: ParsedNode | null): ParsedNode | null {
  if (isMap(node) && node.flow !== true) return lastLeaf(pairsOf(node).at(-1)?.value ?? null);
  if (isSeq(node) && node.flow !== true) return lastLeaf(node.items.at(-1) ?? null);
  return node;
}

function endsInBlockScalar(node: ParsedNode | null): boolean {
  const leaf = lastLeaf(node);
  return isScalar(leaf) && (leaf.type === 'BLOCK_LITERAL' || leaf.type === 'BLOCK_FOLDED');
}

/** Where a pair starts: at its key, or what stands before that (`?`, an anchor, a tag). */
export function pairStart(pair: ParsedPair): number {
  const before = pair.srcToken?.start.find(({ type }) => ['explicit-key-ind', 'anchor', 'tag'].includes(type));
  return before?.offset ?? pair.key.range[0];
}

/** Where what separates a key from its value ends, without the space after it; `{key}` has no colon at all. */
export function separatorEnd(pair: ParsedPair): { offset: number; colon: boolean } {
  const last = pair.srcToken?.sep?.findLast(({ type }) => ['map-value-ind', 'anchor', 'tag'].includes(type));
  if (last === undefined) return { offset: pair.key.range[1], colon: false };
  return { offset: last.offset + last.source.length, colon: true };
}
