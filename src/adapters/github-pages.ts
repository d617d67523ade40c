/** Entries of a list's page: the most that GitHub gives. */
export const pageSize = 100;

/** All pages of a list, of which the last one is not full. */
export async function pages<T>(read: (page: number) => Promise<readonly T[]>): Promise<readonly T[]> {
  const all: T[] = [];
  for (let page = 1; ; page++) {
    const found = await read(page);
    all.push(...found);
    if (found.length < pageSize) return all;
  }
}
