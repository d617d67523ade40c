import type { V1VolumeAttachment } from '@kubernetes/client-node';
import { volumeName } from '../../target/target.ts';
import { shell } from '../../text/shell.ts';
import { waitFor } from '../../ports/wait.ts';
import type { Context } from '../contract/step.ts';

/** Waits until no node has the server's volume. */
export async function detached(context: Context): Promise<void> {
  const { target, inputs } = context;
  await waitFor(
    {
      what: `PersistentVolume ${volumeName(target) ?? '?'} to be detached`,
      limit: inputs.detachTimeout,
      limitInput: 'detach-timeout',
      lookAt: shell`kubectl get volumeattachments`,
      ...context,
    },
    async () => {
      const attachments = await attachmentsOf(context);
      return attachments.length === 0
        ? { done: undefined }
        : { pending: attachments.map((a) => `attached to node ${a.spec.nodeName}`).join(', ') };
    },
  );
}

/** The VolumeAttachments of the server's volume. */
export async function attachmentsOf({ cluster, target }: Context): Promise<V1VolumeAttachment[]> {
  const volume = volumeName(target);
  return (await cluster.list('volumeattachments')).filter((a) => a.spec.source.persistentVolumeName === volume);
}
