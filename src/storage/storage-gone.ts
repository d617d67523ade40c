import { waitFor } from '../ports/wait.ts';
import { shell } from '../text/shell.ts';
import type { StorageContext } from './context.ts';

const waits = {
  persistentvolumeclaims: (name: string) => `PersistentVolumeClaim ${name} to be deleted`,
  persistentvolumes: (name: string) => `PersistentVolume ${name} to be deleted`,
  volumesnapshotcontents: (name: string) => `VolumeSnapshotContent ${name} to be deleted`,
} as const;

/** Waits until an object is gone. Only then the storage has it back: the controllers delete an object when its storage is deleted. */
export async function storageGone(
  { cluster, target, inputs, ...context }: StorageContext,
  resource: keyof typeof waits,
  name: string,
  uid: string,
): Promise<void> {
  const lookAt = shell`kubectl -n ${target.namespace} describe ${resource} ${name}`;
  const what = waits[resource](name);
  const limit = inputs.snapshotTimeout;
  await waitFor({ what, limit, limitInput: 'snapshot-timeout', lookAt, ...context }, async () => {
    const now = await cluster.find(resource, name, target.namespace);
    return now?.metadata?.uid === uid ? { pending: 'it still exists' } : { done: undefined };
  });
}
