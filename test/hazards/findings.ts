import { catalogue } from '../../src/prechecks/catalogue.ts';
import type { Answer } from '../../src/findings/finding.ts';
import { askDatabases } from '../../src/database/ask-databases.ts';
import { askServer, databaseHazards, hazardFacts } from '../../src/hazards/gather.ts';
import type { HazardFacts } from '../../src/hazards/hazard.ts';
import { hazards } from '../../src/hazards/table.ts';
import { readDatabases, type DatabaseFacts } from '../../src/database/server.ts';
import { known as knownOf } from '../../src/common/known.ts';
import { commandsFor } from '../commands.ts';
import { facts, known } from '../unit/prechecks/facts.ts';
import type { Fixture } from './fixture.ts';
import type { Server } from './server.ts';

const ids = hazards.map((h) => h.id);

/** What each check of a hazard says of the server as it is, asked by a role, of some of the databases or all. */
export async function findingsOf(server: Server, role?: string, only?: string): Promise<Record<string, Answer>> {
  const list = (await readDatabases(server.database())).filter((d) => only === undefined || d.name === only);
  return await answersTo(await gatherHazards(server, list, role));
}

/** What the server and its databases tell, as a precheck gathers it. */
export async function gatherHazards(
  server: Server,
  list: readonly DatabaseFacts[],
  role?: string,
): Promise<HazardFacts> {
  const database = server.database(role);
  return hazardFacts(
    await knownOf(() => askServer(database)),
    list,
    await askDatabases(database, list, databaseHazards, 2),
  );
}

/** What each check of a hazard says to what was gathered. */
export async function answersTo(hazards: HazardFacts): Promise<Record<string, Answer>> {
  const gathered = await facts({ hazards: known(hazards) });
  return Object.fromEntries(catalogue.filter((c) => ids.includes(c.id)).map((c) => [c.id, c.run(gathered)]));
}

/** Where the fixture's scripts run. */
export function databaseOf(fixture: Fixture): string {
  return fixture.where === 'server' ? 'postgres' : `at ${fixture.check}`;
}

/** The commands of a remedy for psql. */
export function commandsOf(answer: Answer | undefined): string {
  return commandsFor('psql', answer?.remedy);
}
