// probe.sh as a pod runs it, in the installation of PostgreSQL 14 on this machine.
import { readFileSync } from 'node:fs';
import { librariesOf, librariesQuestions, type Libraries } from '../../src/database/libraries.ts';
import { readAll } from '../../src/database/measurement.ts';
import { questionsScript, type Question } from '../../src/database/questions.ts';
import type { Rows } from '../../src/database/script.ts';
import { readDatabases } from '../../src/database/server.ts';
import { sortOrdersOf, sortOrdersQuestion, type SortOrders } from '../../src/database/sort-order.ts';
import {
  librariesFor,
  localesOf,
  parseProbe,
  probePod,
  type AskedLibraries,
  type ImageFacts,
  type ProbeRole,
} from '../../src/probes/probe.ts';
import { target } from '../unit/objects.ts';
import type { Server } from './server.ts';

const script = readFileSync('src/probes/probe.sh', 'utf8');

export async function readLibraries(server: Server): Promise<Libraries> {
  return librariesOf(await answers(server, librariesQuestions));
}

export async function readSortOrders(server: Server): Promise<SortOrders> {
  return sortOrdersOf(await answers(server, [sortOrdersQuestion]));
}

async function answers(server: Server, questions: readonly Question[]): Promise<Rows> {
  const database = server.database();
  return await readAll(database, await readDatabases(database), questionsScript(questions), 2);
}

/** What the image answers that holds this machine's PostgreSQL 14, asked for what the server needs. */
export async function probeFor(
  server: Server,
  role: ProbeRole,
  environment: NodeJS.ProcessEnv = {},
): Promise<ImageFacts> {
  const list = (await readDatabases(server.database())).filter((d) => d.name !== 'template0');
  const [first] = list;
  if (first === undefined) throw new Error('there is no database');
  const locales = localesOf(first, list, await readSortOrders(server));
  return await probe(server, role, locales, librariesFor(role, await readLibraries(server)), environment);
}

async function probe(
  server: Server,
  role: ProbeRole,
  locales: readonly string[],
  libraries: AskedLibraries,
  environment: NodeJS.ProcessEnv,
): Promise<ImageFacts> {
  const { installations } = server;
  const container = probePod(await target(), role, 'image:14', 'none', locales, libraries, script).spec?.containers[0];
  const [program = '', ...args] = container?.command ?? [];
  const work = installations.directoryOf(`probe-${String(process.hrtime.bigint())}`);
  const { output } = installations.run(program, args, work, {
    ...Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value])),
    PGBINOLD: installations.bin(12, ''),
    PGBINNEW: installations.bin(14, ''),
    PATH: `${installations.bin(14, '')}:${process.env['PATH'] ?? ''}`,
    WORK: work,
    ...environment,
  });
  const parsed = parseProbe('image:14', output);
  if (parsed === undefined) throw new Error(`the probe did not come to its end: ${output}`);
  return parsed;
}
