// What says that a claim holds a complete copy of the server's volume. Labels and names in the namespace others may write; PersistentVolumes they may not.
// Decision: docs/decisions/0031-cold-copy.md
import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { UpgradeError } from '../../common/errors.ts';
import { isTestFailure } from '../../objects/fencing-token.ts';
import type { ClusterReader, PatchOperation } from '../../ports/cluster.ts';
import type { Move } from '../../report/planned-step.ts';
import { copyAnnotation, copyOf, holdsCopy } from '../../objects/copy.ts';
import type { Target } from '../../target/target.ts';
import type { Context } from '../contract/step.ts';

const annotationsPath = '/metadata/annotations';

type OfServer = Pick<Target, 'namespace' | 'volume'>;

/** Whether the volume of a claim holds a complete copy of the server's, by what this action has written on the PersistentVolume. */
export async function isCompleteCopy(
  cluster: ClusterReader,
  target: OfServer,
  { metadata, spec }: V1PersistentVolumeClaim,
): Promise<boolean> {
  if (spec?.volumeName === undefined || metadata?.uid === undefined) return false;
  return holdsCopy(target, await cluster.find('persistentvolumes', spec.volumeName), metadata.uid);
}

/** To claim the volume for this run changes it too, as controllers do. */
const attempts = 5;

/**
 * Writes on the PersistentVolume of a claim that it holds a complete copy.
 * @throws UpgradeError `copy-failed` when the claim has no volume of its own any more
 */
export async function markComplete(context: Context, claimName: string): Promise<void> {
  const { cluster, target } = context;
  for (let attempt = 1; ; attempt++) {
    const { name, operations } = await marking(context, claimName);
    try {
      await cluster.patch('persistentvolumes', name, target.namespace, operations);
      return;
    } catch (error) {
      if (attempt === attempts || !isTestFailure(error)) throw error;
    }
  }
}

async function marking({ cluster, target }: Context, claimName: string) {
  const claim = await cluster.find('persistentvolumeclaims', claimName, target.namespace);
  const name = claim?.spec?.volumeName;
  const volume = name === undefined ? undefined : await cluster.find('persistentvolumes', name);
  if (name === undefined || volume === undefined || volume.spec?.claimRef?.uid !== claim?.metadata?.uid)
    throw new UpgradeError(
      'copy-failed',
      `PersistentVolumeClaim ${claimName} was filled, and is not bound to its PersistentVolume any more.`,
      'Find out who changed the claim. Then run again.',
    );
  const { uid, annotations, resourceVersion } = volume.metadata ?? {};
  // An object without annotations gets them only if it is as it was read: controllers may add some meanwhile.
  const operations: PatchOperation[] =
    annotations === undefined
      ? [
          { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
          { op: 'add', path: annotationsPath, value: { [copyAnnotation]: copyOf(target) } },
        ]
      : [{ op: 'test', path: '/metadata/uid', value: uid }, mark(target)];
  return { name, operations };
}

function mark(target: OfServer): PatchOperation {
  return { op: 'add', path: `${annotationsPath}/${copyAnnotation.replaceAll('/', '~1')}`, value: copyOf(target) };
}

/** What `markComplete` will do. */
export function planMarkComplete(target: Target, claimName: string): Move {
  const object = {
    metadata: { annotations: {} },
    spec: { claimRef: { name: claimName, namespace: target.namespace } },
  };
  const name = `(the volume of ${claimName})`;
  return { does: 'change', resource: 'persistentvolumes', name, object, operations: [mark(target)] };
}
