import { z } from 'zod';
import { UpgradeError } from '../common/errors.ts';
import type { Question } from './questions.ts';
import type { Rows } from './script.ts';

/** Names and commands kept of each library; `uses` is the number of all. */
const most = 20;

/** The libraries of C functions. pg_upgrade looks for them in the same way. */
const functionsSql = `
SELECT json_build_object('library', library, 'uses', count(*), 'names', array_to_json((array_agg(name ORDER BY name))[1:${String(most)}]),
  'drop', array_to_json((array_agg(DISTINCT command))[1:${String(most)}]))
FROM (SELECT DISTINCT p.probin AS library, coalesce('extension ' || quote_ident(e.extname), p.oid::regprocedure::text) AS name,
    CASE WHEN e.oid IS NOT NULL THEN format('DROP EXTENSION %I;', e.extname)
      ELSE coalesce((SELECT format('DROP LANGUAGE %I; ', lanname) FROM pg_language WHERE p.oid IN (lanplcallfoid, laninline, lanvalidator) LIMIT 1), '')
        || format('DROP ROUTINE IF EXISTS %s;', p.oid::regprocedure) END AS command
  FROM pg_proc p LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' LEFT JOIN pg_extension e ON e.oid = d.refobjid
  WHERE p.prolang = 13 AND p.probin IS NOT NULL AND p.oid >= 16384) AS used
GROUP BY library ORDER BY library;`;

const preloads = "'shared_preload_libraries', 'session_preload_libraries', 'local_preload_libraries'";

/**
 * Libraries that are loaded for the whole server, or into sessions: of the configuration, and of roles and databases. Any role may store
 * local_preload_libraries: of these only what PostgreSQL takes, which is a name in `$libdir/plugins`; it refuses a session that names another file. It begins with SELECT, by which people
 * recognize a read in the server's log.
 */
const preloadedSql = `
SELECT json_build_object('preloaded', (
WITH settings(name, who, value, reset) AS (
  SELECT * FROM (SELECT DISTINCT ON (name) name, 'the configuration', setting, CASE WHEN sourcefile LIKE '%/postgresql.auto.conf' THEN format('ALTER SYSTEM RESET %I;', name) ELSE '' END
    FROM pg_file_settings WHERE name IN (${preloads}) ORDER BY name, seqno DESC) AS last_of_files
  UNION SELECT name, 'the command line or environment', setting, '' FROM pg_settings WHERE name IN (${preloads}) AND source IN ('command line', 'environment variable')
  UNION SELECT split_part(c, '=', 1), CASE WHEN setrole = 0 AND setdatabase = 0 THEN 'all roles' WHEN setrole = 0 THEN format('database %I', datname)
      WHEN setdatabase = 0 THEN format('role %I', rolname) ELSE format('role %I in database %I', rolname, datname) END, substr(c, strpos(c, '=') + 1),
    CASE WHEN setrole = 0 AND setdatabase = 0 THEN 'ALTER ROLE ALL' WHEN setrole = 0 THEN format('ALTER DATABASE %I', datname)
      WHEN setdatabase = 0 THEN format('ALTER ROLE %I', rolname) ELSE format('ALTER ROLE %I IN DATABASE %I', rolname, datname) END || format(' RESET %I;', split_part(c, '=', 1))
    FROM pg_db_role_setting LEFT JOIN pg_roles r ON r.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) c
    WHERE split_part(c, '=', 1) IN ('session_preload_libraries', 'local_preload_libraries'))
SELECT coalesce(json_agg(json_build_object('setting', name, 'who', who, 'library', library, 'reset', reset)), '[]')
  FROM (SELECT name, who, reset, CASE WHEN name = 'local_preload_libraries' AND strpos(item, '/') = 0 THEN '$libdir/plugins/' || item ELSE item END AS library
    FROM settings, regexp_split_to_table(value, '\\s*,\\s*') word, LATERAL (SELECT replace(trim(BOTH '"' FROM trim(word)), '""', '"') AS item) unquoted WHERE item <> '') listed
  WHERE name <> 'local_preload_libraries' OR library ~ '^[$]libdir/plugins/[^/]+$'));`;

/** For each database. */
const usedQuestion: Question = {
  id: 'used-libraries',
  statements: [functionsSql],
  onlyIfExists: { selects: ['SELECT 1 FROM pg_proc WHERE oid >= 16384'], nothing: [] },
};

/** For the whole server, so one database answers it. */
const preloadedQuestion: Question = {
  id: 'preloaded-libraries',
  statements: [preloadedSql],
  onlyIfExists: { selects: ["SELECT 1 WHERE current_database() = 'template1'"], nothing: [] },
};

/** For each database. */
export const librariesQuestions: readonly Question[] = [usedQuestion, preloadedQuestion];

const usedLibrary = z.object({
  library: z.string(),
  /** How many functions and extensions use it, of which `names` are the first. */
  uses: z.number(),
  names: z.array(z.string()),
  /** Commands for psql in the database, which drop what uses it. */
  drop: z.array(z.string()),
});
const preloadedLibrary = z.object({
  setting: z.enum(['shared_preload_libraries', 'session_preload_libraries', 'local_preload_libraries']),
  /** For people: who has the setting. */
  who: z.string(),
  /** As LOAD takes it. */
  library: z.string(),
  /** The command that takes the setting away; empty where it is in a file of the chart's. */
  reset: z.string(),
});

type UsedLibrary = z.infer<typeof usedLibrary>;
type PreloadedLibrary = z.infer<typeof preloadedLibrary>;

export interface Libraries {
  /** By database: libraries of its C functions. */
  readonly used: Readonly<Record<string, readonly UsedLibrary[]>>;
  readonly preloaded: readonly PreloadedLibrary[];
}

const serverRow = z.object({ preloaded: z.array(preloadedLibrary) });
const hasKey = (key: string) => (row: unknown) => typeof row === 'object' && row !== null && key in row;

/**
 * What the databases answered to `librariesQuestions`, among other rows.
 * @throws UpgradeError `answer-missing` when no database answered what the whole server loads
 */
export function librariesOf(rows: Rows): Libraries {
  const answer = rows.get('template1')?.find(hasKey('preloaded'));
  if (answer === undefined)
    throw new UpgradeError(
      'answer-missing',
      'psql did not print which libraries the server loads.',
      'Let database template1 accept connections: `ALTER DATABASE template1 ALLOW_CONNECTIONS true`',
    );
  const used = [...rows].map(
    ([database, of]) => [database, z.array(usedLibrary).parse(of.filter(hasKey('library')))] as const,
  );
  return { used: Object.fromEntries(used), preloaded: serverRow.parse(answer).preloaded };
}
