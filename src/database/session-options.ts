const planNodes = 'bitmapscan hashagg hashjoin indexonlyscan indexscan material mergejoin nestloop seqscan sort'.split(
  ' ',
);

/**
 * What every session of the action sets, so that no `ALTER ROLE … SET` and no `ALTER DATABASE … SET` changes what it does: a parameter that comes
 * with the connection (PGOPTIONS) beats both. Only parameters that any role may store for itself, or for a database that it owns, and that PostgreSQL 12 and PostgreSQL 14
 * both know; those which only a superuser may store (`session_preload_libraries`, `log_statement`, …) are the administrator's word.
 * Decision: docs/decisions/0028-users-code.md
 */
const fixed: Readonly<Record<string, string>> = {
  // Whose rights the session has, and whose code it loads. Without pg_temp in it, temporary objects would come first.
  role: 'none',
  search_path: 'pg_catalog,pg_temp',
  row_security: 'off',
  local_preload_libraries: '',
  // How our scripts are read.
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  array_nulls: 'on',
  transform_null_equals: 'off',
  // How values and names are written.
  quote_all_identifiers: 'off',
  bytea_output: 'hex',
  datestyle: 'ISO,MDY',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  extra_float_digits: '1',
  xmlbinary: 'base64',
  xmloption: 'content',
  lc_monetary: 'C',
  lc_numeric: 'C',
  lc_time: 'C',
  // What reaches us and the server's log.
  client_min_messages: 'warning',
  debug_print_parse: 'off',
  debug_print_rewritten: 'off',
  debug_print_plan: 'off',
  // What a session waits for, and where it ends.
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  exit_on_error: 'off',
  idle_in_transaction_session_timeout: '0',
  vacuum_cost_delay: '0',
  synchronous_commit: 'local',
  // Where rows are put, and how they are found: at their worst, these make minutes of what takes milliseconds.
  default_table_access_method: 'heap',
  default_tablespace: '',
  temp_tablespaces: '',
  constraint_exclusion: 'partition',
  force_parallel_mode: 'off',
  gin_fuzzy_search_limit: '0',
  plan_cache_mode: 'auto',
  work_mem: '4MB',
  from_collapse_limit: '8',
  join_collapse_limit: '8',
  geqo: 'off',
  seq_page_cost: '1',
  random_page_cost: '4',
  cpu_tuple_cost: '0.01',
  cpu_index_tuple_cost: '0.005',
  cpu_operator_cost: '0.0025',
  ...Object.fromEntries(planNodes.map((node) => [`enable_${node}`, 'on'])),
};

/**
 * A session that can't change anything, nor wait long for anybody's lock; its statements end before the command is given up. To compile what is asked
 * once would take longer than to run it.
 * @param limit of the whole command, in milliseconds
 * @returns a value for PGOPTIONS
 */
export function readOptions(limit: number): string {
  return optionsOf({
    ...fixed,
    default_transaction_read_only: 'on',
    jit: 'off',
    statement_timeout: String(Math.round(limit * 0.9)),
    lock_timeout: '5000',
  });
}

/** A session that may change things, and that no limit cuts short; a value for PGOPTIONS. */
export const writeOptions = optionsOf({
  ...fixed,
  default_transaction_read_only: 'off',
  statement_timeout: '0',
  lock_timeout: '0',
});

/**
 * A session for a script of the administrator's, which may change things. Its statements end before the command is given up.
 * @param limit of the whole command, in milliseconds
 * @returns a value for PGOPTIONS
 */
export function scriptOptions(limit: number): string {
  return optionsOf({
    ...fixed,
    default_transaction_read_only: 'off',
    statement_timeout: String(Math.round(limit * 0.9)),
    lock_timeout: '0',
  });
}

/**
 * Parameters of pg_upgrade's sessions, and of those of the restore test in its new server: no limit, and no wait for the disk at each commit. pg_upgrade
 * sets the latter for the new server too, but what is stored for a database would win over that. A value for PGOPTIONS, which its programs read from the environment.
 */
export const upgradeOptions = optionsOf({
  ...fixed,
  default_transaction_read_only: 'off',
  statement_timeout: '0',
  lock_timeout: '0',
  synchronous_commit: 'off',
  jit: 'off',
});

/**
 * The first version with restrict_nonsystem_relation_kind: with it, a dump does not read rows of a view that replaced a sequence meanwhile
 * (CVE-2024-7348). pg_dump sets it itself from 14.13 on.
 */
const restrictedSince = 120020;

/**
 * Parameters of the sessions of a dump over the network. They can only read, do not wait long for a lock, and the server soon ends those whose client is lost.
 * @param limit of a statement, in seconds
 * @param lockWait for a lock, in seconds
 * @param serverVersion server_version_num of the server that is dumped
 * @returns a value for PGOPTIONS
 */
export function dumpOptions(limit: number, lockWait: number, serverVersion: number): string {
  return optionsOf({
    ...fixed,
    default_transaction_read_only: 'on',
    jit: 'off',
    statement_timeout: `${String(limit)}s`,
    lock_timeout: `${String(lockWait)}s`,
    tcp_keepalives_idle: '20',
    tcp_keepalives_interval: '5',
    tcp_keepalives_count: '4',
    ...(serverVersion < restrictedSince ? {} : { restrict_nonsystem_relation_kind: 'view,foreign-table' }),
  });
}

/** Such parameters that PostgreSQL 14 has and PostgreSQL 12 lacks, which refuses a connection that names one. */
const sinceFourteen: Readonly<Record<string, string>> = {
  idle_session_timeout: '0',
  client_connection_check_interval: '0',
  hash_mem_multiplier: '1',
  enable_incremental_sort: 'on',
  enable_memoize: 'on',
};

/**
 * What each session does first, on one line: sets what can't come with the connection, where the server knows it. Prints nothing, and changes nothing in PostgreSQL 12.
 * A session is idle before it: a limit of a few milliseconds may still end it, and then it is only broken.
 */
export const firstStatement = [
  'SELECT 1 FROM (VALUES',
  Object.entries(sinceFourteen)
    .map(([name, value]) => `('${name}', '${value}')`)
    .join(', '),
  ') AS parameter(name, value) WHERE CASE WHEN current_setting(name, true) IS NULL THEN false ELSE set_config(name, value, false) IS NULL END;',
].join(' ');

/** PGOPTIONS is split at spaces; a backslash keeps one. */
function optionsOf(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
    .join(' ');
}
