/** The same value with each text in it changed: what is serialised afterwards stays what it was in form. Names of fields are ours and stay. */
export function changeLeaves<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => changeLeaves(item, change)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, changeLeaves(field, change)])) as T;
}
