// What psql is given and what it prints.
// Decision: docs/decisions/0014-psql.md
import { UpgradeError } from '../common/errors.ts';
import { firstStatement } from './session-options.ts';

/** JSON rows, by database. */
export type Rows = ReadonlyMap<string, readonly unknown[]>;

/** A database as libpq's connection string: its name alone might be read as one, or as an option. */
export function connectionTo(database: string): string {
  return `dbname='${database.replace(/[\\']/g, '\\$&')}'`;
}

/** psql's command that goes to a database, with the name alone where that can't be read in another way. */
export function connectCommand(database: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(database)
    ? `\\connect ${database}`
    : `\\connect -reuse-previous=on ${quoted(connectionTo(database))}`;
}

/**
 * The databases, a line each, and after an empty line the script for all of them, as `repeated` reads it; before the rows of each there will be an object
 * with its name.
 */
export function eachDatabase(databases: readonly string[], sql: string): string {
  const connections = databases.map((name) => `\\connect -reuse-previous=on ${quoted(connectionTo(name))}`);
  return [...connections, '', announcement, sql].join('\n');
}

/**
 * Shell commands that write the script of their input, up to a line with \\q, behind each of its connections: it goes to the pod once, however many
 * databases there are. sed may read on behind that line, where nothing is left to be read.
 */
export const repeated = [
  'connections=$(while IFS= read -r connection && [ -n "$connection" ]; do printf "%s\\n" "$connection"; done)',
  "script=$(sed -n -e '/^\\\\q$/q' -e p)",
  'printf "%s\\n" "$connections" | while IFS= read -r connection; do printf "%s\\n%s\\n" "$connection" "$script"; done',
].join('; ');

/**
 * Shell commands that write the script of their input, up to a line with \\q, and there end it. So psql runs a last statement that lacks its semicolon, and refuses one that is
 * not complete. Of an input that was cut on its way, which has no such line, nothing runs: psql gets a syntax error instead.
 */
export const ended = [
  "script=$(sed -e '/^\\\\q$/q')",
  'if [ "$(printf "%s\\n" "$script" | tail -n 1)" = "\\\\q" ]; then printf "%s" "${script%??}"; else echo "the script was cut on its way;"; fi',
].join('; ');

/**
 * On one line: the session's first statement. Then it prints the database. Where it may, it keeps pg_stat_statements from remembering what all
 * databases are asked: that has room for 5,000 statements, and would forget those of the applications. Without that library the parameter means nothing.
 */
const announcement = [
  firstStatement,
  "SELECT json_build_object('database', current_database())",
  'WHERE CASE WHEN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)',
  "THEN set_config('pg_stat_statements.track', 'none', false) = 'none' ELSE true END;",
].join(' ');

/**
 * An argument of psql's \\connect, in which a quote is doubled and a backslash begins an escape as in C. psql then removes double quotes as
 * those of an identifier: a literal one is written as a quoted identifier with a doubled one in it.
 */
function quoted(argument: string): string {
  return `'${argument.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('"', '""""').replaceAll('\n', '\\n')}'`;
}

/**
 * The rows that the script of `eachDatabase` printed.
 * @throws UpgradeError when they are not of exactly these databases, in this order
 */
export function rowsOfEach(databases: readonly string[], output: string): Rows {
  const rows = new Map<string, unknown[]>();
  let current: unknown[] | undefined;
  for (const value of jsonLines(output)) {
    const name = announced(value);
    if (name !== undefined) rows.set(name, (current = []));
    else if (current === undefined) throw unexpected(JSON.stringify(value));
    else current.push(value);
  }
  const found = [...rows.keys()];
  if (found.length !== databases.length || found.some((name, index) => name !== databases[index])) {
    throw unexpected(`rows of ${found.join(', ')} where those of ${databases.join(', ')} were asked for`);
  }
  return rows;
}

/**
 * Where a script of `eachDatabase` ended with an error, by what psql printed until then.
 * @param databases those that it was to go through; where there are none, nothing is known
 */
export function databaseOfError(
  databases: readonly string[],
  { stdout, stderr }: { readonly stdout: string; readonly stderr: string },
): string | undefined {
  const entered = stdout.split('\n').filter((line) => line.startsWith('{"database"')).length;
  return databases[stderr.includes('\\connect: ') ? entered : Math.max(entered - 1, 0)];
}

function announced(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== 'database') return undefined;
  const { database } = value as { database: unknown };
  return typeof database === 'string' ? database : undefined;
}

/**
 * Lines of JSON, one value each, as `SELECT json_build_…` prints them.
 * @throws UpgradeError for a line that is no JSON
 */
export function jsonLines(output: string): unknown[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as unknown;
      } catch {
        throw unexpected(line);
      }
    });
}

function unexpected(what: string): UpgradeError {
  return new UpgradeError(
    'unexpected-output',
    `psql printed something unexpected: ${what.slice(0, 200)}`,
    "Find the setting that makes the server's clients print more than rows, and reset it.",
  );
}
