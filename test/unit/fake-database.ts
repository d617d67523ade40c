import type { Configuration } from '../../src/database/configuration.ts';
import { Database } from '../../src/database/database.ts';
import { firstStatement } from '../../src/database/session-options.ts';
import type { SortOrder } from '../../src/database/sort-order.ts';
import type { Obstacle } from '../../src/database/obstacles.ts';
import type { ExecResult } from '../../src/ports/cluster.ts';
import type { Target } from '../../src/target/target.ts';
import type { FakeCluster } from './fake-cluster.ts';
import { password } from './objects.ts';

/** What a server holds; what is read again and again may change between. */
export interface ServerState {
  version: string;
  versionNumber: number;
  /** listen_addresses. */
  listensTo: string;
  /** Where the message ends that is written into the WAL after a snapshot is cut. */
  mark: string;
  /** server_version_num where extensions are updated. */
  newVersionNumber: number;
  databases: Record<string, DatabaseState>;
  /** Rows of pg_prepared_xacts and pg_replication_slots. */
  obstacles: Obstacle[];
  clients: { pid: number; database: string; user: string; application: string; address: string; state: string }[];
  workers: { worker: string; database: string }[];
  md5Roles: string[];
  /** What the list of the files in both data directories says, one line each, where all of them are as they were. */
  listed: (lines: readonly string[]) => readonly string[];
  /** Outcome of commands other than psql, such as pg_ctl. */
  command: (command: readonly string[]) => ExecResult;
  /** The digests of schema and settings. */
  schema: string;
  /** What initdb made. */
  systemIdentifier: string;
  /** What amcheck says of each database. */
  looked: { checked: number; of: number; others: number; damaged: [string, string][]; lacks?: boolean };
  /** Rows of each hazard's query, in a database. */
  hazards: (database: string, hazard: string) => readonly object[];
  /** Statements that fail, in this database or in any, with what psql says. */
  refuse: { database?: string; statement: RegExp; message: string }[];
  /** Every statement, with its database. */
  readonly statements: string[];
}

export interface DatabaseState {
  encoding: string;
  collate: string;
  ctype: string;
  allowsConnections: boolean;
  /** `[name, unit, value]` of each relation. */
  relations: [string, 'rows' | 'bytes' | 'last_value' | 'next_value', string][];
  extensions: Record<string, string>;
  /** Versions that the installation ships. */
  available: Record<string, string>;
  /** Versions to which the installation has scripts. */
  reachable: Record<string, string[]>;
  /** What might come between an extension's script and what it means. */
  shadows: Record<string, string[]>;
  /** What the full ANALYZE finds locked. */
  notAnalyzed: string[];
  sortOrders: SortOrder[];
}

export function databaseState(more: Partial<DatabaseState> = {}): DatabaseState {
  return {
    encoding: 'UTF8',
    collate: 'en_US.UTF-8',
    ctype: 'en_US.UTF-8',
    allowsConnections: true,
    relations: [],
    extensions: { plpgsql: '1.0' },
    available: {},
    reachable: {},
    shadows: {},
    notAnalyzed: [],
    sortOrders: [],
    ...more,
  };
}

export function serverState(more: Partial<ServerState> = {}): ServerState {
  return {
    newVersionNumber: 140022,
    version: '12.16',
    versionNumber: 120016,
    listensTo: '*',
    mark: '0/1600000',
    databases: {
      postgres: databaseState(),
      template0: databaseState({ allowsConnections: false }),
      template1: databaseState(),
      circle: databaseState({ relations: [['public.builds', 'rows', '42']] }),
    },
    clients: [],
    workers: [],
    obstacles: [],
    md5Roles: [],
    listed: (lines) => lines,
    command: () => ({ exitCode: 0, stdout: '', stderr: '' }),
    ...{ schema: 'a'.repeat(32), systemIdentifier: '7000000000000000001' },
    looked: { checked: 3, of: 3, others: 1, damaged: [] },
    hazards: () => [],
    refuse: [],
    statements: [],
    ...more,
  };
}

/** The real Database over a cluster in whose pod such a server answers. */
export function fakeDatabase(cluster: FakeCluster, target: Target, state: ServerState): Database<FakeCluster> {
  cluster.onExec = (command, stdin) => {
    if (command.join().includes('pg_tblspc/*/PG_"$version"_*'))
      return { exitCode: 0, stdout: listing(state), stderr: '' };
    if (!command.includes('psql')) return state.command(command);
    const [, ...lines] = stdin.split('\n');
    const sql = lines
      .filter((line) => line !== firstStatement)
      .join('\n')
      .replace(/\n\\q\n$/, '');
    const name = /^dbname='(.*)'$/.exec(command.find((part) => part.startsWith('dbname=')) ?? '')?.[1] ?? '';
    let stdout = '';
    for (const [index, part] of partsOf(name, sql).entries()) {
      if (part.sql.includes('postgresql_upgrade.not_updated')) {
        stdout += rows([{ database: part.database }]) + rows(updated(state, part.database, part.sql));
        continue;
      }
      state.statements.push(`${part.database}: ${part.sql}`);
      const refused = state.refuse.find(
        (r) => r.statement.test(part.sql) && (r.database ?? part.database) === part.database,
      );
      if (refused !== undefined) return { exitCode: 3, stdout, stderr: `psql:<stdin>:1: ERROR:  ${refused.message}\n` };
      if (part.isAnnounced) stdout += rows([{ database: part.database }]);
      if (part.sql.includes(' AS is_free')) {
        if (index === 0) stdout += whatIsLeft(state);
        if (state.clients.length > 0) continue;
        stdout += rows([{ asked: true }]);
      }
      stdout += answer(state, part.database, part.sql);
    }
    return { exitCode: 0, stdout, stderr: '' };
  };
  return new Database(cluster, target, password, 'postgres');
}

