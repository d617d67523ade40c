import { confirmBackup } from '../../inputs/consent.ts';
import { UpgradeError } from '../../common/errors.ts';
import { jobFailure, runJob } from '../job/job-run.ts';
import type { Context } from '../contract/step.ts';
import { boot, makeCopy } from './copy.ts';
import { copyName } from '../../objects/copy.ts';
import { swapVolume, planSwap } from './volume-swap.ts';
import { backupName, sourceOf, type Backup } from '../../objects/backup.ts';
import { findBackup, howToName } from './our-backup.ts';
import { readySnapshot, setDeletionPolicy } from './snapshot.ts';
import { copyable } from '../../text/commands.ts';
import { shell } from '../../text/shell.ts';

/**
 * Brings 12's data back after 14 was started on the volume; both are stopped.
 * Where the files were cloned or copied, 12 is whole beside 14. Linked files
 * are 14's: then the server gets a copy of the backup, and the volume with 14 is kept.
 * @param transfer how pg_upgrade took the files over, as the Job says; undefined when it does not know
 * @throws UpgradeError when there is no way
 */
export async function bringBackServed(context: Context, transfer: string | undefined): Promise<void> {
  const isWhole = transfer === 'clone' || transfer === 'copy';
  if (context.journal.noted.exchange === undefined && isWhole && (await renameBack(context))) return;
  await restoreBackup(context);
}

/** @returns whether 12's own files are back */
async function renameBack(context: Context): Promise<boolean> {
  const { results, log, journal } = context;
  if (journal.record.backup.kind === 'snapshot') {
    const name = await readySnapshot(context, 'served');
    await setDeletionPolicy(context, name, 'Retain');
    results.warnings.push(`VolumeSnapshot ${name} holds what PostgreSQL 14 had, and 12 beside it.`);
  }
  const end = await runJob(context, 'rollback');
  if (end.exitCode === 0 && end.result !== undefined) {
    log.info(end.result.message);
    return true;
  }
  if (end.result?.outcome !== 'served')
    throw new UpgradeError(
      'revert-failed',
      `The data directory of 12 could not be taken back: ${jobFailure(end)}`,
      'Nothing was deleted that is needed. Look at the log above, then run again.',
    );
  log.info(end.result.message);
  return false;
}

/**
 * Gives the server a copy of the backup, on which 12 has been started before.
 * @throws UpgradeError when there is no backup in the cluster, or 12 does not start on it
 */
async function restoreBackup(context: Context): Promise<void> {
  const exchange = context.journal.noted.exchange ?? (await prepare(context));
  await swapVolume(context, exchange);
  context.results.warnings.push(
    `PersistentVolume ${exchange.former} holds what PostgreSQL 14 had. When you need it no more: ${copyable(shell`kubectl patch persistentvolume ${exchange.former} -p '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}'`)} removes it and its storage.`,
  );
}

async function prepare(context: Context) {
  const backup = await chooseBackup(context);
  context.log.info(`PostgreSQL 12 is restored from ${backupName(backup)}`);
  await makeCopy(context, sourceOf(backup));
  context.log.info(await boot(context, copyName(context.target)));
  return await planSwap(context);
}

/**
 * The backup that somebody named in `confirm`, or the one that the journal names.
 * @throws UpgradeError for an object that this action did not make as a backup of this volume, whatever the journal says
 */
async function chooseBackup({ cluster, target, journal, inputs }: Context): Promise<Backup> {
  const { kind } = journal.record.backup;
  const named = inputs.consent?.backup;
  const name = named ?? (kind === 'external' ? '' : (journal.noted.backup ?? ''));
  const byName = () => howToName(cluster, target, confirmBackup(target.namespace, 'NAME'));
  if (name === '')
    throw new UpgradeError(
      'served',
      'PostgreSQL 14 was started on the files that it shares with PostgreSQL 12, and the journal names no backup in the cluster to restore.',
      kind === 'external'
        ? `Restore the backup that you made outside of the cluster ("backup: external"), or look at why 14 was not good enough: its data is on the volume. The applications are still stopped. ${await byName()}`
        : `The data of PostgreSQL 14 is on the volume. ${await byName()}`,
    );
  const found = await findBackup(cluster, target, name);
  const what = named === undefined ? `The journal names ${name}` : `"confirm" names ${name}`;
  if (found === 'foreign')
    throw new UpgradeError(
      'backup-foreign',
      `${what} as the backup, but this action did not make it of claim ${target.volume.claimName}. Nothing was restored.`,
      `${named === undefined ? 'Look at who changed the journal. ' : ''}${await byName()}`,
    );
  if (found === undefined)
    throw new UpgradeError(
      'backup-gone',
      `${what} as the backup, but there is no such VolumeSnapshot or PersistentVolumeClaim. Nothing was restored.`,
      `Find out who deleted it. ${await byName()}`,
    );
  return found.backup;
}
