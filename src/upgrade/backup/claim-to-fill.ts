// The claim that a Job of ours fills with a copy of the server's volume. What is on the volume of a claim that is to be filled again would be removed, and the name alone, which the
// journal has, does not show whose claim it is by now.
// Decision: docs/decisions/0031-cold-copy.md
import type { V1PersistentVolumeClaim, V1PersistentVolumeClaimSpec } from '@kubernetes/client-node';
import { backupClaimName, copyClaim, kindOfVolume } from '../../objects/copy.ts';
import { suffixOf } from '../../objects/snapshot.ts';
import type { Target } from '../../target/target.ts';
import type { Context } from '../contract/step.ts';
import { isCompleteCopy } from './complete-copy.ts';

/** Annotation on the claim: id of the upgrade that made it. */
const runAnnotation = 'circleci-server-postgresql-upgrade/run';

/** A claim for the copy. @param runId of the upgrade */
export function claimOfRun(target: Target, name: string, runId: string): V1PersistentVolumeClaim {
  const claim = copyClaim(target, name, undefined);
  return { ...claim, metadata: { ...claim.metadata, annotations: { [runAnnotation]: runId } } };
}

/** The claim that an earlier run of the same upgrade has begun to fill, or a new one. */
export async function claimToFill(context: Context): Promise<string> {
  const { cluster, target, journal, settings, clock, results } = context;
  const { namespace } = target;
  const { copying } = journal.noted;
  const found = copying === undefined ? undefined : await cluster.find('persistentvolumeclaims', copying, namespace);
  if (copying !== undefined && found !== undefined) {
    const difference = await differenceOf(context, found);
    if (difference !== undefined)
      results.warnings.push(
        `PersistentVolumeClaim ${copying} is not as this upgrade made it for the copy: ${difference}. The action wrote nothing to it, and copies the volume to another one.`,
      );
    // A complete one may be of a server that has served since.
    else if (!(await isCompleteCopy(cluster, target, found))) return copying;
  }
  const name = backupClaimName(target, suffixOf(clock.now()));
  await journal.note('copying', name);
  await cluster.create('persistentvolumeclaims', claimOfRun(target, name, settings.runId), { namespace });
  return name;
}

/** In what a claim differs from the one that this upgrade made to be filled; undefined where it is that one. */
export async function differenceOf(
  { cluster, target, journal, settings }: Context,
  { metadata, spec }: V1PersistentVolumeClaim,
): Promise<string | undefined> {
  const wanted = claimOfRun(target, metadata?.name ?? '', settings.runId);
  if (metadata?.annotations?.[runAnnotation] !== settings.runId) return 'it does not name this upgrade';
  if (metadata.deletionTimestamp !== undefined) return 'it is being deleted';
  if (spec?.dataSource !== undefined || spec?.dataSourceRef !== undefined) return 'it has a data source';
  // What the server's claim leaves open, the API server may have filled in.
  const kind = Object.entries(kindOfVolume(wanted)) as [keyof V1PersistentVolumeClaimSpec, unknown][];
  if (kind.some(([field, value]) => JSON.stringify(spec?.[field]) !== JSON.stringify(value)))
    return 'its StorageClass, its access modes or its volume mode differ';
  if (spec?.resources?.requests?.['storage'] !== wanted.spec?.resources?.requests?.['storage'])
    return 'its size differs';
  const volume = spec?.volumeName;
  if (volume === undefined) return undefined;
  const { noted, record } = journal;
  if (volume === record.volume || volume === noted.exchange?.volume || volume === noted.exchange?.former)
    return `it has PersistentVolume ${volume}, which is or was the server's`;
  const bound = await cluster.find('persistentvolumes', volume);
  return bound?.spec?.claimRef?.uid === metadata.uid ? undefined : `PersistentVolume ${volume} is not bound to it`;
}
