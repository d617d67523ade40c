// Whether the CSI driver cuts a snapshot before it says so, as the CSI specification demands. That is measured on a snapshot of the running server: what the server writes
// into the WAL after the driver's answer must not be in the snapshot.
// Decision: docs/decisions/0005-backup.md
import { z } from 'zod';
import { ClusterError, describe, isRunError } from '../common/errors.ts';
import { walPosition } from '../common/grammar.ts';
import type { Database } from '../database/database.ts';
import type { LeasedCluster } from '../ports/cluster.ts';
import type { Log } from '../ports/runner.ts';

/**
 * The message takes more room than what a server writes before it has recovered, and to switch the file flushes it: so a snapshot that is cut later has all of it.
 * None of the three needs a transaction to end.
 */
const markSql = `SELECT pg_catalog.json_build_object('position', pg_catalog.pg_logical_emit_message(false, 'postgresql-upgrade', pg_catalog.repeat(' ', 8192)));
SELECT pg_catalog.pg_switch_wal();`;

/** Milliseconds. */
const markLimit = 60_000;

const mark = z.object({ position: walPosition });

interface Marked {
  readonly database: Database<LeasedCluster>;
  readonly log: Log;
}

/**
 * Called at once when the driver says that a snapshot of the running server is cut: writes something into the WAL. What fails here leaves the timing unknown.
 * @param keep is given where what was written ends
 */
export async function writeMark(
  { database, log }: Marked,
  keep: (position: string) => void | Promise<void>,
): Promise<void> {
  try {
    const [line = ''] = (await database.write('template1', markSql, markLimit)).split('\n');
    await keep(mark.parse(JSON.parse(line)).position);
  } catch (error) {
    if (isRunError(error) && !(error instanceof ClusterError)) throw error;
    log.info(`Could not write a mark into the WAL: ${describe(error)}`);
  }
}

/** What was seen of a snapshot, as sentences. */
interface CutTiming {
  readonly cuts: 'in-time' | 'late';
  readonly seen: string;
}

/**
 * Compares the end of the WAL in a snapshot with the mark.
 * @param position of the mark
 * @param walEnd where PostgreSQL 12 on a copy of the snapshot ended its recovery
 * @returns undefined where one of the two is not known
 */
export function cutTiming(
  snapshot: string,
  position: string | undefined,
  walEnd: string | undefined,
): CutTiming | undefined {
  if (position === undefined || walEnd === undefined || !walPosition.safeParse(walEnd).success) return undefined;
  return bytesOf(walEnd) < bytesOf(position)
    ? {
        cuts: 'in-time',
        seen: `The storage cuts snapshots in time: the WAL of the copy ends at ${walEnd}, before the mark at ${position}`,
      }
    : {
        cuts: 'late',
        seen: `The storage cuts snapshots later than it says. VolumeSnapshot ${snapshot} has what the server wrote afterwards (its WAL ends at ${walEnd}, the mark is at ${position}).`,
      };
}

/** What the upgrade does about a driver that cuts late, and what to do. */
export const afterLateCut =
  'So the action waits until the backup is ready before it runs pg_upgrade, whatever "snapshot-gate" says. Report it to the vendor of the CSI driver.';

/** A position in the WAL as a number of bytes. */
function bytesOf(position: string): bigint {
  const [high = '', low = ''] = position.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}
