// Real servers of both majors on this machine: what src/database asks in a pod is asked here by the same psql command.
import type { AnyCluster } from '../unit/any-cluster.ts';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Database } from '../../src/database/database.ts';
import { ClusterError } from '../../src/common/errors.ts';
import type { ExecResult } from '../../src/ports/cluster.ts';
import { serverContainer } from '../unit/objects.ts';

/** PostgreSQL refuses to run as root; pg_upgrade wants a user that /etc/passwd knows. */
const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

export type Major = 12 | 14;

/** A directory with both installations, for clusters of one test file. */
export class Installations {
  readonly directory = mkdtempSync('/tmp/hazards-');
  private readonly cache = execFileSync('test/job/install', { encoding: 'utf8' }).trim();

  constructor() {
    chmodSync(this.directory, 0o755);
    for (const major of ['12', '14']) execFileSync('cp', ['-a', join(this.cache, major), this.directory]);
    // 12's package leaves these files out; dictionaries and the extension unaccent read them.
    execFileSync('cp', [
      '-a',
      join(this.directory, '14/share/tsearch_data'),
      join(this.directory, '12/share/postgresql/'),
    ]);
    writeFileSync(join(this.directory, '12/share/postgresql/tsearch_data/company.syn'), 'pgsql postgresql\n');
    writeFileSync(join(this.directory, '12/share/postgresql/tsearch_data/company.stop'), 'the\n');
    this.directoryOf('clusters');
  }

  /** A new directory that belongs to the servers' user. */
  directoryOf(name: string): string {
    const path = join(this.directory, name);
    mkdirSync(path, { mode: 0o700 });
    if (user.uid !== undefined) chownSync(path, user.uid, user.gid);
    return path;
  }

  bin(major: Major, program: string): string {
    return join(this.directory, String(major), 'bin', program);
  }

  /**
   * Makes a data directory, by initdb the first time and as a copy of what that made later: such clusters have one system identifier.
   * @throws Error with what initdb says
   */
  initialise(major: Major, locale: Locale, data: string): void {
    const kept = join(this.cache, 'initialised', `${String(major)}-${locale.name}`);
    const isOfThisTest = locale.directory !== undefined;
    if (!isOfThisTest && existsSync(kept)) {
      execFileSync('cp', ['-a', kept, data]);
      return;
    }
    const options = ['-U', bootstrap, '-E', 'UTF8', `--locale=${locale.name}`, '-A', 'trust', '-N', '-k'];
    const environment = isOfThisTest ? { LOCPATH: locale.directory } : {};
    const initdb = this.bin(major, 'initdb');
    const { status, output } = this.run(initdb, ['-D', data, ...options], this.directory, environment);
    if (status !== 0) throw new Error(`initdb: ${output}`);
    if (!isOfThisTest) keep(data, kept);
  }

