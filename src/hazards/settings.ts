import type { Hazard } from './hazard.ts';

/** The parameters that PostgreSQL 14 lacks, by a comparison of pg_settings of both versions. */
const removed = "('operator_precedence_warning', 'vacuum_cleanup_index_scale_factor', 'wal_keep_segments')";

/** PostgreSQL 14 accepts only plain identifiers in the name of a parameter with dots. */
const badName = `name LIKE '%.%' AND name !~ '^[A-Za-z_\\u0080-\\uffff][A-Za-z_0-9$\\u0080-\\uffff]*(\\.[A-Za-z_\\u0080-\\uffff][A-Za-z_0-9$\\u0080-\\uffff]*)+$'`;

const environment =
  "('lc_messages', 'lc_monetary', 'lc_numeric', 'lc_time', 'timezone', 'timezone_abbreviations', 'log_timezone', 'default_text_search_config', 'dynamic_library_path')";

/** Columns `name` and `value` of an item `name=value`. */
export function resets(item: string): string {
  return `split_part(${item}, '=', 1) AS name, substr(${item}, strpos(${item}, '=') + 1) AS value`;
}

/** Joins rows that have `name` and `value` to a `detail` where PostgreSQL 14 refuses them, or where the image's files decide. Values of user-defined parameters may be secrets, and are left out. */
export function settingsThat(are: 'refused' | 'environmental'): string {
  const details =
    are === 'refused'
      ? `SELECT name || ' = ' || value || ': PostgreSQL 14 has no such parameter' WHERE lower(name) IN ${removed}
         UNION ALL SELECT name || ' = ' || value || ': PostgreSQL 14 refuses the value' WHERE (lower(name) = 'password_encryption' AND lower(value) NOT IN ('md5', 'scram-sha-256'))
           OR (lower(name) = 'max_files_per_process' AND CASE WHEN value ~ '^[0-9]{1,9}$' THEN value::int < 64 END)
         UNION ALL SELECT name || ': PostgreSQL 14 refuses the name' WHERE ${badName}`
      : `SELECT name || ' = ' || value WHERE lower(name) IN ${environment} AND value <> ''
           AND NOT (lower(name) IN ('timezone', 'log_timezone') AND lower(value) IN ('utc', 'gmt', 'etc/utc'))
           AND NOT (lower(name) LIKE 'lc\\_%' AND value IN ('C', 'POSIX')) AND NOT (lower(name) = 'timezone_abbreviations' AND lower(value) = 'default')
           AND NOT (lower(name) = 'default_text_search_config' AND value ~ '^pg_catalog\\.')`;
  return `LATERAL (${details}) AS judged(detail)`;
}

/** Settings of roles and databases, with `who` (for people) and `alter` (the statement without its RESET). */
const stored = `
stored AS (
  SELECT CASE WHEN setrole = 0 AND setdatabase = 0 THEN 'all roles' WHEN setrole = 0 THEN format('database %I', datname)
      WHEN setdatabase = 0 THEN format('role %I', rolname) ELSE format('role %I in database %I', rolname, datname) END AS who,
    CASE WHEN setrole = 0 AND setdatabase = 0 THEN 'ALTER ROLE ALL' WHEN setrole = 0 THEN format('ALTER DATABASE %I', datname)
      WHEN setdatabase = 0 THEN format('ALTER ROLE %I', rolname) ELSE format('ALTER ROLE %I IN DATABASE %I', rolname, datname) END AS alter,
    ${resets('c')}
  FROM pg_db_role_setting LEFT JOIN pg_roles r ON r.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) c)`;

