import { isAlias, isCollection, isMap, isScalar, isSeq, type Document, type ParsedNode } from 'yaml';
import type { ConfigurationError } from '../common/errors.ts';
import { isNothing, nodeAt, nonSpecificTag } from './nodes.ts';
import type { ParsedDocument } from './parse.ts';
import { pathText, type Path } from './path.ts';
import type { Edit } from './plan.ts';
import { lineEnd, refusal, type Source } from './source.ts';

const byHand = 'Edit it by hand and set "values-file" to "".';

/** Why a mapping on the way can't be changed or looked into; undefined when it can. */
export function whyNotMapping(
  source: Source,
  { aliased }: ParsedDocument,
  node: ParsedNode,
  name: string,
): ConfigurationError | undefined {
  const at = node.range[0];
  if (isAlias(node)) {
    const remedy = `Write ${name} out in place of the alias.`;
    return refusal(source, at, 'alias', `${name} is the alias *${node.source}`, remedy);
  }
  if (source.text.startsWith('{{', at)) {
    return refusal(source, at, 'template', `${name} is a template`, byHand);
  }
  if (isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED')) {
    const remedy = `Write ${name} as a mapping${name.endsWith('helm.values') ? `, which Argo CD takes in ${name}Object` : ''}, or edit it by hand and set "values-file" to "".`;
    return refusal(source, at, 'text', `${name} is a text, and only mappings can be edited`, remedy);
  }
  if (!isMap(node)) {
    const remedy = `Set "values-path" to the mapping (or the reference) which names the image, or correct the file.`;
    return refusal(source, at, 'not-a-mapping', `${name} is not a mapping`, remedy);
  }
  if (node.tag !== undefined && node.tag !== 'tag:yaml.org,2002:map') {
    return refusal(source, at, 'tagged', `${name} has the tag ${node.tag}`, `Remove the tag.`);
  }
  return whyShared(source, aliased, node, name);
}

/** Why the item of a list can't be changed or looked into; undefined when it can. */
export function whyNoItem(
  source: Source,
  { aliased }: ParsedDocument,
  node: ParsedNode,
  name: string,
  index: number,
): ConfigurationError | undefined {
  const at = node.range[0];
  if (isAlias(node)) {
    return refusal(
      source,
      at,
      'alias',
      `${name} is the alias *${node.source}`,
      `Write ${name} out in place of the alias.`,
    );
  }
  if (!isSeq(node)) {
    const remedy = 'Set "values-path" to the keys which lead to the image of PostgreSQL, or correct the file.';
    return refusal(source, at, 'not-a-list', `${name} is not a list`, remedy);
  }
  if (node.tag !== undefined && node.tag !== 'tag:yaml.org,2002:seq') {
    return refusal(source, at, 'tagged', `${name} has the tag ${node.tag}`, `Remove the tag.`);
  }
  if (isNothing(node.items[index])) return noItem(source, at, `${name}[${String(index)}]`);
  return whyShared(source, aliased, node, name);
}

/** Items are never added to lists: their place in one may mean something. */
export function noItem(source: Source, offset: number, name: string): ConfigurationError {
  const remedy = 'Set "values-path" to an item that is there; the first one is [0].';
  return refusal(source, offset, 'no-item', `${name} is not there`, remedy);
}

/** Why nothing is to be added to a document that is no values file: a Kubernetes object or a helmfile. */
export function whyNoValues(
  source: Source,
  { root, document }: ParsedDocument,
  path: Path,
): ConfigurationError | undefined {
  const [kind, releases] = [nodeAt(root, ['kind'], document), nodeAt(root, ['releases'], document)];
  if (nodeAt(root, [String(path[0])], document) !== undefined) return undefined;
  if (isScalar<string>(kind) && isScalar(nodeAt(root, ['apiVersion'], document))) {
    const what = `the file is a Kubernetes object (kind ${kind.value.slice(0, 40)}), not the values of a chart`;
    return refusal(source, kind.range[0], 'kubernetes-object', what, valuesIn(kind.value, root, document, path));
  }
  if (!isSeq(releases)) return undefined;
  const remedy = `Set "values-file" to a file that the release lists under "values". Where the values stand in the helmfile itself, set "values-path" to the keys that lead there, such as releases[0].values[0].${pathText(path)}.`;
  return refusal(source, releases.range[0], 'helmfile', 'the file is a helmfile, not the values of a chart', remedy);
}

