import { isAlias, isMap, isScalar, isSeq, type Document, type Pair, type ParsedNode, type YAMLMap } from 'yaml';

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

/** The pair whose key is written in this mapping. */
export function writtenPair(map: YAMLMap.Parsed, key: string, document: Document): ParsedPair | undefined {
  return pairsOf(map).find((pair) => {
    const node = resolved(pair.key, document);
    return isScalar<string>(node) && node.value === key;
  });
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

/** Nothing, or a plain null. */
export function isNothing(node: ParsedNode | null | undefined): boolean {
  if (node === null || node === undefined) return true;
  return isScalar(node) && node.type === 'PLAIN' && /^(|~|null|Null|NULL)$/.test(node.source);
}

/** What a path of keys leads to, aliases and merges followed as Helm follows them. */
export function nodeAt(
  root: ParsedNode | undefined,
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
