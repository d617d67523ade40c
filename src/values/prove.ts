import { isDeepStrictEqual } from 'node:util';
import {
  CORE_SCHEMA,
  EVENT_ID,
  SCALAR_STYLE,
  YAML11_SCHEMA,
  YAMLException,
  constructFromEvents,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  mergeTag,
  parseEvents,
  realMapTag,
  type Event,
  type ScalarEvent,
  type Schema,
  type TagDefinition,
} from 'js-yaml';
import { ConfigurationError } from '../common/errors.ts';
import type { Path } from './path.ts';
import { apply, ordered, type Edit, type Plan } from './plan.ts';
import { refusal, type Source } from './source.ts';

/**
 * Proves a plan before it is used, by a parser (js-yaml) that had no part in it, in YAML 1.2 and 1.1: the documents differ in the
 * planned values only, each replaced part is one scalar, and what is added is no comment and is not put into one.
 * Decision: docs/decisions/0021-values-file.md
 * @returns the edited text
 * @throws ConfigurationError `values-unproven`, `values-unreadable` or `values-aliases`
 */
export function prove(source: Source, plan: Plan): string {
  const text = apply(source.text, plan.edits);
  const before = read(source, source.text, 'as it is');
  const after = read(source, text, 'as it would be');
  for (const [index, documents] of before.trees.entries()) {
    refuseExcessiveAliases(source, documents);
    const wanted = documents.length === 0 ? [undefined] : [...documents];
    wanted[plan.document] = plan.writes.reduce(set, wanted[plan.document]);
    if (!isDeepStrictEqual(wanted, after.trees[index])) throw unproven(source, 'another value');
  }
  proveEdits(source, plan.edits, before.scalars);
  return text;
}

/** Start and end of characters in a text. */
type Span = readonly [start: number, end: number];

/**
 * A tree with one value set, the mappings on the way made where they are missing; what is shared with other places is copied.
 * Undefined, which no document is, where a value stands in place of a mapping.
 */
function set(tree: unknown, { path: [key, ...rest], after }: { path: Path; after: string }): unknown {
  if (key === undefined) return after;
  if (Array.isArray(tree) && typeof key === 'number') {
    return key < tree.length ? tree.with(key, set(tree[key], { path: rest, after })) : undefined;
  }
  const map = tree ?? new Map<unknown, unknown>();
  if (!(map instanceof Map)) return undefined;
  return new Map<unknown, unknown>(map).set(key, set(map.get(key), { path: rest, after }));
}

/**
 * More values than Go's parser decodes: above 4,000,000 it gives up where more than a tenth come through aliases (`go-yaml`,
 * decode.go, allowedAliasRatio), as they do in any file that `readSource` takes.
 */
const mostValues = 4_000_000;

function refuseExcessiveAliases(source: Source, documents: readonly unknown[]): void {
  if (expandedSize(documents, new Map()) <= mostValues) return;
  throw new ConfigurationError(
    'values-aliases',
    `The aliases in ${source.file} stand for more than ${String(mostValues)} values, which Helm refuses to read.`,
    'Write out what they stand for, or set "values-file" to another file.',
  );
}

/** How many values a tree has where each alias counts in full; a cycle counts once. */
function expandedSize(value: unknown, known: Map<unknown, number>): number {
  if (!(value instanceof Map || Array.isArray(value) || value instanceof Set)) return 1;
  const size = known.get(value);
  if (size !== undefined) return size;
  known.set(value, 1);
  const parts: unknown[] =
    value instanceof Map ? [...(value as Map<unknown, unknown>)].flat() : [...(value as Set<unknown>)];
  const total = parts.reduce<number>((sum, part) => sum + expandedSize(part, known), 1);
  known.set(value, total);
  return total;
}

/** The edits do not overlap, replace nothing but whole scalars, and add nothing that a reader of values would not see. */
function proveEdits({ text, ...source }: Source, edits: readonly Edit[], scalars: readonly Span[]): void {
  const spans = new Set(scalars.map(String));
  let end = 0;
  for (const edit of ordered(edits)) {
    const removed = text.slice(edit.start, edit.end);
    const start = edit.start + removed.length - removed.trimStart().length;
    if (edit.start < end) throw unproven({ text, ...source }, 'edits overlap');
    if (removed !== '' && !spans.has(String([start, edit.end]))) throw unproven({ text, ...source }, 'no scalar');
    if (edit.start === edit.end && edit.text.trim() === '') throw unproven({ text, ...source }, 'white space');
    if (/(^|\s)#/.test(edit.text) || !isOutsideOfComments(text, edit, scalars)) {
      throw unproven({ text, ...source }, 'a comment');
    }
    end = edit.end;
  }
}

