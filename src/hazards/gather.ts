import type { Database } from '../database/database.ts';
import { questionsScript } from '../database/questions.ts';
import type { ListedDatabase } from '../database/server.ts';
import type { DatabaseAnswers } from '../database/ask-databases.ts';
import { closedAmong, closedDatabase } from '../findings/closed-databases.ts';
import { type Known, mapFact } from '../common/known.ts';
import { answersOf, hazardQuestions } from './script.ts';
import type { Answers, HazardFacts } from './hazard.ts';
import { hazards } from './table.ts';

/** In milliseconds; a single statement ends much earlier. */
const limit = 300_000;

/** What is asked in each database. */
export const databaseHazards = hazardQuestions(hazards, 'database');

/** Asks for the hazards of the server as a whole. */
export async function askServer(database: Database): Promise<Answers> {
  const rows = await database.readEach(['template1'], questionsScript(hazardQuestions(hazards, 'server')), limit);
  return answersOf(rows.get('template1') ?? []);
}

/**
 * The answers of the server and its databases about the hazards. A question in one database, a database, or the server may be unknown by itself.
 * @param list all databases, also those that accept no connections
 */
export function hazardFacts(
  server: Known<Answers>,
  list: readonly ListedDatabase[],
  answers: DatabaseAnswers,
): HazardFacts {
  const asked = Object.entries(answers).map(([name, rows]) => [name, mapFact(rows, answersOf)] as const);
  const closed = closedAmong(list).map((name) => [name, closedDatabase] as const);
  return { server, databases: Object.fromEntries([...asked, ...closed]) };
}
