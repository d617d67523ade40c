import type { DatabaseFacts, ListedDatabase } from './server.ts';

/**
 * Distributes databases over sessions, so that each has about the same work: the largest database first, always to
 * the session that has the least. Where no sizes are known, one after the other.
 * @returns names; no session without a database
 */
export function distributeDatabases(
  databases: readonly (Pick<ListedDatabase, 'name'> & Partial<Pick<DatabaseFacts, 'bytes'>>)[],
  sessions: number,
): string[][] {
  const dealt = Array.from({ length: Math.min(sessions, databases.length) }, () => ({
    bytes: 0,
    names: [] as string[],
  }));
  const sized = databases.map(({ name, bytes = 1 }) => ({ name, bytes }));
  for (const { name, bytes } of sized.sort((a, b) => b.bytes - a.bytes)) {
    const least = dealt.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    least.bytes += bytes;
    least.names.push(name);
  }
  return dealt.map(({ names }) => names).filter((names) => names.length > 0);
}
