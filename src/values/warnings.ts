import { isMap, isScalar, visit, type YAMLMap } from 'yaml';
import type { WantedImage } from './image.ts';
import type { Place } from './locate.ts';
import { isNothing, keyOf, nodeAt, pairsOf, writtenPair } from './nodes.ts';
import type { ParsedDocument } from './parse.ts';
import { pathText, type Path } from './path.ts';
import type { Warning, Write } from './plan.ts';
import { lineEnd, lineStart, position, severalDocuments, type Source } from './source.ts';

const botMarks = /#.*(\{\s*"\$imagepolicy"|\brenovate:|\bx-updatecli\b|\bupdatecli:)/;

/** What in the file, besides the values themselves, decides about the image. */
export function warningsOf(
  source: Source,
  documents: readonly ParsedDocument[],
  place: Place,
  path: Path,
  image: WantedImage,
  writes: readonly Write[],
): Warning[] {
  return [
    ...notFirst(source, place),
    ...otherDocuments(source, documents, place, path),
    ...notDeployed(source, place),
    ...added(source, place, path, writes),
    ...globalRegistry(source, place, image),
    ...duplicateKeys(source, place),
    ...otherBots(source, writes),
  ];
}

/** Another document that has the first key of the path too, even if it stops there. */
function otherDocuments(
  source: Source,
  documents: readonly ParsedDocument[],
  { index }: Place,
  [first]: Path,
): Warning[] {
  const key = String(first);
  return documents.flatMap(({ root, document }, other) => {
    const pair = other !== index && isMap(root) ? writtenPair(root, key, document) : undefined;
    if (pair === undefined) return [];
    const message = `Document ${String(other + 1)} has ${key} as well as document ${String(index + 1)}, which names the image: ${severalDocuments}.`;
    return [{ code: 'other-document' as const, message, line: position(source.text, pair.key.range[0]).line }];
  });
}

/** `internal` is CircleCI's own switch for a database outside of the cluster, `enabled` that of other charts. */
function notDeployed(source: Source, { maps, document: { document } }: Place): Warning[] {
  return maps.slice(1).flatMap((map) =>
    ['internal', 'enabled'].flatMap((key) => {
      const node = nodeAt(map, [key], document);
      if (!isScalar<string>(node) || node.type !== 'PLAIN' || !/^(false|no|off|n)$/i.test(node.value)) return [];
      const message = `"${key}: ${node.value}": the chart deploys no PostgreSQL here, so this image is not used.`;
      return [{ code: 'not-deployed' as const, message, line: position(source.text, node.range[0]).line }];
    }),
  );
}

/** More than the image is missing: the file may be another chart's, or a key misspelt. */
function added(source: Source, { missing }: Place, path: Path, [first]: readonly Write[]): Warning[] {
  if (first === undefined || missing.length < Math.min(2, path.length)) return [];
  const name = pathText(path.slice(0, path.length - missing.length + 1));
  const message = `The file has no ${name}, so the edit adds it. Check that this file holds the values of CircleCI Server, and that no key is misspelt.`;
  return [{ code: 'added', message, line: position(source.text, first.offset).line }];
}

function notFirst(source: Source, { document, index }: Place): Warning[] {
  if (index === 0) return [];
  const { line } = position(source.text, document.root?.range[0] ?? 0);
  const message = `The image is in document ${String(index + 1)} of the file: ${severalDocuments}.`;
  return [{ code: 'not-first-document', message, line }];
}

function globalRegistry(source: Source, { document: { root, document } }: Place, image: WantedImage): Warning[] {
  const node = nodeAt(root, ['global', 'imageRegistry'], document);
  if (!isScalar<string>(node) || isNothing(node) || ['', image.registry].includes(node.value)) return [];
  const message = `global.imageRegistry is ${node.value}: charts that know it take the image from there, not from ${image.registry}.`;
  return [{ code: 'global-registry', message, line: position(source.text, node.range[0]).line }];
}

/** Keys that are there twice in one mapping, anywhere but on the way to the image, where they are refused. */
function duplicateKeys({ text }: Source, { document: { document } }: Place): Warning[] {
  const found: Warning[] = [];
  visit(document, {
    Map: (_, map) => {
      const offsets = new Map<string, number>();
      for (const pair of pairsOf(map as YAMLMap.Parsed)) {
        const key = keyOf(pair, document);
        if (key === undefined) continue;
        const [start] = pair.key.range;
        const first = offsets.get(key);
        offsets.set(key, first ?? start);
        if (first === undefined) continue;
        const message = `The same key is on line ${String(position(text, first).line)}, in the same mapping: Helm takes the last one.`;
        found.push({ code: 'duplicate-key', message, line: position(text, start).line });
      }
    },
  });
  return found;
}

/** Comments by which a bot finds the value: on its line, or alone on the line above. */
function otherBots(source: Source, writes: readonly Write[]): Warning[] {
  const { text } = source;
  const lines = new Set<number>();
  for (const { offset, before } of writes) {
    if (before === undefined) continue;
    const start = lineStart(text, offset);
    const above = text.slice(lineStart(text, Math.max(0, start - 1)), start);
    const own = text.slice(start, lineEnd(text, offset));
    if (botMarks.test(own) || (/^\s*#/.test(above) && botMarks.test(above))) lines.add(position(text, offset).line);
  }
  return [...lines]
    .sort((a, b) => a - b)
    .map((line) => ({
      code: 'other-bot',
      message:
        'A comment says that another bot updates this line: configure it for PostgreSQL 14, or it restores the old image.',
      line,
    }));
}
