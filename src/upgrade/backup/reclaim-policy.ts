import { UpgradeError } from '../../common/errors.ts';
import type { PatchOperation } from '../../ports/cluster.ts';
import type { Target } from '../../target/target.ts';
import { applied } from '../../objects/applied.ts';
import type { Move } from '../../report/planned-step.ts';
import type { Context, Step } from '../contract/step.ts';
import { expectOurVolume } from './our-volume.ts';

/** Keeps the data if somebody deletes the claim meanwhile: otherwise Kubernetes would delete the volume with it. */
export const protectVolume: Step = {
  id: 'protect-volume',
  title: 'Set the reclaim policy of the volume to Retain',
  undoTitle: 'Restore the reclaim policy of the volume',

  plan: ({ target, record }) => planReclaimPolicy(target, record.reclaimPolicy, 'Retain'),

  async run(context) {
    const { volume } = context.journal.record;
    await setReclaimPolicy(context, volume, 'Retain');
    context.log.info(`PersistentVolume ${volume}: set persistentVolumeReclaimPolicy to Retain`);
  },

  async undo(context) {
    await restoreReclaimPolicy(context);
  },
};

/** The move from one policy to another; none where they are the same. */
export function planReclaimPolicy({ volume }: Target, before: string, after: string): Move[] {
  if (before === after) return [];
  const name = volume.persistentVolume?.metadata?.name ?? '';
  const object = applied(volume.persistentVolume ?? {}, [keepBy(before)]);
  return [{ does: 'change', resource: 'persistentvolumes', name, object, operations: [keepBy(after)] }];
}

function keepBy(policy: string): PatchOperation {
  return { op: 'add', path: '/spec/persistentVolumeReclaimPolicy', value: policy };
}

/** Restores the policy of the volume that the server's claim has now. A volume that was replaced, or whose claim is being deleted, keeps Retain. */
export async function restoreReclaimPolicy(context: Context): Promise<void> {
  const { cluster, target, journal, results } = context;
  const claim = await cluster.find('persistentvolumeclaims', target.volume.claimName, target.namespace);
  const volume = claim?.spec?.volumeName;
  if (volume !== undefined && claim?.metadata?.deletionTimestamp !== undefined) {
    results.warnings.push(
      `PersistentVolumeClaim ${target.volume.claimName} is being deleted: Kubernetes removes it when PostgreSQL's pod ends, also at a restart. PersistentVolume ${volume} keeps all data (Retain). Give it to a new claim of that name before PostgreSQL is started again.`,
    );
    return;
  }
  if (volume === undefined) return;
  await setReclaimPolicy(context, volume, journal.record.reclaimPolicy);
  context.log.info(`PersistentVolume ${volume}: set persistentVolumeReclaimPolicy to ${journal.record.reclaimPolicy}`);
}

/** @throws UpgradeError when the volume is gone */
export async function setReclaimPolicy({ cluster, target }: Context, volume: string, policy: string): Promise<void> {
  const now = await cluster.find('persistentvolumes', volume);
  if (now === undefined)
    throw new UpgradeError(
      'volume-gone',
      `PersistentVolume ${volume} no longer exists.`,
      'Find out who deleted it. Its data may still be in the storage system.',
    );
  if (now.spec?.persistentVolumeReclaimPolicy === policy) return;
  expectOurVolume(now, target);
  await cluster.patch('persistentvolumes', volume, target.namespace, [
    { op: 'test', path: '/metadata/uid', value: now.metadata?.uid },
    keepBy(policy),
  ]);
}