/** A script that goes from database to database, as `eachDatabase` writes it, or one for a single database. */
function partsOf(name: string, script: string): { database: string; sql: string; isAnnounced: boolean }[] {
  const [, connections, sql = ''] = /^((?:\\connect .*\n)+)\n.*\n([^]*)$/.exec(script) ?? [];
  if (connections === undefined) return [{ database: name, sql: script, isAnnounced: false }];
  const databases = [...connections.matchAll(/^\\connect -reuse-previous=on 'dbname='{2}(.*)'{3}$/gm)];
  return databases.map(([, database = '']) => ({ database, sql: sql.trimEnd(), isAnnounced: true }));
}

function answer(state: ServerState, name: string, sql: string): string {
  const database = state.databases[name] ?? databaseState();
  if (["'hazard'", "'last_value'", 'extversion'].some((part) => sql.includes(part)))
    return rows([
      ...hazardsIn(sql, (hazard) => state.hazards(name, hazard)),
      ...(sql.includes('{"measured":true}') ? [] : endsIn(sql)),
      ...(sql.includes("'last_value'")
        ? [
            ...database.relations,
            ...filesOf(state, name).map(([relation, file]) => [relation, 'files', file]),
            ...Object.keys(database.extensions).map((extension) => ({ extension })),
          ]
        : sql.includes('extversion')
          ? [...pairs(database.extensions), ...(name === 'template1' ? [{ preloaded: [] }] : [])]
          : []),
      ...(sql.includes("''digest''") ? database.sortOrders.flatMap(sortOrderRows) : []),
      ...(sql.includes('{"measured":true}') ? alongIn(state, name, sql) : []),
    ]);
  if (sql.includes("'schemaDigest'")) return rows([digestsOf(state), ...endsIn(sql)]);
  if (sql.includes('verify_heapam')) return rows([state.looked]);
  if (sql.includes("'preloaded', current_setting")) return rows([startedConfiguration]);
  if (sql.includes('pg_authid')) return rows(state.md5Roles.map((role) => ({ role })));
  if (sql.includes("'bootstrapSuperuser'")) return rows([serverFacts(state)]);
  if (sql.includes("'listensTo'")) return rows([{ version: state.version, listensTo: state.listensTo }]);
  if (sql.includes("current_setting('server_version')")) return `${state.version}\n`;
  if (sql.includes('pg_prepared_xacts') && sql.includes('client backend')) return whatIsLeft(state);
  if (sql.includes('pg_read_binary_file')) return rows(pagesIn(sql));
  if (sql.includes('pg_logical_emit_message')) return `${rows([{ position: state.mark }])}0/2000000\n`;
  if (sql.includes('pg_prepared_xacts')) return rows(state.obstacles);
  if (sql.includes("'worker'")) return rows(state.workers);
  if (sql.includes('pg_stat_activity')) return rows(state.clients);
  if (sql.includes('REINDEX INDEX')) return rows([{ reindexed: 'public.builds_pkey' }]);
  if (sql.includes('pg_available_extensions')) return rows(outdated(database, state.newVersionNumber));
  if (sql.includes('vacuum_cost_delay')) return rows(database.notAnalyzed.map((table) => [table, 'lock timeout']));
  if (sql.includes('pg_catalog.pg_database')) return rows(listedDatabases(state));
  return '';
}

/** What each database answers. */
export function digestsOf({ schema, systemIdentifier }: Pick<ServerState, 'schema' | 'systemIdentifier'>) {
  return { schemaDigest: schema, settingsDigest: schema, systemIdentifier };
}

function whatIsLeft(state: ServerState): string {
  return rows([...state.clients, ...state.workers, ...state.obstacles, ...listedDatabases(state)]);
}

function listedDatabases({ databases }: ServerState): object[] {
  return Object.entries(databases).map(([name, { encoding, collate, ctype, allowsConnections }]) => ({
    ...{ name, encoding, collate, ctype, allowsConnections },
    bytes: 8_000_000,
  }));
}

/** What is asked along with a measurement. */
function alongIn(state: ServerState, name: string, sql: string): unknown[] {
  const [, by] = /WHERE current_database\(\) = '(.*)';/.exec(sql) ?? [];
  return [
    { measured: true },
    ...(by === name ? listedDatabases(state) : []),
    ...(sql.includes('pg_available_extensions')
      ? outdated(state.databases[name] ?? databaseState(), state.newVersionNumber)
      : []),
    ...(sql.includes("'schemaDigest'") ? [digestsOf(state)] : []),
    ...endsIn(sql),
  ];
}

/** Each table with its file. */
function filesOf({ databases }: ServerState, name: string): [string, string][] {
  const directory = `base/${String(16_384 + Object.keys(databases).indexOf(name))}`;
  const tables = databases[name]?.relations.filter(([, unit]) => unit === 'rows' || unit === 'bytes') ?? [];
  return tables.map(([relation], index) => [relation, `${directory}/${String(20_000 + index)}`]);
}

/** What the pod prints where pg_upgrade has linked each of these files. */
function listing(state: ServerState): string {
  const files = Object.keys(state.databases).flatMap((name) => filesOf(state, name).map(([, file]) => file));
  const lines = ['12', '14'].flatMap((version) =>
    files.map((file, index) => `${version} 2049:${String(100 + index)} 8192 ${file}`),
  );
  return `${state.listed(['transfer link', ...lines, 'end']).join('\n')}\n`;
}

/** One page in each file, the same one in both directories. */
function pagesIn(sql: string): object[] {
  return [...sql.matchAll(/\('(kept|now)', '[^']*', '(\[.*?\])'::json\)/g)].flatMap(([, side, paths = '[]']) =>
    (JSON.parse(paths) as string[]).map((path) => {
      const page = ['0000000001000000', path];
      return [side, path, 8192, false, page, page];
    }),
  );
}

function serverFacts({ version, versionNumber }: ServerState): object {
  return {
    versionNumber,
    version,
    dataDirectory: '/bitnami/postgresql/data',
    inRecovery: false,
    bootstrapSuperuser: 'postgres',
    currentUser: 'postgres',
    dataChecksums: false,
    walSegmentSize: 16777216,
    archiveMode: 'off',
    plainLogins: 0,
    port: 5432,
  };
}

/** What a server says that an image has just started. */
export const startedConfiguration: Configuration = {
  version: '14.22',
  age: 4,
  errors: [],
  rules: [{ users: ['all'], method: 'md5', line: 1, error: null }],
  preloaded: 'pg_stat_statements',
};

/** An answer to each query of a script for hazards; without rows, where nothing says which. */
export function hazardsIn(sql: string, rowsOf: (id: string) => readonly object[] = () => []): object[] {
  const names = [...sql.matchAll(/'hazard', '([a-z-]+)', 'total'/g)];
  return names.map(([, hazard = '']) => {
    const found = rowsOf(hazard);
    return { hazard, total: found.length, rows: found };
  });
}

/** What psql itself prints at the end of each question: all are asked. */
export function endsIn(sql: string): unknown[] {
  return [...sql.matchAll(/^\\echo '(\{"question":.*)'$/gm)].map(([, row = '']) => JSON.parse(row) as unknown);
}

function sortOrderRows({ digest, ...order }: SortOrder): object[] {
  const key = `${order.provider} ${order.collate} ${order.ctype} ${digest}`;
  return [
    { ...order, key },
    { key, digest },
  ];
}

function outdated({ extensions, available, reachable, shadows }: DatabaseState, serverVersion: number): object[] {
  return Object.entries(extensions)
    .map(([name, installed]) => ({
      name,
      installed,
      available: available[name] ?? installed,
      reachable: reachable[name] ?? [],
      shadows: shadows[name] ?? [],
      serverVersion,
    }))
    .filter(({ installed, available: shipped }) => shipped !== installed);
}

/** Runs each ALTER EXTENSION by itself, as the script does. */
function updated({ databases, refuse, statements }: ServerState, name: string, sql: string): unknown[] {
  const [, updates = '{}'] = /json_array_elements\(E?'(.*?)'::json -> current_database\(\)/.exec(sql) ?? [];
  const { extensions = {} } = databases[name] ?? {};
  const ofThis =
    (JSON.parse(updates.replaceAll("''", "'").replaceAll('\\\\', '\\')) as Record<string, [string, string][]>)[name] ??
    [];
  return ofThis.map(([extension, command]) => {
    statements.push(`${name}: ${command}`);
    const refused = refuse.find((r) => r.statement.test(command) && (r.database ?? name) === name);
    const [, version = ''] = / UPDATE TO '(.*)';$/.exec(command) ?? [];
    if (refused === undefined) extensions[extension] = version;
    return [extension, extensions[extension], refused?.message ?? null];
  });
}

function pairs(record: Readonly<Record<string, string>>): object[] {
  return Object.entries(record).map(([name, version]) => ({ name, version, shadows: [] }));
}

function rows(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}
