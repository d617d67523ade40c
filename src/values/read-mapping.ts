import { isScalar, type Document, type ParsedNode, type YAMLMap } from 'yaml';
import { fieldNames, type Field, type FieldTexts } from './mapping-fields.ts';
import { isNothing, mergedPair, resolved, writtenPair, type ParsedPair } from './nodes.ts';
import { isPlainString } from './plain.ts';

/** What the mapping of an image says now. */
export interface ImageMapping {
  /** The keys that are written in it. */
  readonly written: ReadonlyMap<Field, ParsedPair>;
  /** The values, those included that come through aliases and `<<`. */
  readonly values: ReadonlyMap<Field, ParsedNode | undefined>;
  readonly texts: FieldTexts;
}

export function readMapping(map: YAMLMap.Parsed, document: Document): ImageMapping {
  const written = new Map<Field, ParsedPair>();
  const values = new Map<Field, ParsedNode | undefined>();
  for (const field of fieldNames) {
    const pair = writtenPair(map, field, document);
    const effective = pair ?? mergedPair(map, field, document)?.pair;
    if (pair !== undefined) written.set(field, pair);
    if (effective !== undefined) values.set(field, resolved(effective.value, document));
  }
  const text = (field: Field) => textOf(values.get(field));
  const texts = {
    registry: text('registry'),
    repository: text('repository'),
    tag: text('tag'),
    digest: text('digest'),
  };
  return { written, values, texts };
}

/** Whether a value is the wanted text already, and a string to every parser. */
export function isString(node: ParsedNode | undefined, wanted: string): boolean {
  if (wanted === '' && isNothing(node)) return true;
  if (!isScalar<string>(node) || node.value !== wanted) return false;
  if (node.tag !== undefined && node.tag !== 'tag:yaml.org,2002:str') return false;
  return node.type !== 'PLAIN' || isPlainString(wanted, false);
}

/** Only a scalar has a text; a list where a text should be is found when it is to be replaced. */
function textOf(node: ParsedNode | undefined): string {
  return isScalar<string>(node) && !isNothing(node) ? node.value : '';
}
