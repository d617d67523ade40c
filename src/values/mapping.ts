import { isScalar, type Document, type ParsedNode, type Scalar, type YAMLMap } from 'yaml';
import { namesRegistry } from '../common/image.ts';
import { isPartOfImage, type WantedImage } from './image.ts';
import { whyMerged, whyTwice, type Place } from './locate.ts';
import { isNothing, mergedPair, resolved, textOf, writtenPair, type ParsedPair } from './nodes.ts';
import { pathText, type Path } from './path.ts';
import type { Edit, EditOptions, ShapePlan, Warning, Write } from './plan.ts';
import { notAnImage, whyNotScalar } from './refuse.ts';
import { position, refusal, type Source } from './source.ts';
import {
  addKeys,
  addKeysAtRoot,
  addKeysBelow,
  fileStyle,
  fillPair,
  isString,
  nested,
  replaceScalar,
  scalarText,
  styleOf,
  type Entry,
  type EntryStyle,
} from './write.ts';

/** What is to be written where registry, repository and tag are keys of a mapping. */
export function planMapping(
  source: Source,
  place: Place,
  map: YAMLMap.Parsed,
  path: Path,
  options: EditOptions,
): ShapePlan {
  const image = readMapping(map, place.document.document);
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
    const name = pathText([...path, field]);
    const twice = whyTwice(source, place.document, map, field, name);
    if (twice !== undefined) throw twice;
    if (after === undefined) continue;
    const pair = image.written.get(field);
    const offset = (pair?.value ?? pair?.key)?.range[0] ?? map.range[0];
    offsets.set(name, offset);
    const elsewhere = whyMerged(source, place.document, map, field, name);
    const unchanged = isString(image.values.get(field), after);
    if (unchanged && (elsewhere === undefined || pair === undefined)) continue;
    if (elsewhere !== undefined) throw elsewhere;
    writes.push({ path: [...path, field], before: image.texts[field] || undefined, after, offset });
    if (pair === undefined) missing.push([field, after]);
    else edits.push(setValue(source, place, pair, { field, name, after }, style, map.flow === true));
  }
  if (missing.length > 0) edits.push(addKeys(source.text, map, missing, style, lastOfImage(image)));
  return { writes, edits, offsets, warnings: droppedDigest(source, writes) };
}

