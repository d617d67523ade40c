import {
  CORE_SCHEMA,
  YAML11_SCHEMA,
  YAMLException,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  loadAll,
  mergeTag,
  realMapTag,
  type Schema,
  type TagDefinition,
} from 'js-yaml';
import { ConfigurationError, describe } from '../common/errors.ts';
import { ordered, type Plan } from './plan.ts';
import { refusal, type Source } from './source.ts';

/**
 * Proves an edit before it is used, by what did not make it: another parser, and the bytes themselves.
 * @throws ConfigurationError when anything but the wanted values would change
 */
export function prove(source: Source, text: string, plan: Plan): void {
  const before = read(source, source.text, 'as it is');
  const after = read(source, text, 'as it would be');
  for (const [index, documents] of before.entries()) {
    const changed = after[index] ?? [];
    if (changed.length !== Math.max(1, documents.length)) throw unproven(source, 'the number of documents');
    for (const [number, document] of changed.entries()) {
      const found =
        number === plan.document
          ? difference(documents[number], document, wantedTree(plan.writes))
          : otherDocument(documents[number], document, number);
      if (found !== undefined) throw unproven(source, found);
    }
  }
  proveBytes(source, text, plan);
}

function otherDocument(before: unknown, after: unknown, number: number): string | undefined {
  return equal(before, after) ? undefined : `document ${String(number + 1)}`;
}

/** All bytes outside of the edits are where they were, or moved by what was added before them. */
function proveBytes(source: Source, text: string, plan: Plan): void {
  const encoder = new TextEncoder();
  const before = encoder.encode(source.text);
  const after = encoder.encode(text);
  const size = (part: string) => encoder.encode(part).length;
  let old = 0;
  let now = 0;
  const edits = ordered(plan.edits);
  for (const [index, edit] of [...edits, { start: source.text.length, end: source.text.length, text: '' }].entries()) {
    const from = edits[index - 1]?.end ?? 0;
    if (edit.start < from) throw unproven(source, 'edits overlap');
    for (let left = size(source.text.slice(from, edit.start)); left > 0; left--) {
      if (before[old++] !== after[now++]) throw unproven(source, 'bytes outside of the values');
    }
    old += size(source.text.slice(edit.start, edit.end));
    now += size(edit.text);
  }
  if (old !== before.length || now !== after.length) throw unproven(source, 'the number of bytes');
}

function read(source: Source, text: string, when: string): unknown[][] {
  try {
    return readings(text);
  } catch (error) {
    const { reason, mark } = error instanceof YAMLException ? error : { reason: describe(error), mark: undefined };
    throw refusal(
      { ...source, text },
      mark?.position ?? 0,
      'unreadable',
      `a second parser can't read the file ${when}: ${reason}`,
      'Correct the file there, or edit it by hand and set "values-file" to "".',
      { cause: error },
    );
  }
}

function unproven(source: Source, what: string): ConfigurationError {
  return new ConfigurationError(
    'values-unproven',
    `The edit of ${source.file} would change more than the image, or not what was meant (${what}); nothing was written.`,
    'Edit it by hand and set "values-file" to "". Please report this together with the file, without its secrets.',
  );
}

/** What is to be different, as a tree: keys that lead to texts. */
export type Wanted = string | ReadonlyMap<string, Wanted>;

export function wantedTree(writes: readonly { readonly path: readonly string[]; readonly after: string }[]): Wanted {
  const root = new Map<string, Wanted>();
  for (const { path, after } of writes) {
    let map = root;
    for (const key of path.slice(0, -1)) {
      const next = map.get(key);
      const child = next instanceof Map ? (next as Map<string, Wanted>) : new Map<string, Wanted>();
      map.set(key, child);
      map = child;
    }
    map.set(path.at(-1) ?? '', after);
  }
  return root;
}

/**
 * The first difference between two trees that is not a wanted one; undefined when there is none, and every wanted one is there.
 * Keys have to be in the same order.
 */
export function difference(
  before: unknown,
  after: unknown,
  wanted: Wanted,
  path: readonly string[] = [],
): string | undefined {
  const name = path.join('.') || 'the document';
  if (typeof wanted === 'string') return after === wanted ? undefined : `${name} is not the string ${wanted}`;
  if (!(after instanceof Map)) return `${name} is not a mapping`;
  if (!(before instanceof Map) && before !== null && before !== undefined) return `${name} was not a mapping`;
  const old = before instanceof Map ? [...(before as Map<unknown, unknown>)] : [];
  const oldKeys = new Set(old.map(([key]) => key));
  const added = [...wanted.keys()].filter((key) => !oldKeys.has(key));
  const kept = [...(after as Map<unknown, unknown>)].filter(([key]) => !added.includes(key as string));
  if (kept.length !== old.length || after.size !== old.length + added.length) return `keys of ${name}`;
  const seen = new Map<unknown, unknown>();
  for (const [index, [key, value]] of old.entries()) {
    const [newKey, newValue] = kept[index] ?? [];
    if (!equal(key, newKey, seen)) return `keys of ${name}`;
    const within = typeof key === 'string' ? wanted.get(key) : undefined;
    const where = [...path, String(key)];
    if (within === undefined) {
      if (!equal(value, newValue, seen)) return where.join('.');
    } else {
      const found = difference(value, newValue, within, where);
      if (found !== undefined) return found;
    }
  }
  for (const key of added) {
    const found = difference(undefined, after.get(key), wanted.get(key) ?? '', [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether two values are the same all the way down; `seen` holds the pairs under way, so that aliases cost once and cycles end. */
export function equal(a: unknown, b: unknown, seen: Map<unknown, unknown> = new Map<unknown, unknown>()): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  const [left, right] = [partsOf(a), partsOf(b)];
  if (left === undefined || right === undefined || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  return left.length === right.length && left.every((part, index) => equal(part, right[index], seen));
}

/** What a value consists of, in order; undefined for what no reading of YAML gives. */
function partsOf(value: object): unknown[] | undefined {
  if (Array.isArray(value)) return value as unknown[];
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof Date) return [value.getTime()];
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)].flat();
  if (value instanceof Set) return [...(value as Set<unknown>)];
  return undefined;
}

/** Where a mapping with an unknown tag keeps it; no key in a file can be this one. */
const tagKey: unknown = Symbol('tag');

/** Tags that nobody here knows, such as `!vault`: the tag and what it stands before. */
const unknownTags: TagDefinition[] = ['!', 'tag:'].flatMap((prefix) => [
  defineScalarTag<unknown>(prefix, {
    matchByTagPrefix: true,
    resolve: (text, _isExplicit, tag) => [tag, text],
    identify: () => false,
  }),
  defineSequenceTag<unknown[]>(prefix, {
    matchByTagPrefix: true,
    create: (tag) => [tag],
    addItem: (items, item) => void items.push(item),
    identify: () => false,
  }),
  defineMappingTag<Map<unknown, unknown>>(prefix, {
    ...realMapTag,
    matchByTagPrefix: true,
    create: (tag) => new Map([[tagKey, tag]]),
    identify: () => false,
  }),
]);

/** YAML 1.2 and 1.1, both with merges, as real maps: so 1 and "1" are two keys, and none is lost. */
const schemas: readonly Schema[] = [
  CORE_SCHEMA.withTags(mergeTag, realMapTag, unknownTags),
  YAML11_SCHEMA.withTags(realMapTag, unknownTags),
];

/** Every document of a text as values, in both versions of YAML, by a parser that had no part in the edit. */
export function readings(text: string): unknown[][] {
  return schemas.map((schema) => loadAll(text, { schema }));
}
