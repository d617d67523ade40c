import type { Context, Step } from '../step.ts';
import { boot, copyClaim } from './copy.ts';
import { suffixOf } from './snapshot-object.ts';
import { readySnapshot, setDeletionPolicy } from './snapshot.ts';

/** Backs up the cleanly stopped, detached volume. The backup is never deleted by an upgrade, also not by a failed one. */
export const takeBackup: Step = {
  id: 'backup',
  title: 'Back up the volume',

  async run(context) {
    const { journal, results, log } = context;
    const { kind } = journal.record.backup;
    if (kind === 'external') {
      log.info('The backup is outside of the cluster ("backup: external"): none is taken here');
      return;
    }
    const name = kind === 'snapshot' ? await snapshot(context) : await clone(context);
    results.backup = { kind, name };
  },
};

async function snapshot(context: Context): Promise<string> {
  const name = await readySnapshot(context, 'backup');
  await setDeletionPolicy(context, name, 'Retain');
  return name;
}

/** A clone is there only when a pod has used it: most storage classes wait for that. So 12 is started on it, which proves it too. */
async function clone(context: Context): Promise<string> {
  const { cluster, target, journal, log, clock } = context;
  const { namespace } = target;
  const source = { kind: 'PersistentVolumeClaim', name: target.volume.claimName } as const;
  let name = journal.noted.backup ?? '';
  if (name === '' || (await cluster.find('persistentvolumeclaims', name, namespace)) === undefined) {
    name = `${target.volume.claimName}-before-upgrade-${suffixOf(clock.now())}`;
    await journal.note('backup', name);
    await cluster.create('persistentvolumeclaims', copyClaim(target, name, source), { namespace });
  }
  log.info(`PersistentVolumeClaim ${name}: ${await boot(context, name)}`);
  return name;
}