function setValue(
  source: Source,
  place: Place,
  pair: ParsedPair,
  { field, name, after }: { field: Field; name: string; after: string },
  style: EntryStyle,
  inFlow: boolean,
): Edit {
  const reason = pair.value === null ? undefined : whyNotScalar(source, place.document, pair.value, name);
  if (reason !== undefined) throw reason;
  if (isScalar<string>(pair.value) && !isNothing(pair.value) && !isPartOfImage(field, textOf(pair.value))) {
    throw notAnImage(source, pair.value, name, `the ${field} of an image`);
  }
  if (isNothing(pair.value)) return fillPair(pair, scalarText(after, style.values, style.quotes, inFlow));
  return replaceScalar(source.text, pair.value as Scalar.Parsed, after, style.quotes, inFlow);
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

const pinned = /(^|@)sha\d+:/;

/** What pinned the old image, behind its tag or in a key of its own, which would win over the new tag. */
function droppedDigest(source: Source, writes: readonly Write[]): Warning[] {
  return writes
    .filter(({ before = '', after }) => pinned.test(before) && !pinned.test(after))
    .map(({ offset, before }) => ({
      code: 'digest-dropped',
      message: `The edit drops the digest in ${String(before)}: it belongs to the old image.`,
      line: position(source.text, offset).line,
    }));
}

/** The keys of an image's mapping, in the order in which charts write them. */
const fieldNames = ['registry', 'repository', 'tag', 'digest'] as const;
type Field = (typeof fieldNames)[number];

/** What each key says now; '' when it is missing or empty. */
type FieldTexts = Readonly<Record<Field, string>>;

/**
 * What the keys have to say. A registry and repository that, joined, already name the image stay split as they are; a
 * repository that holds its registry itself goes on doing so. A digest goes where there is a key for it, else after the tag.
 */
function wantedFields(now: FieldTexts, has: ReadonlySet<Field>, image: WantedImage): Partial<Record<Field, string>> {
  const name = `${image.registry}/${image.repository}`;
  const joined = now.registry === '' && namesRegistry(now.repository);
  const pinned = image.digest !== undefined && !has.has('digest');
  return {
    ...(joined ? { repository: name } : nameFields(now, name, image)),
    tag: pinned ? `${image.tag}@${image.digest}` : image.tag,
    ...(has.has('digest') ? { digest: image.digest ?? '' } : {}),
  };
}

function nameFields(now: FieldTexts, name: string, { registry, repository }: WantedImage) {
  const same = now.registry !== '' && `${now.registry}/${now.repository}` === name;
  return same ? { registry: now.registry, repository: now.repository } : { registry, repository };
}

/** What the mapping of an image says now. */
interface ImageMapping {
  /** The keys that are written in it. */
  readonly written: ReadonlyMap<Field, ParsedPair>;
  /** The values, those included that come through aliases and `<<`. */
  readonly values: ReadonlyMap<Field, ParsedNode | undefined>;
  readonly texts: FieldTexts;
}

function readMapping(map: YAMLMap.Parsed, document: Document): ImageMapping {
  const written = new Map<Field, ParsedPair>();
  const values = new Map<Field, ParsedNode | undefined>();
  for (const field of fieldNames) {
    const pair = writtenPair(map, field, document);
    const effective = pair ?? mergedPair(map, field, document)?.pair;
    if (pair !== undefined) written.set(field, pair);
    if (effective !== undefined) values.set(field, resolved(effective.value, document));
  }
  const text = (field: Field) => {
    const node = values.get(field);
    return isScalar<string>(node) && !isNothing(node) ? textOf(node) : '';
  };
  const texts = {
    registry: text('registry'),
    repository: text('repository'),
    tag: text('tag'),
    digest: text('digest'),
  };
  return { written, values, texts };
}

/** What is to be written where the image, or something on the way to it, is missing or empty. */
export function planMissing(source: Source, place: Place, path: Path, { image }: EditOptions): ShapePlan {
  const nothing = { registry: '', repository: '', tag: '', digest: '' };
  const fields = Object.entries(wantedFields(nothing, new Set(), image));
  const keys = styleOf(place.maps.at(-1)?.items[0]?.key);
  const style: EntryStyle = { ...fileStyle(source.text, place.document, place.maps), keys, values: keys };
  const edits = editsFor(source, place, nested(place.missing, fields), style, path);
  const offset = edits[0]?.start ?? 0;
  return {
    writes: fields.map(([field, after]) => ({ path: [...path, field], before: undefined, after, offset })),
    edits,
    warnings: [],
    offsets: new Map(),
  };
}

function editsFor(
  source: Source,
  { document, maps, pair, missing }: Place,
  entries: readonly Entry[],
  style: EntryStyle,
  path: Path,
): Edit[] {
  const map = maps.at(-1);
  if (map === undefined) return [addKeysAtRoot(source.text, document.root, entries, style)];
  if (pair === undefined) return [addKeys(source.text, map, entries, style)];
  const name = pathText(path.slice(0, path.length - missing.length));
  const reason = pair.value === null ? undefined : whyNotScalar(source, document, pair.value, name);
  if (reason !== undefined) throw reason;
  if (pair.srcToken?.start.some(({ type }) => type === 'explicit-key-ind') === true) {
    const remedy = `Write it as "${name}:", without a question mark.`;
    throw refusal(source, pair.key.range[0], 'explicit-key', `${name} is written as an explicit key`, remedy);
  }
  return addKeysBelow(source.text, map, pair, entries, style);
}
