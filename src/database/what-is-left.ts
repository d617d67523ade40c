import {
  backgroundWorkerRows,
  backgroundWorkers,
  clientRows,
  clients,
  isAnyClient,
  type BackgroundWorker,
  type Client,
} from './clients.ts';
import type { DatabaseAnswers } from './ask-databases.ts';
import type { Database } from './database.ts';
import { obstacleRows, obstacles, type Obstacle } from './obstacles.ts';
import { questionsScript, type Question } from './questions.ts';
import { jsonLines } from './script.ts';
import { databaseNames, listedDatabases, type ListedDatabase } from './server.ts';
import { known } from '../common/known.ts';

/** Who is still connected, then what clients have left behind, and the databases. */
export interface Left {
  readonly clients: readonly Client[];
  /** What writes without a client. */
  readonly workers: readonly BackgroundWorker[];
  readonly obstacles: readonly Obstacle[];
  readonly databases: readonly ListedDatabase[];
  /** What these databases answered in the same session, once no client was left; undefined where they were not asked. */
  readonly answers?: DatabaseAnswers | undefined;
}

/** What to ask in the same session. */
interface Along {
  /** Names that are known from before. */
  readonly databases: readonly string[];
  readonly questions: readonly Question[];
}

const look = [clientRows, backgroundWorkerRows, obstacleRows, databaseNames].join('\n');

/** Looks in the first database, and asks in each of them if no client is left. */
const lookAndAsk = (questions: readonly Question[]) => `\\if :{?is_free}
\\else
${look}
SELECT NOT ${isAnyClient} AS is_free
\\gset
\\endif
\\if :is_free
${questionsScript(questions)}
SELECT json_build_object('asked', true);
\\endif`;

/** For each database, in milliseconds; a single question ends much earlier. */
const limit = 300_000;

/**
 * In one session, since each program in the pod is downtime. The clients come first: while there are any, the rest may still change.
 * @param along asked where no client is left. A database that can't be asked does not hide the rest
 */
export async function readWhatIsLeft(database: Database, along?: Along): Promise<Left> {
  if (along !== undefined && along.databases.length > 0 && along.questions.length > 0) {
    const rows = await known(() => database.readEach(along.databases, lookAndAsk(along.questions), limit));
    if (rows.known) {
      const all = [...rows.value];
      const isAsked = all.every(([, of]) => of.some(has('asked')));
      const answers = all.map(([name, of]) => [name, { known: true, value: of.filter(isAnswer) }] as const);
      return { ...leftIn(all.flatMap(([, of]) => of)), answers: isAsked ? Object.fromEntries(answers) : undefined };
    }
  }
  return leftIn(jsonLines(await database.read('template1', look)));
}

function leftIn(rows: readonly unknown[]): Left {
  return {
    clients: clients.parse(rows.filter(has('pid'))),
    workers: backgroundWorkers.parse(rows.filter(has('worker'))),
    obstacles: obstacles.parse(rows.filter(has('kind'))),
    databases: listedDatabases.parse(rows.filter(has('allowsConnections'))),
  };
}

function isAnswer(row: unknown): boolean {
  return !['pid', 'worker', 'kind', 'allowsConnections', 'asked'].some((key) => has(key)(row));
}

function has(key: string): (row: unknown) => boolean {
  return (row) => typeof row === 'object' && row !== null && key in row;
}
