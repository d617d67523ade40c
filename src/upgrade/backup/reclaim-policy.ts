import { UpgradeError } from '../../common/errors.ts';
import type { PatchOperation } from '../../ports/cluster.ts';
import type { Target } from '../../target/target.ts';
import { applied } from '../../objects/applied.ts';
import type { Move } from '../../report/planned-step.ts';
import type { Context, Step } from '../contract/step.ts';
import { expectOurVolume } from './our-volume.ts';

/** Keeps the data when somebody deletes the claim meanwhile: Kubernetes would delete the volume with it. */
export const protectVolume: Step = {
  id: 'protect-volume',
  title: 'Set the reclaim policy of the volume to Retain',

  plan: ({ target, record }) => planReclaimPolicy(target, record.reclaimPolicy, 'Retain'),

  async run(context) {
    const { volume } = context.journal.record;
    await setReclaimPolicy(context, volume, 'Retain');
    context.log.info(`PersistentVolume ${volume}: persistentVolumeReclaimPolicy Retain`);
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

/** Gives the volume that the server's claim has now the policy that it had; one that was put out of use, or whose claim is being deleted, stays. */
export async function restoreReclaimPolicy(context: Context): Promise<void> {
  const { cluster, target, journal, results } = context;
  const claim = await cluster.find('persistentvolumeclaims', target.volume.claimName, target.namespace);
  const volume = claim?.spec?.volumeName;
  if (volume !== undefined && claim?.metadata?.deletionTimestamp !== undefined) {
    results.warnings.push(
      `PersistentVolumeClaim ${target.volume.claimName} is being deleted and goes when PostgreSQL's pod ends, restarts included. PersistentVolume ${volume} with all data stays then (Retain): give it to a new claim of that name before PostgreSQL is started again.`,
    );
    return;
  }
  if (volume !== undefined) await setReclaimPolicy(context, volume, journal.record.reclaimPolicy);
}

/** @throws UpgradeError when the volume is gone */
export async function setReclaimPolicy({ cluster, target }: Context, volume: string, policy: string): Promise<void> {
  const now = await cluster.find('persistentvolumes', volume);
  if (now === undefined)
    throw new UpgradeError(
      'volume-gone',
      `PersistentVolume ${volume} is gone.`,
      'Find out who deleted it. Its data may still be in the storage.',
    );
  if (now.spec?.persistentVolumeReclaimPolicy === policy) return;
  expectOurVolume(now, target);
  await cluster.patch('persistentvolumes', volume, target.namespace, [
    { op: 'test', path: '/metadata/uid', value: now.metadata?.uid },
    keepBy(policy),
  ]);
}
