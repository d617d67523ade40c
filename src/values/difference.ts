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
