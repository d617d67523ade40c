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
    why: 'pg_upgrade finds out while it takes the files over, after it has changed the old cluster.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'error while creating link for relation "public.t": No such file or directory',
    advice:
      'The data in it is lost: restore it from a backup, or drop it if nobody needs it. An index can be built anew.',
    // One listing tells of most files in less time than to ask for each.
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
    why: 'Without its init fork an unlogged table can not be reset, and the server stays down after a crash.',
    severity: 'warning',
    shows: 'never',
    advice: 'Have the files written anew.',
    database: `
SELECT c.oid::regclass::text, 'has no file ' || pg_relation_filepath(c.oid) || '_init', CASE relkind WHEN 'i' THEN format('REINDEX INDEX %s;', c.oid::regclass) WHEN 'r' THEN format('VACUUM FULL %s;', c.oid::regclass) ELSE '' END
FROM pg_class c WHERE CASE WHEN relkind IN ('r', 'i', 't') AND relpersistence = 'u' THEN pg_relation_filepath(c.oid) IS NOT NULL AND pg_stat_file(pg_relation_filepath(c.oid) || '_init', true) IS NULL END`,
  },
  {
    id: 'signal-files',
    title: 'Standby and recovery files in the data directory',
    expected: 'No file in the data directory says that it is a standby or an unfinished restore',
    why: 'The server of the upgrade Job obeys these files at its start. pg_upgrade --check passes and makes a standby of it, and the upgrade itself then dies.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'The source cluster was shut down while in recovery mode.',
    advice: 'Remove the file, if this server is the primary and no restore is under way.',
    server: `
SELECT file, 'is in ' || current_setting('data_directory'), ${removeFile("current_setting('data_directory') || '/' || file")}
FROM unnest(ARRAY['standby.signal', 'recovery.signal', 'recovery.conf', 'tablespace_map', 'backup_label']) file
WHERE (pg_stat_file(file, true)).size IS NOT NULL AND NOT (file IN ('tablespace_map', 'backup_label') AND NOT pg_is_in_recovery() AND pg_is_in_backup())`,
  },
  {
    id: 'exclusive-backup',
    title: 'Exclusive backup in progress',
    expected: 'No exclusive backup is under way',
    why: 'pg_start_backup leaves files in the data directory, which belong to no backup once the server was stopped.',
    severity: 'warning',
    shows: 'never',
    advice: 'End the backup.',
    server: `
SELECT 'exclusive backup', 'begun ' || pg_backup_start_time(), 'SELECT pg_stop_backup(true, false);' WHERE NOT pg_is_in_recovery() AND pg_is_in_backup()`,
  },
  {
    id: 'tablespaces',
    title: 'Tablespaces outside of the data directory',
    expected: 'There are no tablespaces outside of the data directory',
    why: 'Every location has to be mounted at the same path in the upgrade Job, which mounts what the StatefulSet mounts from the volume. The new files go into a directory beside the old ones.',
    severity: 'warning',
    shows: 'check',
    says: 'tablespace directory "..." does not exist',
    advice:
      'See that the location is on the volume of the server; the Job refuses to begin otherwise. Or move everything to pg_default and drop it, with the commands: they copy the files, and lock each table meanwhile.',
    server: `
SELECT format('tablespace %I', spcname), 'at ' || pg_tablespace_location(oid), ${dropTablespace}
FROM pg_tablespace t WHERE oid >= 16384 AND (pg_tablespace_location(oid) || '/') NOT LIKE current_setting('data_directory') || '/%'`,
  },
  {
    id: 'tablespace-directories',
    title: 'Directories of tablespaces',
    expected:
      'Every tablespace has its directory, outside of the data directory and with nothing of PostgreSQL 14 in it',
    why: "One inside of the data directory would be moved away with it. One without 12's directory has lost its files. One with a directory of 14 is the rest of another upgrade.",
    severity: 'failed',
    shows: 'check',
    says: 'new cluster tablespace directory already exists: "..."; tablespace directory "..." does not exist',
    advice:
      'Move what is inside of the data directory to pg_default and drop the tablespace, with the commands: they copy the files, and lock each table meanwhile. Remove a rest of 14 by hand when you are sure that it is one.',
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
    expected: 'No page was found damaged so far',
    why: 'Damaged pages are taken over as they are. The server counts those that it has found, where data checksums are on.',
    severity: 'failed',
    shows: 'never',
    advice: 'Repair or restore what is damaged (pg_dump of the database shows it), then set the count to zero.',
    server: `
SELECT coalesce(format('database %I', datname), 'shared relations'), checksum_failures || ' pages, the last one ' || checksum_last_failure, CASE WHEN datname IS NULL THEN '' ELSE format(E'\\\\connect %I\\nSELECT pg_stat_reset();', datname) END
FROM pg_stat_database WHERE checksum_failures > 0`,
  },
];
