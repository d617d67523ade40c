/**
 * Does something with each item, a few at a time.
 * @returns the results, in the order of the items
 * @throws the first error; what has begun by then comes to its end, nothing new begins
 */
export async function inParallel<T, R>(
  width: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.map((item, index) => ({ item, index }));
  let failure: { error: unknown } | undefined;
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined && failure === undefined; next = queue.shift()) {
      try {
        results[next.index] = await work(next.item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  if (failure !== undefined) throw failure.error;
  return results;
}

/**
 * Does unrelated work side by side, all of it at once.
 * @param work what to do, by the name of its result
 * @returns the results, by the same names
 * @throws the first error, in the order of the names; not before all work has come to its end
 */
export async function allNamed<R extends object>(work: { readonly [N in keyof R]: () => Promise<R[N]> }): Promise<R> {
  const begun = (Object.keys(work) as (keyof R)[]).map(async (name) => [name, await work[name]()] as const);
  await Promise.allSettled(begun);
  return Object.fromEntries(await Promise.all(begun)) as R;
}
