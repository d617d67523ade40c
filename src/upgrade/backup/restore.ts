import { confirmBackup } from '../../inputs/consent.ts';
import { UpgradeError } from '../../common/errors.ts';
import { jobFailure } from '../../job/follow-job.ts';
import { runJob } from '../job/job-run.ts';
import type { Context } from '../contract/step.ts';
import { boot, makeCopy } from './copy.ts';
import { restoreCopy } from './cold-copy.ts';
import { copyName } from '../../objects/copy.ts';
import { swapVolume, planSwap } from './volume-swap.ts';
import { backupName, sourceOf, type Backup } from '../../objects/backup.ts';
import { findBackup, howToName } from './our-backup.ts';
import { awaitSnapshot } from '../../storage/await-snapshot.ts';
import { readySnapshot } from './snapshot.ts';
import { setDeletionPolicy } from '../../storage/snapshot-content.ts';
import { copyable } from '../../text/commands.ts';

/**
 * Restores the data of PostgreSQL 12 after PostgreSQL 14 was started on the volume; both are stopped.
 * If the files were cloned or copied, PostgreSQL 12 is whole beside PostgreSQL 14. Linked files
 * belong to PostgreSQL 14: then the server gets a copy of the backup, and the volume with PostgreSQL 14 is kept.
 * @param transfer how pg_upgrade transferred the files, as the Job says; undefined when it does not know
 * @throws UpgradeError when neither is possible
 */
export async function restoreOldData(context: Context, transfer: string | undefined): Promise<void> {
  const isWhole = transfer === 'clone' || transfer === 'copy';
  if (context.journal.noted.exchange === undefined && isWhole && (await renameBack(context))) return;
  await restoreBackup(context);
}

/** @returns whether PostgreSQL 12 has its own files again */
async function renameBack(context: Context): Promise<boolean> {
  const { results, log, journal } = context;
  if (journal.record.backup.kind === 'snapshot') {
    const name = await readySnapshot(context, 'served');
    await setDeletionPolicy(context, name, 'Retain');
    results.served = { kind: 'VolumeSnapshot', name };
    results.warnings.push(
      `VolumeSnapshot ${name} holds the data of PostgreSQL 14, and that of PostgreSQL 12 beside it.`,
    );
  }
  const end = await runJob(context, 'rollback');
  if (end.exitCode === 0 && end.result !== undefined) {
    log.info(end.result.message);
    return true;
  }
  if (end.result?.outcome !== 'served')
    throw new UpgradeError(
      'revert-failed',
      `The Job could not restore the data directory of PostgreSQL 12: ${jobFailure(end)}`,
      "The Job deleted nothing that is needed. Look at this run's log, then run again.",
    );
  log.info(end.result.message);
  return false;
}

/**
 * Gives the server a copy of the backup, after PostgreSQL 12 was started on it.
 * @throws UpgradeError when there is no backup in the cluster, or PostgreSQL 12 does not start on it
 */
async function restoreBackup(context: Context): Promise<void> {
  const exchange = context.journal.noted.exchange ?? (await prepare(context));
  await swapVolume(context, exchange);
  context.results.served = { kind: 'PersistentVolume', name: exchange.former };
  context.results.restored = exchange.volume;
  context.results.warnings.push(`PersistentVolume ${copyable(exchange.former)} holds the data of PostgreSQL 14.`);
}

async function prepare(context: Context) {
  const backup = await chooseBackup(context);
  context.results.backup = backup;
  context.log.info(`Restoring PostgreSQL 12 from ${backupName(backup)}`);
  if (backup.kind === 'snapshot') await awaitSnapshot(context, backup.name, 'ready');
  if (backup.kind === 'copy') await restoreCopy(context, backup.name);
  else await makeCopy(context, sourceOf(backup));
  context.log.info((await boot(context, copyName(context.target))).message);
  return await planSwap(context);
}

/**
 * The backup that somebody named in `confirm`, or the one that the journal names.
 * @throws UpgradeError for an object that is not a backup that this action made of this volume, whatever the journal says
 */
async function chooseBackup({ cluster, target, journal, inputs }: Context): Promise<Backup> {
  const { kind } = journal.record.backup;
  const named = inputs.consent?.backup;
  const name = named ?? (kind === 'external' ? '' : (journal.noted.backup ?? ''));
  const byName = () => howToName(cluster, target, confirmBackup(target.namespace, 'NAME'));
  if (name === '')
    throw new UpgradeError(
      'served',
      'PostgreSQL 14 was started on the files that it shares with PostgreSQL 12. The journal names no backup in the cluster. The data of PostgreSQL 14 is on the volume as it was.',
      kind === 'external'
        ? `Restore the backup that you made outside of the cluster ("backup: external"), or find out why PostgreSQL 14 failed. The applications are still stopped. ${await byName()}`
        : await byName(),
    );
  const found = await findBackup(cluster, target, name);
  const what = named === undefined ? `The journal names ${name}` : `"confirm" names ${name}`;
  if (found === 'foreign')
    throw new UpgradeError(
      'backup-foreign',
      `${what} as the backup, but it is not a backup that this action made of PersistentVolumeClaim ${target.volume.claimName}. Nothing was restored.`,
      `${named === undefined ? 'Find out who changed the journal. ' : ''}${await byName()}`,
    );
  if (found === undefined)
    throw new UpgradeError(
      'backup-gone',
      `${what} as the backup, but no VolumeSnapshot or PersistentVolumeClaim has that name. Nothing was restored.`,
      `Find out who deleted it. ${await byName()}`,
    );
  return found.backup;
}
