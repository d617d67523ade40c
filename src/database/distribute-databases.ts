import type { DatabaseFacts } from './server.ts';

/**
 * Distributes databases over sessions, so that each has about the same work: the largest database first, always to
 * the session that has the least.
 * @returns names; no session without a database
 */
export function distributeDatabases(
  databases: readonly Pick<DatabaseFacts, 'name' | 'bytes'>[],
  sessions: number,
): string[][] {
  const dealt = Array.from({ length: Math.min(sessions, databases.length) }, () => ({
    bytes: 0,
    names: [] as string[],
  }));
  for (const { name, bytes } of [...databases].sort((a, b) => b.bytes - a.bytes)) {
    const least = dealt.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    least.bytes += bytes;
    least.names.push(name);
  }
  return dealt.map(({ names }) => names).filter((names) => names.length > 0);
}