  /** Runs a program as the servers' user; its output, also when it fails. */
  run(
    program: string,
    args: readonly string[],
    cwd = this.directory,
    environment: NodeJS.ProcessEnv = {},
  ): { status: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync(program, args, {
      ...user,
      cwd,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], LC_ALL: 'C', HOME: '/tmp', PGCTLTIMEOUT: '300', ...environment },
      maxBuffer: 64 * 1024 ** 2,
    });
    return { status, output: stdout + stderr };
  }

  start(program: string, args: readonly string[]): ChildProcess {
    return spawn(program, args, { ...user, cwd: this.directory, stdio: 'ignore' });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A copy that appears at once, since other files of a suite may begin with the same. */
function keep(directory: string, path: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  const copy = mkdtempSync(`${path}-`);
  execFileSync('cp', ['-a', `${directory}/.`, copy]);
  try {
    renameSync(copy, path);
  } catch {
    rmSync(copy, { recursive: true }); // another one was first
  }
}

/** The role that initdb makes. It is not the one that the action logs in as, so that a hazard of it can be shown. */
export const bootstrap = 'boss';

/** A locale, and the directory where the C library finds it. */
export interface Locale {
  readonly name: string;
  readonly directory?: string;
}

/** A cluster in a directory of its own. */
export class Server {
  readonly data: string;
  /** The directory around the data directory; sockets and logs are there. */
  readonly place: string;

  constructor(
    readonly installations: Installations,
    name: string,
    readonly major: Major = 12,
    readonly locale: Locale = { name: 'C' },
  ) {
    this.place = installations.directoryOf(join('clusters', name));
    this.data = join(this.place, 'data');
  }

  initialise(): void {
    this.installations.initialise(this.major, this.locale, this.data);
    writeFileSync(
      join(this.data, 'postgresql.conf'),
      [
        "listen_addresses = ''",
        `unix_socket_directories = '${this.place}'`,
        'fsync = off',
        'autovacuum = off',
        "timezone = 'UTC'",
        ...(this.major === 12 ? ['archive_mode = on', "log_statement = 'all'", "log_line_prefix = '[%a] '"] : []),
        '',
      ].join('\n'),
    );
  }

  /** More lines of postgresql.conf. */
  configure(...lines: string[]): void {
    appendFileSync(join(this.data, 'postgresql.conf'), lines.map((line) => `${line}\n`).join(''));
  }

  /** Takes the files of a cluster that is stopped. */
  copyFrom(other: Server): void {
    const { status, output } = this.installations.run('cp', ['-a', other.data, this.data]);
    if (status !== 0) throw new Error(output);
    const configuration = join(this.data, 'postgresql.conf');
    writeFileSync(configuration, readFileSync(configuration, 'utf8').replaceAll(other.place, this.place));
  }

  start(): void {
    this.must('pg_ctl', ['-D', this.data, '-l', this.logFile, '-w', 'start']);
  }

  /** The role that the action logs in as. */
  createLogin(): void {
    const command = [
      '-h',
      this.place,
      '-U',
      bootstrap,
      '-d',
      'template1',
      '-c',
      'CREATE ROLE postgres SUPERUSER LOGIN',
    ];
    const { status, output } = this.installations.run(this.installations.bin(14, 'psql'), command);
    if (status !== 0) throw new Error(output);
  }

  stop(): void {
    this.must('pg_ctl', ['-D', this.data, '-m', 'fast', '-w', 'stop']);
  }

  get logFile(): string {
    return join(this.place, 'log');
  }

  /** psql's own settings, for who connects to this server. */
  get environment(): NodeJS.ProcessEnv {
    const path = `${this.installations.bin(14, '')}:${process.env['PATH'] ?? ''}`;
    return { PATH: path, PGHOST: this.place, PGPORT: '5432' };
  }

  /**
   * Runs a script as a person would: `:data` and `:work` are directories of the server's.
   * @throws Error with psql's message
   */
  sql(database: string, script: string): string {
    const { status, stdout, stderr } = spawnSync(
      'psql',
      [
        '-XAtq',
        '-v',
        'ON_ERROR_STOP=1',
        '-v',
        `data=${this.data}`,
        '-v',
        `work=${this.place}`,
        '-U',
        'postgres',
        '-d',
        `dbname='${database}'`,
        '-f',
        '-',
      ],
      { input: script, encoding: 'utf8', env: { ...this.environment, PGCLIENTENCODING: 'UTF8' } },
    );
    if (status !== 0) throw new Error(`${database}: ${stderr}\n${script}`);
    return stdout;
  }

  /** The server as the action reaches it, with a given role. */
  database(role = 'postgres'): Database<AnyCluster> {
    const target = { namespace: 'here', podName: 'server', container: serverContainer() };
    const exec: AnyCluster['exec'] = (_n, _p, _c, command, stdin, limit) => this.exec(command, stdin, limit);
    // Nothing else of a cluster is asked for.
    return new Database({ exec } as AnyCluster, target, '', role);
  }

  private async exec(command: readonly string[], stdin: string, limit: number): Promise<ExecResult> {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { env: this.environment, timeout: limit });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => undefined).end(stdin);
    const exitCode = await new Promise<number | null>((resolve, reject) =>
      child.on('error', reject).on('close', resolve),
    );
    if (exitCode === null) throw new ClusterError('psql-failed', `psql took longer than ${String(limit)} ms`, '');
    return { exitCode, stdout, stderr };
  }

  private must(program: string, args: readonly string[]): void {
    const executable = this.installations.bin(this.major, program);
    const { directory } = this.locale;
    const environment = directory === undefined ? {} : { LOCPATH: directory };
    // pg_ctl's server would keep a pipe open: its output goes to the log.
    const [command, of] =
      program === 'pg_ctl' ? ['sh', ['-c', '"$0" "$@" >/dev/null 2>&1', executable, ...args]] : [executable, args];
    const { status, output } = this.installations.run(command, of, undefined, environment);
    if (status === 0) return;
    throw new Error(`${program}: ${output}\n${this.installations.run('tail', [this.logFile]).output}`);
  }
}
