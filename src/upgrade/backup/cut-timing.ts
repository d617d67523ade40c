// Whether the CSI driver cuts a snapshot before it says so, as the CSI specification demands. That is measured on the snapshot that proves the backup: what the
// server writes into the WAL after the driver's answer must not be in the snapshot.
// Decision: docs/decisions/0005-backup.md
import { z } from 'zod';
import { ClusterError, describe, isRunError } from '../../common/errors.ts';
import { walPosition } from '../../common/grammar.ts';
import type { Move } from '../../report/planned-step.ts';
import type { Context } from '../contract/step.ts';

/**
 * The message takes more room than what a server writes before it has recovered, and to switch the file flushes it: so a snapshot that is cut later has all of it.
 * None of the three needs a transaction to end.
 */
const markSql = `SELECT pg_catalog.json_build_object('position', pg_catalog.pg_logical_emit_message(false, 'postgresql-upgrade', pg_catalog.repeat(' ', 8192)));
SELECT pg_catalog.pg_switch_wal();`;

/** Milliseconds. */
const markLimit = 60_000;

const mark = z.object({ position: walPosition });

/** What `noteMark` will do. */
export const planMark: Move = {
  does: 'run',
  what: 'In the server: write 8 KiB into the WAL (pg_logical_emit_message) and switch its file (pg_switch_wal). That shows whether the snapshot was cut before.',
};

/**
 * Called at once when the driver says that a snapshot of the running server is cut: writes something into the WAL, and notes where. What fails
 * here leaves it unknown.
 */
export async function noteMark({ database, journal, log }: Context, snapshot: string): Promise<void> {
  try {
    const [line = ''] = (await database.write('template1', markSql, markLimit)).split('\n');
    await journal.note('mark', { snapshot, position: mark.parse(JSON.parse(line)).position });
  } catch (error) {
    if (isRunError(error) && !(error instanceof ClusterError)) throw error;
    log.info(`Could not write a mark into the WAL: ${describe(error)}`);
  }
}

/**
 * Compares the end of the WAL in the snapshot with the mark, and notes the answer.
 * @param walEnd where PostgreSQL 12 on a copy of the snapshot ended its recovery; undefined where that is not known
 */
export async function judgeCut(
  { journal, results, log }: Context,
  snapshot: string,
  walEnd: string | undefined,
): Promise<void> {
  const { mark } = journal.noted;
  const noted = mark?.snapshot === snapshot ? mark.position : undefined;
  if (noted === undefined || !walPosition.safeParse(walEnd).success || walEnd === undefined) {
    log.info(
      'It is unknown whether the storage cuts snapshots in time. The action waits for the backup before pg_upgrade',
    );
    return;
  }
  const isInTime = bytesOf(walEnd) < bytesOf(noted);
  await journal.note('cuts', isInTime ? 'in-time' : 'late');
  if (isInTime)
    log.info(`The storage cuts snapshots in time: the WAL of the copy ends at ${walEnd}, before the mark at ${noted}`);
  else
    results.warnings.push(
      `The storage cuts snapshots later than it says. VolumeSnapshot ${snapshot} has what the server wrote afterwards (its WAL ends at ${walEnd}, the mark is at ${noted}). So the action waits until the backup is ready before it runs pg_upgrade, whatever "snapshot-gate" says. Report it to the vendor of the CSI driver.`,
    );
}

/** A position in the WAL as a number of bytes. */
function bytesOf(position: string): bigint {
  const [high = '', low = ''] = position.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}