/** Whether an edit leaves the comment on its line as it is: it stands before that, or begins a line of its own at its end. */
function isOutsideOfComments(text: string, { start, text: added }: Edit, scalars: readonly Span[]): boolean {
  if (/^\r?\n/.test(added) && /^(\r?\n|$)/.test(text.slice(start))) return true;
  const line = text.lastIndexOf('\n', start - 1) + 1;
  const comments = [...text.slice(line, start).matchAll(/(?:^|\s)#/g)].map(({ index }) => line + index);
  return comments.every((at) => scalars.some(([from, to]) => from <= at && at < to));
}

/** A text as js-yaml reads it. */
interface Reading {
  /** Its documents, by the version of YAML. */
  readonly trees: readonly (readonly unknown[])[];
  /** Where its scalars stand, with their quotes. */
  readonly scalars: readonly Span[];
}

function read(source: Source, text: string, when: string): Reading {
  try {
    const { events, readable, offset } = parse(text);
    return {
      trees: schemas.map((schema) => constructFromEvents(events, { source: readable, schema, json: true })),
      scalars: events.flatMap((event): Span[] => {
        if (event.type !== EVENT_ID.SCALAR || event.valueStart < 0) return [];
        const [start, end] = spanOf(readable, event);
        const tag = readable.slice(event.tagStart, event.tagEnd) === '!' ? [event.tagStart] : [];
        return [start, ...tag].map((from): Span => [offset(from), offset(end)]);
      }),
    };
  } catch (error) {
    const { reason, mark } = error instanceof YAMLException ? error : { reason: 'it failed', mark: undefined };
    throw refusal(
      { ...source, text },
      mark?.position ?? 0,
      'unreadable',
      `a second parser can't read the file ${when}: ${withoutQuotes(reason)}`,
      'Correct the file there, or edit it by hand and set "values-file" to "".',
    );
  }
}

/** The parser's reason without what it quotes from the file, which may hold passwords. */
function withoutQuotes(reason: string): string {
  return reason.replace(/[:"'`!<(].*$/s, '').trim();
}

/** A scalar with its quotes, or with the header of a block scalar (where that has no comment) and without its line end. */
function spanOf(text: string, { style, valueStart, valueEnd }: ScalarEvent): Span {
  if (style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED)
    return [valueStart - 1, valueEnd + 1];
  if (style === SCALAR_STYLE.PLAIN) return [valueStart, valueEnd];
  const line = text.slice(text.lastIndexOf('\n', valueStart - 2) + 1, valueStart);
  const header = /[|>][-+0-9]*[ \t]*\r?\n$/.exec(line)?.[0] ?? '';
  return [valueStart - header.length, valueStart + text.slice(valueStart, valueEnd).trimEnd().length];
}

/** More closing brackets at the column of their key than anybody writes: each of them costs a parse. */
const mostBrackets = 100;

/**
 * The events of a text. A closing bracket at the column of its key, which js-yaml 5 refuses and every other parser reads, gets a
 * space in front: within brackets it means nothing.
 * @returns with the text that was parsed, and what gives the offset in the given text for one in that
 */
function parse(text: string): { events: Event[]; readable: string; offset: (at: number) => number } {
  const spaces: number[] = [];
  for (let readable = text; ;) {
    try {
      const offset = (at: number) => at - spaces.filter((space) => space < at).length;
      return { events: parseEvents(readable, {}), readable, offset };
    } catch (error) {
      if (!(error instanceof YAMLException) || error.mark === undefined) throw error;
      const at = error.mark.position;
      if (error.reason !== 'deficient indentation' || !/^[\]}]/.test(readable.slice(at))) throw error;
      if (spaces.push(at) > mostBrackets) throw error;
      readable = `${readable.slice(0, at)} ${readable.slice(at)}`;
    }
  }
}

function unproven(source: Source, what: string): ConfigurationError {
  return new ConfigurationError(
    'values-unproven',
    `The edit of ${source.file} would change more than the image, or not the image (${what}). Nothing was written.`,
    'Edit it by hand and set "values-file" to "". Please report this together with the file, without its secrets.',
  );
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
