import type { Hazard } from './hazard.ts';

export const operationHazards: readonly Hazard[] = [
  {
    id: 'wraparound',
    title: 'Wraparound of transaction IDs',
    expected: 'No database is close to the wraparound of transaction numbers',
    why: '12 takes no more transactions one million before the wraparound, 14 three millions before: its server refuses what pg_upgrade asks of it.',
    severity: 'failed',
    shows: 'upgrade',
    says: 'database is not accepting commands to avoid wraparound data loss in database with OID 0',
    advice: 'Freeze the database.',
    server: `
SELECT format('database %I', datname), age(datfrozenxid) || ' transactions old', format(E'\\\\connect %I\\nVACUUM FREEZE;', datname)
FROM pg_database WHERE age(datfrozenxid) > 2144000000 AND datname <> 'template0'`,
  },
  {
    id: 'wraparound-distance',
    title: 'Age of the oldest transaction ID',
    expected: 'Every database is vacuumed long before its transaction IDs wrap around',
    why: 'A database whose oldest transaction is 1.5 thousand million behind is not vacuumed as it should be, and comes close to the wraparound.',
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
    why: 'An index that CREATE INDEX CONCURRENTLY could not finish is not taken over: it is gone after the upgrade.',
    severity: 'warning',
    shows: 'never',
    advice: 'Build the index, or drop it.',
    database: `
SELECT indexrelid::regclass::text, 'is invalid', CASE WHEN c.relname ~ '_cc(new|old)[0-9]*$' THEN format('DROP INDEX %s;', indexrelid::regclass) ELSE format('REINDEX INDEX %s;', indexrelid::regclass) END
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT (indisvalid AND indisready AND indislive) AND indexrelid >= 16384 AND c.relkind = 'i'`,
  },
  {
    id: 'unlogged-tables',
    title: 'Unlogged tables',
    expected: 'No table is unlogged',
    why: 'Unlogged tables are kept when the server stops cleanly, and emptied when it crashes, or when the backup is restored.',
    severity: 'warning',
    shows: 'never',
    advice: 'Make it a logged table if its rows are needed.',
    database: `SELECT oid::regclass::text, 'is unlogged', format('ALTER TABLE %s SET LOGGED;', oid::regclass) FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u'`,
  },
  {
    id: 'large-objects',
    title: 'Number of large objects',
    expected: 'No database has more than 100,000 large objects',
    why: 'pg_upgrade makes each of them by a statement of its own: 100,000 take some 17 seconds of the downtime.',
    severity: 'warning',
    shows: 'never',
    advice: 'Remove those that nothing refers to (vacuumlo), or plan for the time.',
    database: `SELECT 'large objects', count(*)::text, '' FROM pg_largeobject_metadata HAVING count(*) > 100000`,
  },
  {
    id: 'lock-table',
    title: 'Locks that pg_dump takes at once',
    expected: 'pg_dump can lock all relations of a database at once',
    why: "The Job's servers have max_locks_per_transaction = 1024, room for some 100,000 locks; pg_dump takes one for each relation of a database.",
    severity: 'failed',
    shows: 'upgrade',
    says: 'ERROR: out of shared memory. HINT: You might need to increase max_locks_per_transaction.',
    advice: 'Drop what is not needed, or spread it over several databases.',
    database: `
SELECT 'relations', count(*)::text, '' FROM pg_class WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND oid >= 16384 HAVING count(*) > 80000`,
  },
];
