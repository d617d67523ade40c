import type { Context, PlanContext, Step } from '../contract/step.ts';
import type { Target } from '../../target/target.ts';
import { timeToCome, type Move } from '../../report/planned-step.ts';
import { boot, planBoot, removeJobOfCopy } from './copy.ts';
import { planCopy, takeCopy } from './cold-copy.ts';
import { backupClaimName, copyClaim, isBackupClaim } from '../../objects/copy.ts';
import type { Backup, Source } from '../../objects/backup.ts';
import { bootJobName } from '../../objects/upgrade-job.ts';
import { snapshotName, suffixOf } from '../../objects/snapshot.ts';
import { awaitSnapshot } from '../../storage/await-snapshot.ts';
import { readyBackup, stateBeforeJob } from './backup-ready.ts';
import { askForSnapshot, planSnapshot } from './snapshot.ts';
import { deletionPolicy, setDeletionPolicy } from '../../storage/snapshot-content.ts';
import { givenVolume } from '../../storage/given-volume.ts';

/** Backs up the volume of the stopped server. No upgrade ever deletes the backup, not even a failed one. */
export const takeBackup: Step = {
  id: 'backup',
  title: 'Back up the volume',

  plan(draft) {
    const { record } = draft;
    return record.backup.kind === 'external' ? [] : kinds[record.backup.kind].plan(draft);
  },

  async run(context) {
    const { journal, results, log } = context;
    const { kind } = journal.record.backup;
    if (kind === 'external') {
      log.info('Took no backup: it is outside of the cluster ("backup: external")');
      return;
    }
    results.backup = { kind, name: await kinds[kind].make(context) };
  },
};

interface Kind {
  plan(draft: PlanContext): Move[];
  /** Its name. */
  make(context: Context): Promise<string>;
}

const kinds: Readonly<Record<Backup['kind'], Kind>> = {
  snapshot: {
    plan: (draft) => [
      planSnapshot(draft, 'backup'),
      planRetention(snapshotName(draft.target, 'before-upgrade', timeToCome)),
    ],
    make: snapshot,
  },
  clone: {
    plan: (draft) => {
      const { target } = draft;
      const name = backupClaimName(target, timeToCome);
      return [
        { does: 'create', resource: 'persistentvolumeclaims', object: copyClaim(target, name, sourceOfClone(target)) },
        ...planBoot(draft, name, 'the end of the upgrade'),
      ];
    },
    make: clone,
  },
  copy: { plan: planCopy, make: takeCopy },
};

async function snapshot(context: Context): Promise<string> {
  const expected = context.timeline.expectedTime('backup');
  const { name } = await askForSnapshot(context, 'backup');
  if (stateBeforeJob(context) === 'ready') await readyBackup(context, name, expected);
  else {
    const { status } = await awaitSnapshot(context, name, 'cut', expected);
    context.results.backupTimes = { cutAt: status?.creationTime, readyAt: undefined };
  }
  await setDeletionPolicy(context, name, 'Retain');
  return name;
}

/** What `setDeletionPolicy` will do with the content of a snapshot that does not exist yet. */
function planRetention(snapshot: string): Move {
  const object = { spec: { deletionPolicy: 'Delete', volumeSnapshotRef: { kind: 'VolumeSnapshot', name: snapshot } } };
  const name = `(the content of ${snapshot})`;
  return { does: 'change', resource: 'volumesnapshotcontents', name, object, operations: [deletionPolicy('Retain')] };
}

/** Most storage classes make a clone only when a pod uses it. So PostgreSQL 12 is started on it, which proves it too. */
async function clone(context: Context): Promise<string> {
  const { cluster, target, journal, log, clock } = context;
  const { namespace } = target;
  let name = journal.noted.backup ?? '';
  const found = name === '' ? undefined : await cluster.find('persistentvolumeclaims', name, namespace);
  // The name alone does not show whose claim it is by now.
  const isOurs =
    found?.spec?.dataSource !== undefined &&
    isBackupClaim(target, found) &&
    (await givenVolume(cluster, found)) === undefined;
  if (!isOurs || found.metadata?.deletionTimestamp !== undefined) {
    // Of an earlier run: its result would be that of the other claim.
    await removeJobOfCopy(context, bootJobName);
    name = backupClaimName(target, suffixOf(clock.now()));
    await journal.note('backup', name);
    await cluster.create('persistentvolumeclaims', copyClaim(target, name, sourceOfClone(target)), { namespace });
  }
  log.info(`PersistentVolumeClaim ${name}: ${(await boot(context, name)).message}`);
  return name;
}

function sourceOfClone({ volume }: Target): Source {
  return { kind: 'PersistentVolumeClaim', name: volume.claimName };
}