export const settingHazards: readonly Hazard[] = [
  {
    id: 'stored-settings',
    title: 'Parameters of roles and databases that PostgreSQL 14 refuses',
    expected: 'No role or database sets a parameter that PostgreSQL 14 does not take',
    why: 'pg_upgrade repeats ALTER ROLE and ALTER DATABASE ... SET in the new cluster, and fails at the first one that PostgreSQL 14 refuses.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'unrecognized configuration parameter "operator_precedence_warning"',
    advice: 'Reset the settings. password_encryption may be set again, to md5 or scram-sha-256.',
    server: `WITH ${stored} SELECT who, detail, format('%s RESET %I;', alter, name) FROM stored, ${settingsThat('refused')}`,
  },
  {
    id: 'stored-environment-settings',
    title: "Parameters of roles and databases that depend on the image's files",
    expected: "No role or database sets a parameter whose value depends on the image's files",
    why: 'Both images must have the time zone, locale or text search configuration. Otherwise PostgreSQL 14 refuses the setting.',
    severity: 'warning',
    shows: 'upgrade',
    says: 'invalid value for parameter "TimeZone": "Bitnami"',
    advice:
      'Both images have the usual time zones: for those there is nothing to do. For anything else make sure that both images have it, or reset the setting.',
    server: `WITH ${stored} SELECT who, detail, format('%s RESET %I;', alter, name) FROM stored, ${settingsThat('environmental')}`,
  },
  {
    id: 'configuration-files',
    title: 'Parameters of the configuration that PostgreSQL 14 refuses',
    expected: 'The configuration has no parameter that PostgreSQL 14 does not take',
    why: 'The new server reads the same files of the chart (configuration, extendedConfiguration, extraFlags). It does not start with a parameter or value that it does not know. The check leaves out what the image itself writes, and what the upgrade translates in postgresql.auto.conf.',
    severity: 'failed',
    shows: 'start',
    says: 'unrecognized configuration parameter "wal_keep_segments" in file ...; FATAL: configuration file contains errors',
    advice:
      "Remove it from the chart's values, or from postgresql.auto.conf with the command. Set wal_keep_size to wal_keep_segments times the segment size.",
    server: `
WITH f AS (
  SELECT format('%s:%s', sourcefile, sourceline) AS place, name, setting AS value, error, sourcefile LIKE '%/postgresql.auto.conf' AS auto,
    sourcefile = current_setting('config_file') AS main FROM pg_file_settings
  UNION ALL SELECT 'command line or environment', name, setting, NULL, false, false FROM pg_settings WHERE source IN ('command line', 'environment variable'))
SELECT place, coalesce(detail, name || ': ' || error), CASE WHEN auto THEN format('ALTER SYSTEM RESET %I;', name) ELSE '' END
FROM f LEFT JOIN ${settingsThat('refused')} ON true
WHERE CASE WHEN detail IS NULL THEN error <> 'setting could not be applied'
  WHEN auto THEN lower(name) NOT IN ${removed} AND NOT (lower(name) = 'password_encryption' AND lower(value) IN ('on', 'true', 'yes', '1'))
  ELSE NOT (main AND lower(name) = 'wal_keep_segments') END`,
  },
  {
    id: 'system-files',
    title: 'ALTER SYSTEM settings with a file or a locale',
    expected: 'ALTER SYSTEM names no file or locale that the new image might lack',
    why: 'postgresql.auto.conf moves with the data into the new image. The server does not start there if a file that it names is missing. The check libraries asks the images for libraries.',
    severity: 'warning',
    shows: 'start',
    says: 'FATAL: could not load server certificate file "/certs/server.crt": No such file or directory',
    advice: 'Make sure that the serving image has it at the same path, or reset the setting.',
    server: `
SELECT name, setting, format('ALTER SYSTEM RESET %I;', name) FROM pg_file_settings
WHERE sourcefile LIKE '%/postgresql.auto.conf' AND coalesce(setting, '') <> '' AND lower(name) IN ('hba_file', 'ident_file', 'data_directory', 'external_pid_file', 'ssl_cert_file', 'ssl_key_file', 'ssl_ca_file', 'ssl_crl_file',
  'ssl_dh_params_file', 'krb_server_keyfile', 'lc_messages', 'lc_monetary', 'lc_numeric', 'lc_time', 'log_directory', 'unix_socket_group',
  'dynamic_library_path', 'jit_provider', 'timezone_abbreviations')`,
  },
  {
    id: 'client-certificates',
    title: 'Client certificates in pg_hba.conf',
    expected: 'pg_hba.conf asks for client certificates in the words of PostgreSQL 14',
    why: 'PostgreSQL 14 accepts clientcert=verify-ca and clientcert=verify-full only, and does not start with another value. A pg_hba.conf that the image itself writes has none.',
    severity: 'failed',
    shows: 'start',
    says: 'invalid value for clientcert: "1"; FATAL: could not load pg_hba.conf',
    advice:
      'Where the chart has its pg_hba.conf, write clientcert=verify-ca instead of clientcert=1, and remove clientcert=0 and clientcert=no-verify.',
    server: `
SELECT 'line ' || n, 'clientcert is not verify-ca or verify-full', ''
FROM regexp_split_to_table(pg_read_file(current_setting('hba_file')), E'\\n') WITH ORDINALITY x(line, n)
WHERE line !~ '^\\s*#' AND line ~* 'clientcert\\s*=\\s*"?(0|1|no-verify)'`,
  },
  {
    id: 'password-methods',
    title: 'Passwords and the methods of pg_hba.conf',
    expected: 'Every role can log in by the method that pg_hba.conf asks for',
    why: 'PostgreSQL refuses a password stored as md5 where pg_hba.conf asks for scram-sha-256. PostgreSQL 14 stores new passwords as SCRAM. It still accepts md5 ones where pg_hba.conf asks for md5.',
    severity: 'warning',
    shows: 'never',
    says: 'password authentication failed for user "app"',
    advice:
      'Set the password again with password_encryption = scram-sha-256 (\\password in psql), or leave the method at md5.',
    server: `
SELECT quote_ident(rolname), 'its password is stored as md5, pg_hba.conf line ' || line || ' asks for scram-sha-256', ''
FROM pg_authid, LATERAL (SELECT min(line_number) AS line FROM pg_hba_file_rules
  WHERE auth_method = 'scram-sha-256' AND (user_name && ARRAY['all', rolname::text])) rule
WHERE rolcanlogin AND rolpassword LIKE 'md5%' AND line IS NOT NULL`,
  },
];
