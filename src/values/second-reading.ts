import {
  CORE_SCHEMA,
  YAML11_SCHEMA,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  loadAll,
  mergeTag,
  realMapTag,
  type Schema,
  type TagDefinition,
} from 'js-yaml';

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
