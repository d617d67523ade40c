// Which extensions PostgreSQL 14 ships in another version than is installed, and the update of those in one session.
// Decision: docs/decisions/0011-statistics-and-extensions.md
import { z } from 'zod';
import { extensionShadows, shadowsOf } from './extension-shadows.ts';
import { quoted } from './obstacles.ts';
import { firstUnanswered, type Question } from './questions.ts';
import type { Rows } from './script.ts';

export const outdatedRows = z.array(
  z.object({
    name: z.string(),
    installed: z.string(),
    available: z.string(),
    reachable: z.array(z.string()),
    shadows: z.array(z.string()),
    serverVersion: z.number(),
  }),
);

export type OutdatedRow = z.infer<typeof outdatedRows>[number];

/** One row for each extension of which another version ships. @param reachable in SQL, its `reachable` */
function outdatedWith(reachable: string): string {
  return `WITH ${extensionShadows} SELECT pg_catalog.json_build_object('shadows', ${shadowsOf('x.oid')}, 'serverVersion', pg_catalog.current_setting('server_version_num')::int, 'name', e.name, 'installed', e.installed_version, 'available', e.default_version,
  'reachable', ${reachable})
  FROM pg_catalog.pg_available_extensions e JOIN pg_catalog.pg_extension x ON x.extname OPERATOR(pg_catalog.=) e.name WHERE e.installed_version IS NOT NULL AND e.installed_version OPERATOR(pg_catalog.<>) e.default_version ORDER BY e.name;`;
}

// The update paths of an extension hundreds of versions behind take long: asked for only where they decide.
export const outdatedSql =
  outdatedWith(`CASE WHEN pg_catalog.split_part(e.installed_version, '.', 1) = pg_catalog.split_part(e.default_version, '.', 1) THEN '[]'::pg_catalog.json
    ELSE (SELECT coalesce(pg_catalog.json_agg(p.target), '[]'::pg_catalog.json) FROM pg_catalog.pg_extension_update_paths(e.name) p
      WHERE p.source OPERATOR(pg_catalog.=) e.installed_version AND p.path IS NOT NULL) END`);

/** The same for a session that also does something else: without the update paths, which no limit of time interrupts (extension.c). So `reachable` is empty. */
export const outdatedQuestion: Question = {
  id: 'outdated-extensions',
  statements: [outdatedWith("'[]'::pg_catalog.json")],
};

/** What the databases answered to `outdatedQuestion`, among other rows; undefined where one of them did not. */
export function outdatedIn(rows: Rows): Rows | undefined {
  if (firstUnanswered(rows, outdatedQuestion.id) !== undefined) return undefined;
  const isOutdated = (row: unknown) => typeof row === 'object' && row !== null && 'serverVersion' in row;
  return new Map([...rows].map(([name, of]) => [name, of.filter(isOutdated)]));
}

/** By database: each extension, and the command that updates it. */
export type Updates = Readonly<Record<string, readonly (readonly [extension: string, command: string])[]>>;

/** What has failed in this session: a JSON object with the message, by the extension. */
const failed = 'postgresql_upgrade.not_updated';

/**
 * As an argument of format(): the extension, then its command. Its own time limit is an error of it alone. It looks once more for objects of roles in the script's way: since
 * the first look, roles may have connected and made some.
 */
const updateOne = `BEGIN
  IF EXISTS (WITH ${extensionShadows.replaceAll('%', '%%')} SELECT FROM shadows s JOIN pg_extension x ON x.oid = s.extension WHERE x.extname = %1$L) THEN
    RAISE EXCEPTION 'since it was looked at, a role has made an object that its script may call';
  END IF;
  EXECUTE %2$L;
EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
  PERFORM set_config('${failed}', (current_setting('${failed}')::jsonb || jsonb_build_object(%1$L::text, SQLERRM))::text, false);
END`;

/**
 * Updates the extensions of the database that runs it, each in a transaction of its own; one that fails stops no other. It may run a second time: what has
 * its version stays as it is.
 * @param limit of each update, in milliseconds
 * @returns SQL whose rows are `[extension, version, reason]`: the version that each one has then, and why it could not be updated
 */
export function updatesSql(updates: Updates, limit: number): string {
  const ofThis = `json_array_elements(${quoted(JSON.stringify(updates))}::json -> current_database()) AS one`;
  return `SET statement_timeout = ${String(limit)};
SET ${failed} = '{}';
SELECT format('DO %L;', format($update$${updateOne}$update$, one ->> 0, one ->> 1)) FROM ${ofThis}
\\gexec
SELECT json_build_array(extname, extversion, current_setting('${failed}')::jsonb ->> extname::text) FROM pg_extension
WHERE extname IN (SELECT one ->> 0 FROM ${ofThis}) ORDER BY extname;`;
}

const updated = z.array(z.tuple([z.string(), z.string(), z.string().nullable()]));

/** What an extension has come to. */
export interface UpdateResult {
  readonly version: string;
  /** Why it could not be updated; undefined where it was. */
  readonly reason?: string | undefined;
}

/** What one database answered to `updatesSql`, by the extension. */
export function updateResults(rows: readonly unknown[]): ReadonlyMap<string, UpdateResult> {
  return new Map(
    updated.parse(rows).map(([name, version, reason]) => [name, { version, reason: reason ?? undefined }]),
  );
}
