import { z } from 'zod';
import type { Database } from './database.ts';
import { jsonLines } from './script.ts';

const configuration = z.object({
  version: z.string(),
  /** Seconds since this server started: an image may start one for its set-up, and another one afterwards. */
  age: z.number(),
  /** Lines of configuration files that did not come into effect. */
  errors: z.array(z.string()),
  /** Rules of pg_hba.conf: whom, and by which method; those that can't be read have an error. */
  rules: z.array(
    z.object({
      users: z.array(z.string()).nullable(),
      method: z.string().nullable(),
      line: z.number(),
      error: z.string().nullable(),
    }),
  ),
  preloaded: z.string(),
});

/** How a server reads its configuration files and its environment. */
export type Configuration = z.infer<typeof configuration>;

export async function readConfiguration(database: Database): Promise<Configuration> {
  const output = await database.read(
    'template1',
    `SELECT json_build_object(
       'version', current_setting('server_version'),
       'age', extract(epoch FROM now() - pg_postmaster_start_time())::float8,
       'errors', (SELECT coalesce(json_agg(format('%s line %s: %s: %s', sourcefile, sourceline, name, error)), '[]') FROM pg_file_settings WHERE error IS NOT NULL),
       'rules', (SELECT coalesce(json_agg(json_build_object('users', user_name, 'method', auth_method, 'line', line_number, 'error', error)), '[]') FROM pg_hba_file_rules),
       'preloaded', current_setting('shared_preload_libraries'));`,
  );
  return configuration.parse(jsonLines(output)[0]);
}

/** Roles that log in by a secret stored as md5. */
export async function readMd5Roles(database: Database): Promise<string[]> {
  const output = await database.read(
    'template1',
    "SELECT json_build_object('role', rolname) FROM pg_catalog.pg_authid WHERE rolcanlogin AND rolpassword LIKE 'md5%' ORDER BY rolname;",
  );
  return z
    .array(z.object({ role: z.string() }))
    .parse(jsonLines(output))
    .map(({ role }) => role);
}
