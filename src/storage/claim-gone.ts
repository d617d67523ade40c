import { waitFor } from '../ports/wait.ts';
import { podsNaming } from '../target/volume-users.ts';
import { shell } from '../text/shell.ts';
import type { StorageContext } from './context.ts';

/** Kubernetes deletes a claim only when no pod names it any more, ended pods included. */
export async function claimGone({ cluster, target, inputs, ...context }: StorageContext, name: string): Promise<void> {
  const what = `PersistentVolumeClaim ${name} to be deleted`;
  const lookAt = shell`kubectl -n ${target.namespace} describe pvc ${name}`;
  const limit = inputs.detachTimeout;
  await waitFor({ what, limit, limitInput: 'detach-timeout', lookAt, ...context }, async () => {
    const now = await cluster.find('persistentvolumeclaims', name, target.namespace);
    if (now === undefined) return { done: undefined };
    const pods = await podsNaming(cluster, target.namespace, name);
    return { pending: pods.length === 0 ? 'it still exists' : `pods that name it: ${pods.join(', ')}` };
  });
}
