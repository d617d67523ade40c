import type { YAMLMap } from 'yaml';
import type { Edit } from './edit.ts';
import { blockLines, flowPairs, type Entry, type EntryStyle } from './entries.ts';
import { pairsOf, type ParsedPair } from './nodes.ts';
import { contentEnd, lineEndAfter } from './pair-end.ts';
import { endOfLineAt, indentOf, lineEnd, lineStart } from './position.ts';
import { fillPair, separatorEnd } from './set-scalar.ts';
import { pairStart } from './style.ts';

/** Adds keys to a mapping, after one of its pairs (the last one by default), as they are written there. */
export function addKeys(
  text: string,
  map: YAMLMap.Parsed,
  entries: readonly Entry[],
  style: EntryStyle,
  after: ParsedPair | undefined = pairsOf(map).at(-1),
): Edit {
  if (map.flow !== true) return addLines(text, map, blockLines(entries, style), after);
  if (after === undefined) return fillBraces(text, map, flowPairs(entries, style));
  return addToFlow(text, flowPairs(entries, style), after);
}

/** Gives keys to a key that has no value: lines below it, or braces where it stands in a flow mapping. */
export function addKeysBelow(
  text: string,
  parent: YAMLMap.Parsed,
  pair: ParsedPair,
  entries: readonly Entry[],
  style: EntryStyle,
): Edit[] {
  const from = separatorEnd(pair).offset;
  const to = Math.max(from, pair.value?.range[1] ?? from);
  if (parent.flow === true || text.slice(from, to).includes('\n')) {
    return [fillPair(pair, `{${flowPairs(entries, style).join(', ')}}`)];
  }
  const indent = ' '.repeat(indentOf(text, pairStart(pair)) + style.step);
  const at = lineEnd(text, to);
  const lines = blockLines(entries, style).map((line) => endOfLineAt(text, at) + indent + line);
  const removed = pair.value !== null && pair.value.range[1] > pair.value.range[0] ? to : from;
  return [
    { start: from, end: removed, text: '' },
    { start: at, end: at, text: lines.join('') },
  ].filter(({ start, end, text: added }) => start !== end || added !== '');
}

/** Keys for a file that has none; it ends in a line end if it did so before, or was empty. */
export function addKeysAtEnd(text: string, entries: readonly Entry[], style: EntryStyle): Edit {
  const endOfLine = endOfLineAt(text, text.length);
  const lines = blockLines(entries, style).join(endOfLine);
  const starts = lineStart(text, text.length) === text.length;
  return { start: text.length, end: text.length, text: starts ? lines + endOfLine : endOfLine + lines };
}

function addLines(text: string, map: YAMLMap.Parsed, lines: readonly string[], after: ParsedPair | undefined): Edit {
  const [first] = pairsOf(map);
  const start = first === undefined ? map.range[0] : pairStart(first);
  const column = indentOf(text, start);
  const indent = ' '.repeat(column);
  const at = after === undefined ? undefined : lineEndAfter(text, after, column);
  if (at === undefined) {
    return { start, end: start, text: lines.map((line) => line + endOfLineAt(text, start) + indent).join('') };
  }
  return { start: at, end: at, text: lines.map((line) => endOfLineAt(text, at) + indent + line).join('') };
}

function addToFlow(text: string, pairs: readonly string[], after: ParsedPair): Edit {
  const start = pairStart(after);
  const indent = text.slice(lineStart(text, start), start);
  const ownLine = /^[ \t]*$/.test(indent);
  const separator = ownLine ? `,${endOfLineAt(text, start)}${indent}` : ', ';
  const at = contentEnd(after);
  if (ownLine && text.slice(at, lineEnd(text, at)).includes('#')) {
    return { start, end: start, text: pairs.map((pair) => pair + separator).join('') };
  }
  return { start: at, end: at, text: pairs.map((pair) => separator + pair).join('') };
}

function fillBraces(text: string, map: YAMLMap.Parsed, pairs: readonly string[]): Edit {
  const at = map.range[0] + 1;
  const space = /^ +(?=\})/.exec(text.slice(at, map.range[1]))?.[0].slice(0, 1) ?? '';
  return { start: at, end: at, text: space + pairs.join(', ') };
}
