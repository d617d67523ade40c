import type { DatabaseFacts, ExtensionFacts, ServerFacts } from '../../src/database/server.ts';
import { endsIn, hazardsIn, startedConfiguration } from '../unit/fake-database.ts';
import type { ExecutionEnd, Program } from './exec-channel.ts';

export interface DatabaseState extends DatabaseFacts {
  readonly extensions: readonly ExtensionFacts[];
  /** Why no session comes into being. */
  readonly broken?: string;
}

/** The server in the pod, as far as the action asks it: psql's rows, and the look at the volume. */
export class Postgresql {
  readonly password = 'corr3ct-h0rse/b&ttery';
  server: ServerFacts = {
    versionNumber: 120022,
    version: '12.22',
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
  databases: DatabaseState[] = ['circle', 'postgres', 'template0', 'template1', 'vms'].map((name) => ({
    name,
    encoding: 'UTF8',
    collate: 'en_US.UTF-8',
    ctype: 'en_US.UTF-8',
    allowsConnections: name !== 'template0',
    bytes: 8_000_000,
    extensions:
      name === 'circle'
        ? [{ name: 'plpgsql', version: '1.0', shadows: [] }, uuid]
        : [{ name: 'plpgsql', version: '1.0', shadows: [] }],
  }));
  /** What the query for a hazard finds: object, detail and remedy of each row. */
  hazards: (id: string) => readonly object[] = () => [];
  /** Printed before the rows, as a psql wrapper or a setting may. */
  banner = '';

  readonly program: Program = ({ command, input }) => {
    if (!command.includes('psql')) return { exitCode: 0, stdout: this.volume() };
    const name = /^dbname='(.*)'$/.exec(command[command.indexOf('-d') + 1] ?? '')?.[1] ?? '';
    const [password = '', ...sql] = input.split('\n');
    if (password !== this.password) return fatal('password authentication failed for user "postgres"');
    const database = this.databases.find((d) => d.name === name);
    if (database === undefined) return fatal(`database "${name}" does not exist`);
    if (database.broken !== undefined) return fatal(database.broken);
    const script = sql.join('\n');
    const connections = [...script.matchAll(/^\\connect -reuse-previous=on 'dbname='{2}(.*)'{3}$/gm)];
    const visited = connections.map(([, of]) => this.databases.find((d) => d.name === of));
    if (visited.length === 0) return { exitCode: 0, stdout: this.printed(this.rows(script)) };
    const broken = visited.findIndex((of) => of?.broken !== undefined);
    const reached = broken === -1 ? visited : visited.slice(0, broken);
    const stdout = this.printed(reached.flatMap((of) => [{ database: of?.name }, ...this.rowsIn(script, of)]));
    if (broken === -1) return { exitCode: 0, stdout };
    const message = visited[broken]?.broken ?? '';
    return { exitCode: 3, stdout, stderr: `psql:<stdin>:9: error: \\connect: FATAL:  ${message}\n` };
  };

  /** What one database answers to a script that goes through all of them: no index on text, no library. */
  private rowsIn(script: string, database: DatabaseState | undefined): unknown[] {
    const preloaded = database?.name === 'template1' ? [{ preloaded: [] }] : [];
    const inventory = script.includes('extversion') ? [...(database?.extensions ?? []), ...preloaded] : [];
    return [...inventory, ...hazardsIn(script, this.hazards), ...endsIn(script)];
  }

  private printed(rows: readonly unknown[]): string {
    return this.banner + rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  }

  private rows(sql: string): unknown[] {
    if (sql.includes("'bootstrapSuperuser'")) return [this.server];
    if (sql.includes('pg_prepared_xacts') || sql.includes('pg_authid')) return [];
    if (sql.includes('pg_stat_activity')) return [];
    // Asked of PostgreSQL 14 in its trial start.
    if (sql.includes("'preloaded', current_setting")) return [startedConfiguration];
    if (sql.includes('pg_database_size')) return this.databases;
    throw new Error(`the fake server has no answer to: ${sql}`);
  }

  private volume(): string {
    const facts = {
      userId: 1001,
      dataOwner: 1001,
      dataMode: 700,
      dataVersion: Math.floor(this.server.versionNumber / 10000),
      sameFilesystem: 'yes',
      filesystem: 'ext2/ext3',
      freeKilobytes: 4_000_000,
      totalKilobytes: 8_000_000,
      databases: 4,
      segment: 16_777_216,
      'room-link': '201592 2900',
      'room-clone': '202052 3200',
      'room-copy': '209992 3215',
      'room-data': '8000 300',
      inodes: '500000 400000',
      entry: '/bitnami/postgresql/data',
      end: 'yes',
    };
    return Object.entries(facts)
      .map(([name, value]) => `${name}=${String(value)}\n`)
      .join('');
  }
}

const uuid = { name: 'uuid-ossp', version: '1.1', shadows: [] };

function fatal(message: string): ExecutionEnd {
  return { exitCode: 2, stderr: `psql: error: FATAL:  ${message}\n` };
}
