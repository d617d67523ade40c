import type { Database } from '../../database/database.ts';
import type { DatabaseFacts } from '../../database/server.ts';
import { shares } from '../../database/shares.ts';
import { inParallel } from '../../parallel.ts';
import type { Known } from '../finding.ts';
import { known } from '../known.ts';
import { answersOf, hazardScript } from './script.ts';
import type { Answers, HazardFacts } from './hazard.ts';
import { hazards } from './table.ts';

/** For each database, in milliseconds; a single statement ends much earlier. */
const limit = 300_000;

/**
 * Asks the server, and each database that accepts connections, for every hazard. What can't be read is unknown by itself: a query
 * in one database, a database, the server.
 * @param sessions how many at a time
 * @throws CancelledError only
 */
export async function gatherHazards(
  database: Database,
  list: readonly DatabaseFacts[],
  sessions: number,
): Promise<HazardFacts> {
  const open = list.filter((d) => d.allowsConnections);
  const [server, ...dealt] = await Promise.all([
    known(() => askServer(database)),
    inParallel(sessions, shares(open, sessions), (names) => askShare(database, names)),
  ]);
  const closed = list
    .filter((d) => !d.allowsConnections && d.name !== 'template0')
    .map(
      (d) => [d.name, unread('it does not accept connections (pg_database.datallowconn)', 'no-connections')] as const,
    );
  return { server, databases: Object.fromEntries([...dealt.flat(2), ...closed]) };
}

async function askServer(database: Database): Promise<Answers> {
  const rows = await database.readEach(['template1'], hazardScript(hazards, 'server'), limit);
  return answersOf(rows.get('template1') ?? []);
}

/** All of a share in one session; where that fails each by itself, so that the one which is broken does not lose the others. */
async function askShare(database: Database, names: readonly string[]): Promise<(readonly [string, Known<Answers>])[]> {
  const script = hazardScript(hazards, 'database');
  const rows = await known(() => database.readEach(names, script, limit));
  if (rows.known)
    return await Promise.all(
      names.map(async (name) => [name, await known(() => answersOf(rows.value.get(name) ?? []))] as const),
    );
  if (names.length === 1) return names.map((name) => [name, rows] as const);
  const alone = [];
  for (const name of names) alone.push(...(await askShare(database, [name])));
  return alone;
}

function unread(reason: string, code: string): Known<never> {
  return { known: false, reason, code };
}
