import { addKeys, addKeysAtEnd, addKeysBelow } from './add-keys.ts';
import type { Edit } from './edit.ts';
import { nested, type Entry, type EntryStyle } from './entries.ts';
import { whyNotScalar } from './judge-node.ts';
import type { Place } from './locate.ts';
import { wantedFields } from './mapping-fields.ts';
import type { EditOptions, ShapePlan } from './plan.ts';
import { refusal } from './refusal.ts';
import type { Source } from './source.ts';
import { fileStyle, styleOf } from './style.ts';

/** What is to be written where the image, or something on the way to it, is missing or empty. */
export function planMissing(source: Source, place: Place, path: readonly string[], { image }: EditOptions): ShapePlan {
  const nothing = { registry: '', repository: '', tag: '', digest: '' };
  const fields = Object.entries(wantedFields(nothing, new Set(), image));
  const keys = styleOf(place.maps.at(-1)?.items[0]?.key);
  const style: EntryStyle = { ...fileStyle(source.text, place.document, place.maps), keys, values: keys };
  const edits = editsFor(source, place, nested(place.missing, fields), style, path);
  const offset = edits[0]?.start ?? 0;
  return {
    shape: 'mapping',
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
  path: readonly string[],
): Edit[] {
  const map = maps.at(-1);
  if (map === undefined) return [addKeysAtEnd(source.text, entries, style)];
  if (pair === undefined) return [addKeys(source.text, map, entries, style)];
  const name = path.slice(0, path.length - missing.length).join('.');
  const reason = pair.value === null ? undefined : whyNotScalar(source, document, pair.value, name);
  if (reason !== undefined) throw reason;
  if (pair.srcToken?.start.some(({ type }) => type === 'explicit-key-ind') === true) {
    const remedy = `Write it as "${name}:", without a question mark.`;
    throw refusal(source, pair.key.range[0], 'explicit-key', `${name} is written as an explicit key`, remedy);
  }
  return addKeysBelow(source.text, map, pair, entries, style);
}
