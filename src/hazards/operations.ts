import type { Hazard } from './hazard.ts';

export const operationHazards: readonly Hazard[] = [
  {
    id: 'wraparound',
    title: 'Wraparound of transaction IDs',
    expected: 'No database is close to the wraparound of transaction IDs',
    why: 'PostgreSQL 12 accepts no more transactions one million before the wraparound, PostgreSQL 14 three million before. So the server of PostgreSQL 14 refuses what pg_upgrade asks of it.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'database is not accepting commands to avoid wraparound data loss in database with OID 0',
    advice: 'Freeze the database, with the commands.',
    server: `
SELECT format('database %I', datname), age(datfrozenxid) || ' transactions old', format(E'\\\\connect %I\\nVACUUM FREEZE;', datname)
FROM pg_database WHERE age(datfrozenxid) > 2144000000 AND datname <> 'template0'`,
  },
  {
    id: 'wraparound-distance',
    title: 'Age of the oldest transaction ID',
    expected: 'Every database is vacuumed long before its transaction IDs wrap around',
    why: 'A database whose oldest transaction is 1,500 million transactions old is not vacuumed as it should be. It comes close to the wraparound.',
    severity: 'warning',
    shows: 'never',
    advice: 'Freeze the database, and find out what holds up autovacuum.',
    server: `
SELECT format('database %I', datname), format('%s transactions and %s multixacts old', age(datfrozenxid), mxid_age(datminmxid)), CASE WHEN datallowconn THEN format(E'\\\\connect %I\\nVACUUM FREEZE;', datname) ELSE '' END
FROM pg_database WHERE (age(datfrozenxid) > 1500000000 OR mxid_age(datminmxid) > 1500000000) AND age(datfrozenxid) <= 2144000000`,
  },
  {
    id: 'invalid-indexes',
    title: 'Invalid indexes',
    expected: 'No index is invalid',
    why: 'pg_upgrade does not carry over an index that CREATE INDEX CONCURRENTLY could not finish. The index is lost in the upgrade.',
    severity: 'warning',
    shows: 'never',
    advice: 'Rebuild the index with the command, or drop it.',
    database: `
SELECT indexrelid::regclass::text, 'is invalid', CASE WHEN c.relname ~ '_cc(new|old)[0-9]*$' THEN format('DROP INDEX %s;', indexrelid::regclass) ELSE format('REINDEX INDEX %s;', indexrelid::regclass) END
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT (indisvalid AND indisready AND indislive) AND indexrelid >= 16384 AND c.relkind = 'i'`,
  },
  {
    id: 'unlogged-tables',
    title: 'Unlogged tables',
    expected: 'No table is unlogged',
    why: 'An unlogged table keeps its rows when the server stops cleanly. It loses them when the server crashes, or when the backup is restored.',
    severity: 'warning',
    shows: 'never',
    advice: 'Make it a logged table if you need its rows.',
    database: `SELECT oid::regclass::text, 'is unlogged', format('ALTER TABLE %s SET LOGGED;', oid::regclass) FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u'`,
  },
  {
    id: 'large-objects',
    title: 'Number of large objects',
    expected: 'No database has more than 100,000 large objects',
    why: 'pg_upgrade creates each large object by a statement of its own: 100,000 take some 17 seconds of the downtime.',
    severity: 'warning',
    shows: 'never',
    advice: 'Remove those that nothing refers to (vacuumlo), or plan for the time.',
    database: `SELECT 'large objects', count(*)::text, '' FROM pg_largeobject_metadata HAVING count(*) > 100000`,
  },
  {
    id: 'lock-table',
    title: 'Locks that pg_dump takes at once',
    expected: 'pg_dump can lock all relations of a database at once',
    why: "The Job's servers have max_locks_per_transaction = 1024: room for some 100,000 locks. pg_dump takes one for each relation of a database.",
    severity: 'failed',
    shows: 'upgrade',
    says: 'ERROR: out of shared memory. HINT: You might need to increase max_locks_per_transaction.',
    advice: 'Drop relations that nobody needs, or spread them over several databases.',
    database: `
SELECT 'relations', count(*)::text, '' FROM pg_class WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND oid >= 16384 HAVING count(*) > 80000`,
  },
];
