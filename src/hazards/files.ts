import type { Hazard } from './hazard.ts';

/** A word for a POSIX shell: there SQL's quotes mean something else, where a path has quotes or backslashes. */
const shellWord = (path: string) => `'''' || replace(${path}, '''', '''\\''''') || ''''`;

/** A file of the server's, removed by the server itself. */
const removeFile = (path: string) =>
  `format('COPY (SELECT 1 WHERE false) TO PROGRAM %L;', 'rm -- ' || ${shellWord(path)})`;

/** Moves all that is in a tablespace to pg_default, database by database, and drops it. Tables are locked and copied meanwhile. */
const emptyTablespace = `(SELECT string_agg(CASE WHEN dattablespace = t.oid THEN format(E'\\\\connect %I\\nALTER DATABASE %I SET TABLESPACE pg_default;\\n', CASE datname WHEN 'template1' THEN 'postgres' ELSE 'template1' END, datname) ELSE '' END
    || format(E'\\\\connect %I\\n', datname) || (SELECT string_agg(format('ALTER %s ALL IN TABLESPACE %I SET TABLESPACE pg_default;', kind, spcname), E'\\n' ORDER BY kind DESC) FROM unnest(ARRAY['TABLE', 'INDEX', 'MATERIALIZED VIEW']) kind), E'\\n' ORDER BY datname)
  FROM pg_database WHERE datallowconn AND (dattablespace = t.oid OR oid IN (SELECT pg_tablespace_databases(t.oid)))) || E'\\n'`;
const dropTablespace = `coalesce(${emptyTablespace}, '') || format(E'\\\\connect template1\\nDROP TABLESPACE %I;', spcname)`;

