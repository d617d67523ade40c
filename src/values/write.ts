import { isMap, isScalar, visit, type Document, type ParsedNode, type Scalar, type YAMLMap } from 'yaml';
import {
  contentEnd,
  isNothing,
  lineEndAfter,
  nonSpecificTag,
  pairsOf,
  pairStart,
  separatorEnd,
  type ParsedPair,
} from './nodes.ts';
import type { ParsedDocument } from './parse.ts';
import type { Edit } from './plan.ts';
import { endOfLineAt, indentOf, lineEnd, lineStart } from './source.ts';

/** How a scalar on one line is written. */
type Style = 'PLAIN' | 'QUOTE_SINGLE' | 'QUOTE_DOUBLE';

/**
 * What YAML 1.1, 1.2 or Go's parser reads as anything but a string: null, booleans, numbers with underscores, in base 2, 8, 16
 * and 60, dates, `=` and `<<`. By the letter of YAML 1.1, also `14.22.1` is a float,
 * and to one parser `e5` is.
 */
const notStrings = [
  /^(|~|null|y|yes|n|no|true|false|on|off|[-+]?\.?(inf|infinity|nan)|=|<<)$/i,
  /^[-+]?0[box][0-9a-f_]*$/i,
  /^[-+]?[0-9_.:]*(e[-+]?[0-9_]*)?$/i,
  /^[0-9]+-[0-9]+-[0-9]+(t|\s|$)/i,
];

/** Whether every parser reads the text, unquoted, as the string it is. In a flow mapping, old parsers stop at a colon. */
export function isPlainString(text: string, inFlow: boolean): boolean {
  if (!/^[A-Za-z0-9_][-A-Za-z0-9_./:@+]*$/.test(text) || text.endsWith(':')) return false;
  if (inFlow && text.includes(':')) return false;
  return !notStrings.some((pattern) => pattern.test(text));
}

/** Whether a value is the wanted text already, and a string to every parser. */
export function isString(node: ParsedNode | undefined, wanted: string): boolean {
  if (wanted === '' && isNothing(node)) return true;
  if (!isScalar<string>(node) || node.value !== wanted) return false;
  if (node.tag !== undefined && node.tag !== 'tag:yaml.org,2002:str') return false;
  return node.type !== 'PLAIN' || isPlainString(wanted, false);
}

/**
 * The text as a scalar.
 * @param style as its neighbours are written
 * @param quotes what to write it in when it can't be plain
 */
export function scalarText(text: string, style: Style, quotes: Exclude<Style, 'PLAIN'>, inFlow: boolean): string {
  if (style === 'PLAIN' && isPlainString(text, inFlow)) return text;
  const used = style === 'PLAIN' ? quotes : style;
  return used === 'QUOTE_SINGLE' ? `'${text.replaceAll("'", "''")}'` : JSON.stringify(text);
}

/** How a file is written, for what is added to it. */
interface FileStyle {
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

/** Keys to add, with a value or with keys of their own. */
export type Entry = readonly [key: string, value: string | readonly Entry[]];

/** How added keys and values are written. */
export interface EntryStyle extends FileStyle {
  readonly keys: Style;
  readonly values: Style;
}

/** Lines of a block mapping, the outermost keys without indentation. */
function blockLines(entries: readonly Entry[], style: EntryStyle): string[] {
  return entries.flatMap(([key, value]) => {
    const name = `${scalarText(key, style.keys, style.quotes, false)}:`;
    if (typeof value === 'string') return [`${name} ${scalarText(value, style.values, style.quotes, false)}`];
    return [name, ...blockLines(value, style).map((line) => ' '.repeat(style.step) + line)];
  });
}

/** The pairs of a flow mapping. */
function flowPairs(entries: readonly Entry[], style: EntryStyle): string[] {
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

/** Puts another text in place of a scalar, in the quotes that it has; of a block scalar, all but its last line end. */
export function replaceScalar(
  source: string,
  node: Scalar.Parsed,
  text: string,
  quotes: Exclude<Style, 'PLAIN'>,
  inFlow: boolean,
): Edit {
  const [start, end] = node.range;
  return {
    start: node.tag === '!' ? (nonSpecificTag(source, node) ?? start) : start,
    end: start + source.slice(start, end).trimEnd().length,
    text: scalarText(text, styleOf(node), quotes, inFlow),
  };
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

/**
 * Keys for a document that has none: in place of its null, before its end (`...`), or at the end of the file, which ends in a line
 * end if it did so before, or was empty.
 */
export function addKeysAtRoot(
  text: string,
  root: ParsedNode | undefined,
  entries: readonly Entry[],
  style: EntryStyle,
): Edit {
  if (root !== undefined) {
    const [start, end] = root.range;
    const endOfLine = endOfLineAt(text, start);
    const lines = blockLines(entries, style).join(endOfLine);
    return { start, end, text: start === lineStart(text, start) ? lines : endOfLine + lines };
  }
  const documentEnd = text.search(/^\.\.\.(?=\s|$)/m);
  const at = documentEnd === -1 ? text.length : documentEnd;
  const endOfLine = endOfLineAt(text, at);
  const lines = blockLines(entries, style).join(endOfLine);
  return { start: at, end: at, text: lineStart(text, at) === at ? lines + endOfLine : endOfLine + lines };
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
