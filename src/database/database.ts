import { ClusterError } from '../common/errors.ts';
import type { ClusterReader, ExecResult } from '../ports/cluster.ts';
import type { Target } from '../target/target.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';
import { firstStatement, readOptions, scriptOptions, writeOptions } from './session-options.ts';
import { connectionTo, databaseOfError, eachDatabase, ended, repeated, rowsOfEach, type Rows } from './script.ts';

/** How long one command in the server's pod may take, in milliseconds, where nothing else is said. */
const commandLimit = 60_000;

/** The application_name of the action's own sessions. */
export const applicationName = 'postgresql-upgrade';

/**
 * Reads the password from the first line of its input, so that it is in no
 * argument list and in no audit log. The container's environment must not lead psql to another server, or to other settings:
 * libpq sends PGTZ and others after PGOPTIONS, and they would win.
 */
const withPassword = [
  'IFS= read -r PGPASSWORD',
  'unset PGHOSTADDR PGSERVICE PGSERVICEFILE PGSYSCONFDIR PGPASSFILE PGTARGETSESSIONATTRS PGREPLICATION PGTZ PGDATESTYLE PGGEQO PG_COLOR',
  'PGPORT="${POSTGRESQL_PORT_NUMBER:-${PGPORT:-5432}}"',
  'export PGPASSWORD PGPORT PGOPTIONS="$1" PGCLIENTENCODING=UTF8 PGCONNECT_TIMEOUT=10',
  `export PGAPPNAME=${applicationName}`,
  'shift',
].join('; ');

/** PostgreSQL in the server's pod, reached with its own client programs. Decision: docs/decisions/0014-psql.md */
export class Database<C extends Pick<ClusterReader, 'exec'> = Pick<ClusterReader, 'exec'>> {
  constructor(
    private readonly cluster: C,
    private readonly target: Pick<Target, 'namespace' | 'podName' | 'container'>,
    private readonly password: string,
    readonly superuser: string,
  ) {}

  /** The same server, reached over another connection to the cluster. */
  over<D extends Pick<ClusterReader, 'exec'>>(cluster: D): Database<D> {
    return new Database(cluster, this.target, this.password, this.superuser);
  }

  /** A server of the same password in another pod of the namespace. */
  inPod(podName: string): Database<C> {
    return new Database(this.cluster, { ...this.target, podName }, this.password, this.superuser);
  }

  /**
   * Runs a script of SQL (and psql commands) in one read-only session.
   * @returns what psql prints: one line per row, columns without padding
   * @throws ClusterError with psql's own message
   */
  async read(database: string, sql: string, limit: number = commandLimit): Promise<string> {
    return await retried(() => this.psql(database, `${firstStatement}\n${sql}`, readOptions(limit), limit));
  }

  /**
   * The same in a session that may change things and that no setting of a role or database cuts short.
   * @param sql may run a second time, also while the first one is still at work: a session whose connection broke is repeated
   */
  async write(database: string, sql: string, limit: number): Promise<string> {
    return await retried(() => this.psql(database, `${firstStatement}\n${sql}`, writeOptions, limit));
  }

  /**
   * Runs a script of the administrator's in one session, as psql runs a file. It is not repeated: where the connection breaks, nobody knows how far it came.
   * @returns what psql prints, and its exit code: 0 where no statement failed
   * @throws ClusterError where the connection breaks, or the limit is reached
   */
  async runScript(database: string, sql: string, limit: number): Promise<ExecResult> {
    // On the same line, so that psql's messages have the numbers of the script's own lines.
    return await this.session(database, `${firstStatement} ${sql}`, scriptOptions(limit), limit, ended);
  }

  /** The superuser's password, for commands of the workflow; only where its author has consented to that (`hook-password`). */
  passwordByConsent(): string {
    return this.password;
  }

  /**
   * Runs the same script in each database, one after the other in a single psql: to start a program in a pod takes longer
   * than most scripts do.
   * @param limit for each database, in milliseconds
   * @returns the rows of each database, which have to be JSON and no objects with the only key `database`
   * @throws ClusterError with psql's own message when one fails; the databases after it are then left out
   */
  async readEach(databases: readonly string[], sql: string, limit: number = commandLimit): Promise<Rows> {
    return await this.each(databases, sql, readOptions(limit), limit);
  }

  /** The same in sessions that may change things, as `write` does it. */
  async writeEach(databases: readonly string[], sql: string, limit: number): Promise<Rows> {
    return await this.each(databases, sql, writeOptions, limit);
  }

  private async each(databases: readonly string[], sql: string, options: string, limit: number): Promise<Rows> {
    if (databases.length === 0) return new Map();
    const [script, all] = [eachDatabase(databases, sql), limit * databases.length];
    return rowsOfEach(
      databases,
      await retried(() => this.psql('template1', script, options, all, { through: repeated, databases })),
    );
  }

  /** Runs a command in the server's container, without a password. */
  async command(command: readonly string[], limit: number = commandLimit): Promise<ExecResult> {
    return await this.cluster.exec(
      this.target.namespace,
      this.target.podName,
      this.target.container.name,
      command,
      '',
      limit,
    );
  }

  /** The same for a command that only reads: it may run a second time, since a connection that broke is repeated. */
  async look(command: readonly string[], limit: number): Promise<ExecResult> {
    return await retried(() => this.command(command, limit));
  }

  /** @param databases those that the script goes through after the first one */
  private async psql(
    database: string,
    sql: string,
    options: string,
    limit: number,
    { through, databases = [] }: { readonly through?: string; readonly databases?: readonly string[] } = {},
  ): Promise<string> {
    const result = await this.session(database, sql, options, limit, through);
    if (result.exitCode === 0) return result.stdout;
    throw new ClusterError(
      'psql-failed',
      `psql in pod ${this.target.podName}, database "${databaseOfError(databases, result) ?? database}": ${result.stderr.trim() || `exit code ${String(result.exitCode)}`}`,
      `Read the message of psql, and the log of the server: ${copyable(shell`kubectl -n ${this.target.namespace} logs ${this.target.podName}`)}`,
    );
  }

  /** @param through shell commands that make of the input what psql reads */
  private async session(
    database: string,
    sql: string,
    options: string,
    limit: number,
    through?: string,
  ): Promise<ExecResult> {
    const connection = connectionTo(database);
    const command = [
      'sh',
      '-c',
      `${withPassword}; ${through === undefined ? 'exec "$@"' : `{ ${through}; } | "$@"`}`,
      'sh',
      options,
      'psql',
      '-XAtqw',
      '-v',
      'ON_ERROR_STOP=1',
      '-U',
      this.superuser,
      '-d',
      connection,
      '-f',
      '-',
    ];
    // The input has no end by itself, since not every API server can close it: \q ends it.
    return await this.cluster.exec(
      this.target.namespace,
      this.target.podName,
      this.target.container.name,
      command,
      `${this.password}\n${sql}\n\\q\n`,
      limit,
    );
  }
}

/** Each attempt waits by itself for the API server. What breaks one connection may break the next ones too. */
const attempts = 10;

/** A broken connection to the pod says nothing about the server. psql may run on in the pod until its next output finds no reader. */
async function retried<T>(session: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await session();
    } catch (error) {
      if (attempt === attempts || !(error instanceof ClusterError && error.code === 'unreachable')) throw error;
    }
  }
}
