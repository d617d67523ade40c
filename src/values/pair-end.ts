import { isCollection, isMap, isScalar, isSeq, type ParsedNode } from 'yaml';
import { pairsOf, type ParsedPair } from './nodes.ts';
import { lineEnd } from './position.ts';
import { separatorEnd } from './set-scalar.ts';

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