/** Where objects that install a chart have its values, by the API of Argo CD and Flux. */
function valuesIn(kind: string, root: ParsedNode | undefined, document: Document, path: Path): string {
  const sources = nodeAt(root, ['spec', 'sources'], document);
  const index = isSeq(sources)
    ? sources.items.findIndex((item) => nodeAt(item, ['chart'], document) !== undefined)
    : -1;
  const argo = isSeq(sources) ? `spec.sources[${String(Math.max(0, index))}]` : 'spec.source';
  const keys = { Application: `${argo}.helm.valuesObject`, HelmRelease: 'spec.values' }[kind];
  const move =
    kind === 'Application' ? ` Values that stand as a text in ${argo}.helm.values have to be moved there first.` : '';
  return keys === undefined
    ? 'Set "values-file" to the file with the values of the chart. Or set "values-path" to the keys that lead to the image in this one.'
    : `Set "values-file" to the file with the values of the chart, or "values-path" to ${keys}.${pathText(path)}.${move}`;
}

/** Why a value can't be replaced; undefined when it can. */
export function whyNotScalar(
  source: Source,
  { aliased }: ParsedDocument,
  node: ParsedNode,
  name: string,
): ConfigurationError | undefined {
  const at = node.range[0];
  if (isAlias(node)) {
    const remedy = `Write the value of ${name} out in place of the alias.`;
    return refusal(source, at, 'alias', `${name} is the alias *${node.source}`, remedy);
  }
  if (isCollection(node) || !isScalar<string>(node)) {
    if (source.text.startsWith('{{', at)) {
      return refusal(source, at, 'template', `${name} is a template`, byHand);
    }
    return refusal(source, at, 'not-a-scalar', `${name} is not a single value`, `Write ${name} as a string.`);
  }
  const isTagged = node.tag === '!' ? nonSpecificTag(source.text, node) === undefined : node.tag !== undefined;
  if (isTagged && node.tag !== 'tag:yaml.org,2002:str') {
    return refusal(source, at, 'tagged', `${name} has the tag ${String(node.tag)}`, `Remove the tag.`);
  }
  const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
  const written = source.text.slice(at, node.range[1]).trimEnd();
  if (isBlock && !/^[|>][-+0-9]*[ \t]*\r?\n.*$/.test(written)) {
    const what = `${name} is a block scalar of several lines or with a comment`;
    return refusal(source, at, 'block-scalar', what, `Write ${name} on one line, in quotes.`);
  }
  if (!isBlock && written.includes('\n')) {
    return refusal(source, at, 'several-lines', `${name} is written on several lines`, `Write ${name} on one line.`);
  }
  return whyShared(source, aliased, node, name);
}

/**
 * Why a value can't be replaced that is no part of an image: whatever fills it in (Helm, envsubst, Jinja, SOPS, a script of
 * somebody's) would find nothing to fill in any more.
 * @param what `the tag of an image`
 */
export function notAnImage(source: Source, node: ParsedNode, name: string, what: string): ConfigurationError {
  const message = `${name} is not ${what}, but perhaps a template or a placeholder`;
  return refusal(source, node.range[0], 'template', message, byHand);
}

/** An anchor in use: whoever refers to it would change too. */
function whyShared(
  source: Source,
  aliased: ReadonlySet<string>,
  node: ParsedNode & { anchor?: string | undefined },
  name: string,
): ConfigurationError | undefined {
  if (node.anchor === undefined || !aliased.has(node.anchor)) return undefined;
  const what = `${name} has the anchor &${node.anchor}, which is used elsewhere in the file`;
  const remedy = `Write the value out where *${node.anchor} stands, so that only PostgreSQL changes.`;
  const at = source.text.lastIndexOf(`&${node.anchor}`, node.range[0]);
  return refusal(source, at, 'shared-anchor', what, remedy);
}

/**
 * Helm's parser takes a comment or an empty line that is indented by a tab only as the end of an unquoted value. Where that
 * is no longer what stands above it, the whole file could not be read any more; other parsers do not mind.
 * @throws ConfigurationError when there is such a line below an edit
 */
export function refuseTabsBelow(source: Source, edits: readonly Edit[]): void {
  for (const edit of edits.filter((one) => !keepsStyle(source.text, one))) {
    const below = source.text.slice(lineEnd(source.text, edit.end));
    const lines = /^(?:\r?\n[ \t]*(?:#[^\n]*?)?(?=\r?\n|$))*/.exec(below)?.[0] ?? '';
    const tab = /\n *\t/.exec(lines);
    if (tab === null) continue;
    const at = lineEnd(source.text, edit.end) + tab.index + tab[0].length - 1;
    const remedy = 'Replace the tab by spaces, or remove the line.';
    throw refusal(
      source,
      at,
      'tab',
      'Helm can not read a line that is indented by a tab after a new or quoted value',
      remedy,
    );
  }
}

/** Whether one unquoted value takes the place of another, or a quoted one of a quoted one. */
function keepsStyle(text: string, { start, end, text: added }: Edit): boolean {
  return start !== end && added !== '' && !added.includes('\n') && isQuoted(text.slice(start)) === isQuoted(added);
}

const isQuoted = (text: string) => /^["']/.test(text);
