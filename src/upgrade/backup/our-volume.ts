import type { V1PersistentVolume } from '@kubernetes/client-node';
import { UpgradeError } from '../../common/errors.ts';
import type { Target } from '../../target/target.ts';
import { counterAnnotation } from '../../journal/counter.ts';
import type { Context } from '../contract/step.ts';
import { copyName } from '../../objects/copy.ts';

/**
 * Whether the cluster itself shows that a PersistentVolume is the server's or its copy's: it belongs to one of their claims, or to none and has the annotation that
 * this action writes. What a journal says of it does not count. Rights in the namespace alone are not enough to write either.
 */
function isOurVolume({ metadata, spec }: V1PersistentVolume, target: Pick<Target, 'namespace' | 'volume'>): boolean {
  const claim = spec?.claimRef;
  if (claim === undefined) return metadata?.annotations?.[counterAnnotation] !== undefined;
  return claim.namespace === target.namespace && [target.volume.claimName, copyName(target)].includes(claim.name ?? '');
}

/** @throws UpgradeError `volume-foreign` */
export function expectOurVolume(
  volume: V1PersistentVolume | undefined,
  target: Pick<Target, 'namespace' | 'volume'>,
): void {
  if (volume === undefined || isOurVolume(volume, target)) return;
  const { namespace = '', name = '' } = volume.spec?.claimRef ?? {};
  throw foreign(
    volume,
    name === ''
      ? 'belongs to no PersistentVolumeClaim of this server'
      : `belongs to PersistentVolumeClaim ${name} in namespace ${namespace}`,
  );
}

/**
 * Expects that a volume may replace the server's: a copy's, a free one, or one promised to the server's claim; none that an earlier claim of the same name has left.
 * @throws UpgradeError `volume-foreign`
 */
export async function expectExchangeable({ cluster, target }: Context, name: string): Promise<void> {
  const { namespace } = target;
  const { claimName } = target.volume;
  const volume = await cluster.find('persistentvolumes', name);
  if (volume === undefined) return;
  expectOurVolume(volume, target);
  const reference = volume.spec?.claimRef;
  if (reference?.name !== claimName || reference.uid === undefined) return;
  const claim = await cluster.find('persistentvolumeclaims', claimName, namespace);
  if (claim?.metadata?.uid !== reference.uid)
    throw foreign(volume, `was left by an earlier PersistentVolumeClaim ${claimName}`);
}

function foreign({ metadata }: V1PersistentVolume, why: string): UpgradeError {
  return new UpgradeError(
    'volume-foreign',
    `The journal names PersistentVolume ${metadata?.name ?? ''}, which ${why}. The action left the volume as it is.`,
    'Find out who changed the claims or the journal. "mode: status" reports where the upgrade stands.',
  );
}