export const fileHazards: readonly Hazard[] = [
  {
    id: 'missing-files',
    title: 'Files of tables and indexes',
    expected: 'Every table and index has its file',
    why: 'pg_upgrade notices it while it transfers the files, after it has changed the old cluster.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'error while creating link for relation "public.t": No such file or directory',
    advice:
      'The data in it is lost. Restore it from a backup, or drop it if nobody needs it. Rebuild an index with the command.',
    // One listing shows most files in less time than asking for each.
    database: `
SELECT c.oid::regclass::text, 'has no file ' || pg_relation_filepath(c.oid), CASE relkind WHEN 'i' THEN format('REINDEX INDEX %s;', c.oid::regclass) ELSE '' END
FROM pg_class c WHERE relkind IN ('r', 'm', 'i', 't', 'S') AND relpersistence <> 't' AND NOT CASE
  WHEN reltablespace = 0 AND relfilenode::text IN (SELECT file FROM pg_database, pg_ls_dir('base/' || oid, true, false) file WHERE datname = current_database() AND dattablespace = 1663) THEN true
  ELSE pg_relation_filepath(c.oid) IS NULL OR (pg_stat_file(pg_relation_filepath(c.oid), true)).size IS NOT NULL END`,
  },
  {
    id: 'missing-init-forks',
    title: 'Init forks of unlogged tables and indexes',
    expected: 'Every unlogged table and index has its init fork, from which the server empties it after a crash',
    why: "The server can't reset an unlogged table without its init fork, and does not start after a crash.",
    severity: 'warning',
    shows: 'never',
    advice: 'Write the files again, with the commands.',
    database: `
SELECT c.oid::regclass::text, 'has no file ' || pg_relation_filepath(c.oid) || '_init', CASE relkind WHEN 'i' THEN format('REINDEX INDEX %s;', c.oid::regclass) WHEN 'r' THEN format('VACUUM FULL %s;', c.oid::regclass) ELSE '' END
FROM pg_class c WHERE CASE WHEN relkind IN ('r', 'i', 't') AND relpersistence = 'u' THEN pg_relation_filepath(c.oid) IS NOT NULL AND pg_stat_file(pg_relation_filepath(c.oid) || '_init', true) IS NULL END`,
  },
  {
    id: 'signal-files',
    title: 'Standby and recovery files in the data directory',
    expected: 'No file in the data directory says that it is a standby or an unfinished restore',
    why: 'A server that finds these files becomes a standby, or resumes a restore. So the upgrade Job refuses to begin.',
    severity: 'failed',
    shows: 'job',
    says: 'this is a standby, or a backup that was not completely restored',
    advice: 'Remove the file, if this server is the primary and no restore is under way.',
    server: `
SELECT file, 'is in ' || current_setting('data_directory'), ${removeFile("current_setting('data_directory') || '/' || file")}
FROM unnest(ARRAY['standby.signal', 'recovery.signal', 'recovery.conf', 'tablespace_map', 'backup_label']) file
WHERE (pg_stat_file(file, true)).size IS NOT NULL AND NOT (file IN ('tablespace_map', 'backup_label') AND NOT pg_is_in_recovery() AND pg_is_in_backup())`,
  },
  {
    id: 'exclusive-backup',
    title: 'Exclusive backup in progress',
    expected: 'No exclusive backup is in progress',
    why: 'pg_start_backup leaves files in the data directory. They belong to no backup once the server has been stopped.',
    severity: 'warning',
    shows: 'never',
    advice: 'End the backup, with the command.',
    server: `
SELECT 'exclusive backup', 'begun ' || pg_backup_start_time(), 'SELECT pg_stop_backup(true, false);' WHERE NOT pg_is_in_recovery() AND pg_is_in_backup()`,
  },
  {
    id: 'tablespaces',
    title: 'Tablespaces outside of the data directory',
    expected: 'No tablespace is outside of the data directory',
    why: 'The upgrade Job mounts what the StatefulSet mounts from the volume. Every location must be mounted there at the same path. The new files go into a directory beside the old ones.',
    severity: 'warning',
    shows: 'check',
    says: 'tablespace directory "..." does not exist',
    advice:
      'Make sure that the location is on the volume of the server; otherwise the Job refuses to begin. Or move everything to pg_default and drop the tablespace, with the commands. They copy the files, and lock each table meanwhile.',
    server: `
SELECT format('tablespace %I', spcname), 'at ' || pg_tablespace_location(oid), ${dropTablespace}
FROM pg_tablespace t WHERE oid >= 16384 AND (pg_tablespace_location(oid) || '/') NOT LIKE current_setting('data_directory') || '/%'`,
  },
  {
    id: 'tablespace-directories',
    title: 'Directories of tablespaces',
    expected:
      'Every tablespace has its directory, outside of the data directory and with nothing of PostgreSQL 14 in it',
    why: 'The upgrade would move a directory inside of the data directory away with it. A tablespace without a directory of PostgreSQL 12 has lost its files. A directory of PostgreSQL 14 is left over from another upgrade.',
    severity: 'failed',
    shows: 'check',
    says: 'new cluster tablespace directory already exists: "..."; tablespace directory "..." does not exist',
    advice:
      'Move what is inside of the data directory to pg_default and drop the tablespace, with the commands. They copy the files, and lock each table meanwhile. Remove a leftover of PostgreSQL 14 by hand, when you are sure that it is one.',
    server: `
SELECT format('tablespace %I', spcname), 'is inside of the data directory: ' || pg_tablespace_location(oid), ${dropTablespace}
FROM pg_tablespace t WHERE oid >= 16384 AND (pg_tablespace_location(oid) || '/') LIKE current_setting('data_directory') || '/%'
UNION ALL
SELECT format('tablespace %I', spcname), format('holds %s/%s', pg_tablespace_location(t.oid), entry), format('COPY (SELECT 1 WHERE false) TO PROGRAM %L;', 'rm -r -- ' || ${shellWord("pg_tablespace_location(t.oid) || '/' || entry")})
FROM pg_tablespace t, LATERAL pg_ls_dir('pg_tblspc/' || t.oid, true, false) entry WHERE t.oid >= 16384 AND entry ~ '^PG_14_'
UNION ALL
SELECT format('tablespace %I', spcname), 'has lost its files: ' || pg_tablespace_location(oid), ''
FROM pg_tablespace t WHERE oid >= 16384 AND NOT EXISTS (SELECT FROM pg_ls_dir('pg_tblspc/' || t.oid, true, false) entry WHERE entry ~ '^PG_12_')`,
  },
  {
    id: 'checksum-failures',
    title: 'Pages with a wrong checksum',
    expected: 'The server has found no damaged page so far',
    why: 'The upgrade carries damaged pages over unchanged. Where data checksums are on, the server counts those that it has found.',
    severity: 'failed',
    shows: 'never',
    advice:
      'Repair or restore what is damaged (pg_dump of the database shows it), then reset the count with the command.',
    server: `
SELECT coalesce(format('database %I', datname), 'shared relations'), checksum_failures || ' pages, the last one ' || checksum_last_failure, CASE WHEN datname IS NULL THEN '' ELSE format(E'\\\\connect %I\\nSELECT pg_stat_reset();', datname) END
FROM pg_stat_database WHERE checksum_failures > 0`,
  },
];
