// A snapshot that is cut holds the data of PostgreSQL 12, whatever is written to the volume afterwards. Only one that is ready can be restored.
// Decision: docs/decisions/0005-backup.md
import { describe, sentence } from '../../common/errors.ts';
import { upgrade } from '../../common/versions.ts';
import type { SnapshotState } from '../../inputs/backup-kinds.ts';
import type { Context, Step } from '../contract/step.ts';
import { awaitSnapshot } from '../../storage/await-snapshot.ts';

type Gate = Pick<Context, 'inputs' | 'journal' | 'results'>;

/**
 * How far the backup must have come before pg_upgrade runs. A driver of which it is not known whether it cuts in time must be ready, unless the input says otherwise; one that
 * was seen to cut late in any case, since its snapshot would hold what pg_upgrade writes.
 */
export function stateBeforeJob({ inputs, journal }: Gate): SnapshotState {
  const { cuts } = journal.noted;
  return cuts === 'in-time' || (cuts === undefined && inputs.snapshotGate === 'cut') ? 'cut' : 'ready';
}

/** PostgreSQL 12 stays whole beside PostgreSQL 14. Where another run saw the result of the Job, it is not known. */
function isWholeBeside({ results }: Gate): boolean {
  return results.job?.transfer === 'clone' || results.job?.transfer === 'copy';
}

/**
 * Before the first start of PostgreSQL 14 on linked files: from then on only the backup restores PostgreSQL 12. Before it, the Job restores the old
 * directory, so a snapshot that fails costs nothing.
 */
export const awaitBackup: Step = {
  id: 'backup-ready',
  title: 'Wait until the backup is ready',

  plan: ({ record, inputs }) =>
    record.backup.kind === 'snapshot' && inputs.snapshotGate === 'ready'
      ? [{ does: 'run', what: 'If pg_upgrade linked the files: wait until the VolumeSnapshot of the backup is ready.' }]
      : [],

  async run(context) {
    const { log, timeline } = context;
    const name = snapshotOf(context);
    if (name === undefined) {
      log.info('The backup is no VolumeSnapshot, so there is none to wait for');
      return;
    }
    const reason = isWholeBeside(context)
      ? `PostgreSQL ${String(upgrade.from)} has files of its own`
      : context.inputs.snapshotGate === 'cut'
        ? '"snapshot-gate" is "cut"'
        : undefined;
    if (reason === undefined) await readyBackup(context, name, timeline.expectedTime('backup-ready'));
    else log.info(`Did not wait for VolumeSnapshot ${name}, since ${reason}. The action waits for it at the end`);
  },
};

/** Whether the backup is a snapshot that this run has not seen to be ready. */
export function isUnconfirmed(context: Context): boolean {
  return snapshotOf(context) !== undefined && context.results.backupTimes?.readyAt === undefined;
}

/** After the restart of the applications: says so where the backup can't be restored. Nothing is undone for it. */
export const seeBackupReady: Step = {
  id: 'confirm-backup',
  title: 'See that the backup is ready',

  plan: ({ record }) =>
    record.backup.kind === 'snapshot'
      ? [{ does: 'run', what: 'If the VolumeSnapshot of the backup was not ready before: wait until it is.' }]
      : [],

  async run(context) {
    const { results, log } = context;
    const name = snapshotOf(context);
    if (name === undefined || !isUnconfirmed(context)) return;
    try {
      await readyBackup(context, name);
    } catch (error) {
      const way = isWholeBeside(context)
        ? `PostgreSQL ${String(upgrade.from)} is whole in its old directory, so "mode: rollback" can restore it without the backup.`
        : `Without the backup nothing restores PostgreSQL ${String(upgrade.from)} where its files were linked.`;
      const message = `The action did not see the backup, VolumeSnapshot ${name}, become ready: ${sentence(describe(error))} PostgreSQL ${String(upgrade.to)} serves with all data. ${way} Make a backup of PostgreSQL ${String(upgrade.to)} now.`;
      log.annotate('error', seeBackupReady.id, message);
      results.warnings.push(message);
    }
  },
};

/** Waits until the backup is ready, and tells the report when it was. */
export async function readyBackup(context: Context, name: string, expected?: number): Promise<void> {
  const { cluster, results } = context;
  const { status } = await awaitSnapshot(context, name, 'ready', expected);
  results.backupTimes = { cutAt: status?.creationTime, readyAt: (await cluster.now()).toISOString() };
}

/** The backup's name; undefined where it is no snapshot. */
function snapshotOf({ journal }: Context): string | undefined {
  const { record, noted } = journal;
  return record.backup.kind === 'snapshot' ? (noted.backup ?? undefined) : undefined;
}
