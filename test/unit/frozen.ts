// The objects of the fake cluster are shared, not copied, so they are frozen.

/** A copy of all that might still be changed by others: what is frozen is shared. */
export function unfrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return value.map(unfrozen) as T;
  if (value instanceof Date) return new Date(value) as T;
  const made: Record<string, unknown> = {};
  for (const name of Object.keys(value)) made[name] = unfrozen((value as Record<string, unknown>)[name]);
  return made as T;
}

/** Whoever would change what the API server holds fails. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value) && !(value instanceof Date)) {
    Object.freeze(value);
    for (const name in value) frozen(value[name]);
  }
  return value;
}
