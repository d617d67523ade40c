import { z } from 'zod';
import type { Database } from './database.ts';
import { extensionShadows, shadowsOf } from './extension-shadows.ts';
import { quoted } from './obstacles.ts';
import type { Question } from './questions.ts';
import { jsonLines, type Rows } from './script.ts';

const serverFacts = z.object({
  versionNumber: z.number(),
  version: z.string(),
  dataDirectory: z.string(),
  inRecovery: z.boolean(),
  /** Role with OID 10: whom initdb made. */
  bootstrapSuperuser: z.string(),
  currentUser: z.string(),
  dataChecksums: z.boolean(),
  walSegmentSize: z.number(),
  archiveMode: z.string(),
  /** Roles without the superuser's rights that can log in. */
  plainLogins: z.number(),
  port: z.number(),
});

const databaseFacts = z.object({
  name: z.string(),
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  allowsConnections: z.boolean(),
  bytes: z.number(),
});

const extensionFacts = z.object({
  name: z.string(),
  version: z.string(),
  /** What a script of the extension might call instead of what it means (`extensionShadows`). */
  shadows: z.array(z.string()),
});

export type ServerFacts = z.infer<typeof serverFacts>;
export type DatabaseFacts = z.infer<typeof databaseFacts>;
/** What is known of a database without a look at each of its files. */
export type ListedDatabase = Pick<DatabaseFacts, 'name' | 'allowsConnections'>;
export type ExtensionFacts = z.infer<typeof extensionFacts>;

export async function readServer(database: Database): Promise<ServerFacts> {
  const output = await database.read(
    'template1',
    `SELECT json_build_object(
       'versionNumber', current_setting('server_version_num')::int,
       'version', current_setting('server_version'),
       'dataDirectory', current_setting('data_directory'),
       'inRecovery', pg_is_in_recovery(),
       'bootstrapSuperuser', (SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10),
       'currentUser', current_user,
       'dataChecksums', current_setting('data_checksums')::bool,
       'plainLogins', (SELECT count(*) FROM pg_catalog.pg_roles WHERE rolcanlogin AND NOT rolsuper),
       'archiveMode', current_setting('archive_mode'),
       'walSegmentSize', (SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'wal_segment_size'),
       'port', current_setting('port')::int);`,
  );
  return serverFacts.parse(jsonLines(output)[0]);
}

export async function readDatabases(database: Database): Promise<DatabaseFacts[]> {
  const output = await database.read(
    'template1',
    `SELECT json_build_object(
       'name', datname, 'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'ctype', datctype,
       'allowsConnections', datallowconn AND datconnlimit <> -2, 'bytes', pg_database_size(oid))
     FROM pg_catalog.pg_database ORDER BY datname;`,
  );
  return z.array(databaseFacts).parse(jsonLines(output));
}

/** In the downtime: the sizes would take a look at each file of the server. */
export const databaseNames = `SELECT json_build_object('name', datname, 'allowsConnections', datallowconn AND datconnlimit <> -2)
  FROM pg_catalog.pg_database ORDER BY datname;`;

export const listedDatabases = z.array(databaseFacts.pick({ name: true, allowsConnections: true }));

/** For sessions in several databases: the one in this database lists all of them. */
export function listedBy(database: string): Question {
  const listing = databaseNames.replace(/;$/, '');
  return {
    id: 'databases',
    statements: [`SELECT * FROM (${listing}) AS listed WHERE current_database() = ${quoted(database)};`],
  };
}

/** What the databases answered to `listedBy`, among other rows; no database where it was not answered. */
export function listedIn(rows: Rows): ListedDatabase[] {
  const isListed = (row: unknown) => typeof row === 'object' && row !== null && 'allowsConnections' in row;
  return listedDatabases.parse([...rows.values()].flat().filter(isListed));
}

export async function readDatabaseNames(database: Database): Promise<ListedDatabase[]> {
  return listedDatabases.parse(jsonLines(await database.read('template1', databaseNames)));
}

/** For each database. */
export const extensionsQuestion: Question = {
  id: 'extensions',
  statements: [
    `WITH ${extensionShadows} SELECT json_build_object('name', extname, 'version', extversion, 'shadows', ${shadowsOf('e.oid')}) FROM pg_catalog.pg_extension e ORDER BY extname;`,
  ],
};

/** What the databases answered to `extensionsQuestion`, among other rows. */
export function extensionsOf(rows: Rows): Record<string, ExtensionFacts[]> {
  const isExtension = (row: unknown) => typeof row === 'object' && row !== null && 'version' in row;
  return z
    .record(z.string(), z.array(extensionFacts))
    .parse(Object.fromEntries([...rows].map(([database, of]) => [database, of.filter(isExtension)])));
}
