import { isAlias, isMap, type ParsedNode, type YAMLMap, type YAMLSeq } from 'yaml';
import { ConfigurationError } from '../common/errors.ts';
import { isMergeKey, isNothing, keyOf, mergedPair, pairsOf, writtenPair, type ParsedPair } from './nodes.ts';
import type { ParsedDocument } from './parse.ts';
import { pathText, type Path } from './path.ts';
import { noItem, whyNoItem, whyNoValues, whyNotMapping } from './refuse.ts';
import { position, refusal, severalDocuments, type Source } from './source.ts';

/**
 * Where the image is, or is to be, in a file of one or several documents.
 * @throws ConfigurationError unless exactly one document can be meant, and can be edited
 */
export function choosePlace(source: Source, documents: readonly ParsedDocument[], path: Path): Place {
  const followed = documents.map((document, index) => ({
    document,
    index,
    ...follow(source, document, index, path),
  }));
  const whole = followed.filter(({ depth }) => depth === path.length);
  const begun = followed.filter(({ depth }) => depth > 0);
  const filled = followed.filter(({ document }) => document.root !== undefined);
  for (const document of begun.length === 0 ? documents : []) {
    const reason = whyNoValues(source, document, path);
    if (reason !== undefined) throw reason;
  }
  const blocked = begun.filter(({ place }) => place instanceof ConfigurationError);
  const candidates =
    [[...new Set([...whole, ...blocked])], begun, documents.length === 1 ? followed : filled].find(
      ({ length }) => length > 0,
    ) ?? followed;
  const [only, other] = candidates;
  if (only === undefined || other !== undefined) {
    const lines = candidates.map(({ document, index }) => `${String(index + 1)} (line ${lineOf(source, document)})`);
    throw new ConfigurationError(
      'values-several-documents',
      begun.length > 0
        ? `${source.file} has ${pathText(path)} in more than one document: ${lines.join(', ')}.`
        : `${source.file} has several documents and ${pathText(path)} in none of them.`,
      `Leave one document in the file: ${severalDocuments}.`,
    );
  }
  if (only.place instanceof ConfigurationError) throw only.place;
  return only.place;
}

function lineOf(source: Source, { root, document }: ParsedDocument): string {
  return String(position(source.text, (root ?? document).range?.[0] ?? 0).line);
}

/** Where a path leads in one document. */
export interface Place {
  readonly document: ParsedDocument;
  /** Of the document in the file, from 0. */
  readonly index: number;
  /** The mappings on the way, from the root. */
  readonly maps: readonly YAMLMap.Parsed[];
  /** What holds the node, or what is missing of it. */
  readonly parent: YAMLMap.Parsed | YAMLSeq.Parsed | undefined;
  /** The pair that holds the node, or the nothing below which the rest is missing. */
  readonly pair: ParsedPair | undefined;
  /** What is found there; undefined when it, or something on the way, is missing or empty. */
  readonly node: ParsedNode | undefined;
  /** The keys, or the rest of them, that are not there. */
  readonly missing: readonly string[];
}

/** Follows a path in one document; a refusal when the way is not literally there, with how many keys were. */
function follow(
  source: Source,
  document: ParsedDocument,
  index: number,
  path: Path,
): { depth: number; place: Place | ConfigurationError } {
  const maps: YAMLMap.Parsed[] = [];
  let parent: Place['parent'];
  let pair: ParsedPair | undefined;
  let node: ParsedNode | null | undefined = document.root;
  const placeOf = (missing: readonly string[]): Place => {
    return {
      document,
      index,
      maps,
      parent,
      pair,
      node: missing.length > 0 || isNothing(node) ? undefined : (node ?? undefined),
      missing,
    };
  };
  /** The rest of the path is to be added; items are not added to lists. */
  const stopAt = (depth: number) => {
    const missing = path.slice(depth).filter((key) => typeof key === 'string');
    const items = missing.length < path.length - depth;
    const offset = node?.range[0] ?? pair?.key.range[0] ?? 0;
    return { depth, place: items ? noItem(source, offset, pathText(path)) : placeOf(missing) };
  };
  for (const [depth, key] of path.entries()) {
    if (node === undefined || node === null || isNothing(node)) return stopAt(depth);
    const [name, below] = [pathText(path.slice(0, depth)) || 'the document', pathText(path.slice(0, depth + 1))];
    if (typeof key === 'number') {
      const reason = whyNoItem(source, document, node, name, key);
      if (reason !== undefined) return { depth, place: reason };
      parent = node as YAMLSeq.Parsed;
      pair = undefined;
      node = parent.items[key];
      continue;
    }
    const reason = whyNotMapping(source, document, node, name);
    if (reason !== undefined) return { depth, place: reason };
    const map = node as YAMLMap.Parsed;
    maps.push(map);
    parent = map;
    pair = writtenPair(map, key, document.document);
    const elsewhere = whyTwice(source, document, map, key, below) ?? whyMerged(source, document, map, key, below);
    if (elsewhere !== undefined) return { depth: depth + 1, place: elsewhere };
    if (pair === undefined) return stopAt(depth);
    node = pair.value;
  }
  if (isMap(node) || isAlias(node)) {
    const reason = whyNotMapping(source, document, node, pathText(path));
    if (reason !== undefined) return { depth: path.length, place: reason };
  }
  return { depth: path.length, place: placeOf([]) };
}

/** Why a key, or the `<<` that might bring it, is written more than once: nobody can tell which one was meant. */
export function whyTwice(
  source: Source,
  { document }: ParsedDocument,
  map: YAMLMap.Parsed,
  key: string,
  name: string,
): ConfigurationError | undefined {
  const pairs = pairsOf(map).map((pair) => ({ pair, text: keyOf(pair, document) }));
  const [, second] =
    [key, '<<'].map((one) => pairs.filter(({ text }) => text === one)).find((of) => of.length > 1) ?? [];
  if (second === undefined) return undefined;
  const what = second.text === key ? `${name} is there twice` : `"<<" is there twice beside ${name}`;
  const remedy = 'Remove the wrong one. Helm takes the last one.';
  return refusal(source, second.pair.key.range[0], 'duplicate-key', what, remedy);
}

/**
 * Why a key is not taken from where it is written: it comes through `<<` alone, or a `<<` further down brings it too, and
 * Helm's parser (unlike others) then takes that one.
 */
export function whyMerged(
  source: Source,
  { document }: ParsedDocument,
  map: YAMLMap.Parsed,
  key: string,
  name: string,
): ConfigurationError | undefined {
  const merged = mergedPair(map, key, document);
  if (merged === undefined) return undefined;
  const pairs = pairsOf(map);
  const written = pairs.findIndex((pair) => pair === writtenPair(map, key, document));
  if (written > pairs.findLastIndex(isMergeKey)) return undefined;
  return refusal(
    source,
    merged.merge.key.range[0],
    'merged-key',
    written === -1 ? `${name} comes through "<<" only` : `"<<" below ${name} brings it too, and Helm takes that one`,
    `Write ${name} out, below "<<".`,
  );
}
