import { isScalar, type Scalar, type YAMLMap } from 'yaml';
import { addKeys } from './add-keys.ts';
import type { Edit } from './edit.ts';
import type { EntryStyle } from './entries.ts';
import { whyNotScalar } from './judge-node.ts';
import { whyMerged, type Place } from './locate.ts';
import { fieldNames, wantedFields, type Field } from './mapping-fields.ts';
import { isNothing, type ParsedPair } from './nodes.ts';
import { scalarText } from './plain.ts';
import type { EditOptions, ShapePlan, Warning, Write } from './plan.ts';
import { position } from './position.ts';
import { isString, readMapping, type ImageMapping } from './read-mapping.ts';
import { refusal } from './refusal.ts';
import { fillPair, replaceScalar } from './set-scalar.ts';
import type { Source } from './source.ts';
import { fileStyle, styleOf } from './style.ts';

/** What is to be written where registry, repository and tag are keys of a mapping. */
export function planMapping(
  source: Source,
  place: Place,
  map: YAMLMap.Parsed,
  path: readonly string[],
  options: EditOptions,
): ShapePlan {
  const image = readMapping(map, place.document.document);
  refuseDigest(source, image, map, path, options);
  const style: EntryStyle = {
    ...fileStyle(source.text, place.document, [...place.maps, map]),
    keys: styleOf(map.items[0]?.key ?? place.pair?.key),
    values: valueStyle(image, map, place),
  };
  const wanted = wantedFields(image.texts, new Set(image.values.keys()), options.image);
  const writes: Write[] = [];
  const edits: Edit[] = [];
  const missing: [Field, string][] = [];
  const offsets = new Map<string, number>();
  for (const field of fieldNames) {
    const after = wanted[field];
    if (after === undefined) continue;
    const name = [...path, field].join('.');
    const pair = image.written.get(field);
    const offset = (pair?.value ?? pair?.key)?.range[0] ?? map.range[0];
    offsets.set(name, offset);
    const elsewhere = whyMerged(source, place.document, map, field, name);
    const unchanged = isString(image.values.get(field), after);
    if (unchanged && (elsewhere === undefined || pair === undefined)) continue;
    if (elsewhere !== undefined) throw elsewhere;
    writes.push({ path: [...path, field], before: image.texts[field] || undefined, after, offset });
    if (pair === undefined) missing.push([field, after]);
    else edits.push(setValue(source, place, pair, name, after, style, map.flow === true));
  }
  if (missing.length > 0) edits.push(addKeys(source.text, map, missing, style, lastOfImage(image)));
  return { shape: 'mapping', writes, edits, offsets, warnings: droppedDigest(source, writes) };
}

/** A digest wins over the tag in Bitnami's charts: a new tag beside it would change nothing. */
function refuseDigest(
  source: Source,
  { texts, written, values }: ImageMapping,
  map: YAMLMap.Parsed,
  path: readonly string[],
  { image, clearDigest = false }: EditOptions,
): void {
  const value = values.get('digest');
  const isEmpty = texts.digest === '' && (value === undefined || isScalar(value));
  if (isEmpty || image.digest !== undefined || clearDigest) return;
  throw refusal(
    source,
    written.get('digest')?.value?.range[0] ?? map.range[0],
    'digest',
    `${path.join('.')}.digest is set, and wins over the tag`,
    'Remove the digest, or give the one of the new image.',
  );
}

function setValue(
  source: Source,
  place: Place,
  pair: ParsedPair,
  name: string,
  after: string,
  style: EntryStyle,
  inFlow: boolean,
): Edit {
  const reason = pair.value === null ? undefined : whyNotScalar(source, place.document, pair.value, name);
  if (reason !== undefined) throw reason;
  if (isNothing(pair.value)) return fillPair(pair, scalarText(after, style.values, style.quotes, inFlow));
  return replaceScalar(pair.value as Scalar.Parsed, after, style.quotes, inFlow);
}

/** As the image's other values are written; as its keys are, when there is none. */
function valueStyle({ written }: ImageMapping, map: YAMLMap.Parsed, place: Place): EntryStyle['values'] {
  for (const field of ['tag', 'repository', 'registry'] as const) {
    const value = written.get(field)?.value;
    if (isScalar(value) && !isNothing(value)) return styleOf(value);
  }
  return styleOf(map.items[0]?.key ?? place.pair?.key);
}

/** The pair after which what is missing is added: of those that name the image the one furthest down. */
function lastOfImage({ written }: ImageMapping): ParsedPair | undefined {
  const pairs = (['registry', 'repository', 'tag'] as const).map((field) => written.get(field));
  return pairs.filter((pair) => pair !== undefined).toSorted((a, b) => b.key.range[0] - a.key.range[0])[0];
}

function droppedDigest(source: Source, writes: readonly Write[]): Warning[] {
  return writes
    .filter(({ path, before, after }) => path.at(-1) === 'tag' && before?.includes('@') && !after.includes('@'))
    .map(({ offset, before }) => ({
      code: 'digest-dropped',
      message: `The digest in ${String(before)} is dropped, since it is the old image's.`,
      line: position(source.text, offset).line,
    }));
}
