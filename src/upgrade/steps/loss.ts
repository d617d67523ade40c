import { compareFingerprints } from '../../database/compare-fingerprints.ts';
import { measure, measurementLimit } from '../../database/measurement.ts';
import type { Database } from '../../database/database.ts';
import { quoted } from '../../database/obstacles.ts';
import { describe } from '../../common/errors.ts';
import type { Log } from '../../ports/runner.ts';
import type { Journal } from '../../journal/journal.ts';
import type { Released } from '../../journal/notes.ts';

/** Where the WAL ends, for the journal's note `released`. */
export async function positionInWal(database: Database): Promise<string> {
  return (await database.read('template1', 'SELECT pg_catalog.pg_current_wal_lsn();')).trim();
}

const shown = 20;

/**
 * What a rollback to PostgreSQL 12 loses: what was written since the applications were restarted on PostgreSQL 14, by the WAL
 * and by the differences from the measurement before the upgrade. What can't be read is reported as unknown.
 * @returns lines for people
 */
export async function lossOfRollback(database: Database, { noted, record }: Journal, log: Log): Promise<string[]> {
  const { released } = noted;
  const since = released?.at.toISOString() ?? record.startedAt;
  try {
    const lines = released === undefined ? [] : [await walSince(database, released)];
    if (noted.measured === undefined) return [...lines, `everything written since ${since}; the action can't count it`];
    const before = noted.measured;
    const { fingerprint: now } = await measure(database, record.job.jobs, measurementLimit, { before });
    const differences = compareFingerprints(before, now);
    const more = differences.length - shown;
    return [
      ...lines,
      ...differences.slice(0, shown).map((line) => line.replace(' after', ' now')),
      ...(more > 0 ? [`… and ${String(more)} more tables, sequences and databases`] : []),
      ...(differences.length === 0 ? ['no table has a different number of rows; changed rows are not counted'] : []),
    ];
  } catch (error) {
    log.info(`Could not count what was written since: ${describe(error)}`);
    return [`everything written since ${since}; the action can't count it, since PostgreSQL does not answer`];
  }
}

async function walSince(database: Database, { at, wal }: Released): Promise<string> {
  const sql = `SELECT pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), ${quoted(wal)}));`;
  return `${(await database.read('template1', sql)).trim()} of WAL, written since ${at.toISOString()}`;
}
