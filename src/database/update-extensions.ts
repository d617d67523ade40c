// The update of the extensions after an upgrade: what PostgreSQL 14 ships in another version, within its own major.
// Decision: docs/decisions/0011-statistics-and-extensions.md
import { mapFact, type Known } from '../common/known.ts';
import { inParallel } from '../common/parallel.ts';
import { copyable } from '../text/commands.ts';
import { togetherOrAlone } from './ask-databases.ts';
import type { Database } from './database.ts';
import { distributeDatabases } from './distribute-databases.ts';
import {
  outdatedRows,
  outdatedSql,
  updateResults,
  updatesSql,
  type OutdatedRow,
  type UpdateResult,
  type Updates,
} from './extension-updates.ts';
import { dangerOfUpdate, isSameMajor, planVersion, type VersionPlan } from './extension-versions.ts';
import type { Rows } from './script.ts';
import { readDatabaseNames } from './server.ts';

interface Updating {
  readonly database: Database;
  /** How many at a time. */
  readonly sessions: number;
  /** Milliseconds for each update. */
  readonly limit: number;
  /** By database, the extensions that ship in another version, as another session was told; undefined where none was. */
  readonly outdated: Rows | undefined;
}

/** What has become of them, as sentences. */
export interface Updated {
  readonly updated: readonly string[];
  /** What remains, or failed: the old version still works. */
  readonly warnings: readonly string[];
}

/** One extension of a database, and what is to become of it. */
interface Planned extends VersionPlan {
  readonly database: string;
  readonly extension: OutdatedRow;
  /** Why no script of it is run; a sentence. */
  readonly danger: string | undefined;
}

/** Updates each extension to the version that the installation ships, within its own major. */
export async function updateExtensions(server: Updating): Promise<Updated> {
  const outdated = await readOutdated(server);
  const planned = outdated.flatMap(([database, rows]) =>
    outdatedRows.parse(rows).map((extension) => ({
      ...{ database, extension, ...planVersion(extension) },
      danger: dangerOfUpdate(extension, extension.serverVersion),
    })),
  );
  const updates = commandsOf(planned);
  const outcomes = await runUpdates(server, updates);
  const told = planned.map((one) => tell(one, outcomes.get(one.database)));
  return { updated: told.flatMap(({ updated }) => updated), warnings: told.flatMap(({ warnings }) => warnings) };
}

type Found = (readonly [database: string, rows: readonly unknown[]])[];

/** Asks where the comparison of the data was of an earlier run, or brought no answer; and where an extension ships in another major only, for its update paths. */
async function readOutdated(context: Updating): Promise<Found> {
  const { database, outdated } = context;
  if (outdated === undefined) {
    // Names only: the sizes of databases come from all of their files, which is downtime here.
    const open = (await readDatabaseNames(database)).filter((d) => d.allowsConnections);
    return await ask(context, open);
  }
  const found: Found = [...outdated];
  const crossing = found.filter(([, rows]) =>
    outdatedRows.parse(rows).some(({ installed, available }) => !isSameMajor(installed, available)),
  );
  const asked = new Map(
    await ask(
      context,
      crossing.map(([name]) => ({ name })),
    ),
  );
  return found.map(([name, rows]) => [name, asked.get(name) ?? rows] as const);
}

async function ask({ database, sessions }: Updating, of: readonly { readonly name: string }[]): Promise<Found> {
  const answers = await inParallel(sessions, distributeDatabases(of, sessions), (names) =>
    database.readEach(names, outdatedSql),
  );
  return answers.flatMap((answer) => [...answer]);
}

function commandsOf(planned: readonly Planned[]): Updates {
  const updates = new Map<string, [string, string][]>();
  for (const { database, extension, target, danger } of planned) {
    if (target === undefined || danger !== undefined) continue;
    const command: [string, string] = [extension.name, updateCommand(extension.name, target)];
    updates.set(database, [...(updates.get(database) ?? []), command]);
  }
  return Object.fromEntries(updates);
}

/** By database: what became of its extensions; unknown where its session failed. */
type Outcomes = ReadonlyMap<string, Known<ReadonlyMap<string, UpdateResult>>>;

/** In a few sessions; no program in the pod where there is nothing to update. */
async function runUpdates({ database, sessions, limit: each }: Updating, updates: Updates): Promise<Outcomes> {
  const sql = updatesSql(updates, each);
  const most = Math.max(0, ...Object.values(updates).map((of) => of.length));
  // Each update ends by its own limit; the rest of the session takes no longer than one of them.
  const limit = each * (most + 1);
  const databases = Object.keys(updates).map((name) => ({ name }));
  const answers = await inParallel(sessions, distributeDatabases(databases, sessions), (names) =>
    togetherOrAlone(names, (some) => database.writeEach(some, sql, limit)),
  );
  return new Map(answers.flat().map(([name, rows]) => [name, mapFact(rows, updateResults)]));
}

function tell(
  { database: name, extension, target, left, danger }: Planned,
  became: Known<ReadonlyMap<string, UpdateResult>> | undefined,
): Updated {
  const otherMajor =
    left === undefined
      ? ''
      : ` The image ships ${left}, which is another major and may break what uses the extension. Read its release notes.`;
  if (danger !== undefined) {
    const command = copyable(updateCommand(extension.name, target ?? extension.available));
    const warning = `${name}: extension ${extension.name} stays at ${extension.installed}. ${danger}${otherMajor} Find out who created the objects in the extension's schema, then run ${command} in this database.`;
    return { updated: [], warnings: [warning] };
  }
  const updated: string[] = [];
  const warnings: string[] = [];
  let version = extension.installed;
  if (target !== undefined) {
    const reason = reasonOf(extension.name, target, became);
    if (reason === undefined) {
      updated.push(`${name}: updated extension ${extension.name} from ${version} to ${target}`);
      version = target;
    } else warnings.push(`${name}: extension ${extension.name} stays at version ${version}: ${reason}`);
  }
  if (left !== undefined)
    warnings.push(
      `${name}: extension ${extension.name} stays at ${version}.${otherMajor} Then run ${copyable(updateCommand(extension.name, left))} in this database.`,
    );
  return { updated, warnings };
}

/** Why the extension does not have the version; undefined where it does, also where a session that was repeated found it done. What psql left out is not updated. */
function reasonOf(
  extension: string,
  target: string,
  became: Known<ReadonlyMap<string, UpdateResult>> | undefined,
): string | undefined {
  if (became?.known === false) return became.reason;
  const result = became?.value.get(extension);
  if (result?.version === target) return undefined;
  return result?.reason ?? 'psql left out the answer';
}

function updateCommand(extension: string, version: string): string {
  return `ALTER EXTENSION "${extension.replaceAll('"', '""')}" UPDATE TO '${version.replaceAll("'", "''")}';`;
}
