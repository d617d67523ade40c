// What a rehearsal shows of the backup: a copy of the volume was made in the very way in which the upgrade makes its backup, and PostgreSQL 12 started on it.
// Decision: docs/decisions/0034-rehearsal.md
import { z } from 'zod';
import { objectName } from '../common/grammar.ts';
import type { Facts } from '../facts/facts.ts';
import { jobOf } from '../facts/job-of.ts';
import { sha256 } from '../objects/bootstrap.ts';
import { copyClaim, copyName } from '../objects/copy.ts';
import type { RehearsalContext } from './context.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/);

export const backupProof = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('snapshot'),
    /** VolumeSnapshotClass. */
    class: objectName,
    storage: digest,
    /** Whether the storage had cut the snapshot when it said so. */
    cuts: z.enum(['in-time', 'late']),
  }),
  z.strictObject({ kind: z.literal('clone'), storage: digest }),
]);

type BackupProof = z.infer<typeof backupProof>;

/** A copy on which PostgreSQL 12 started: how it was made, and whether the storage had cut the snapshot when it said so. */
export interface Restored {
  readonly copying: RehearsalContext['copying'];
  readonly cuts: 'in-time' | 'late' | undefined;
}

/** @returns undefined where the rehearsal has not shown what the proof of the backup shows */
export function proofOf(facts: Facts, restored: Restored | undefined): BackupProof | undefined {
  const storage = storageDigest(facts);
  if (restored === undefined || storage === undefined) return undefined;
  const { copying, cuts } = restored;
  if (copying.kind === 'clone') return { kind: 'clone', storage };
  return cuts && { kind: 'snapshot', class: copying.className, storage, cuts };
}

/** Why a rehearsal that counts is no proof of the backup of this upgrade; undefined where it is. */
export function whyNoProof(found: BackupProof | undefined, facts: Facts): string | undefined {
  if (found === undefined) return 'it does not say that a copy was restored, and when the storage cut its snapshot';
  const { inputs, snapshotClass } = facts;
  const chosen = snapshotClass.known ? snapshotClass.value.chosen?.metadata.name : undefined;
  if (found.kind !== inputs.backup || (found.kind === 'snapshot' && found.class !== chosen))
    return 'its copy was made in another way';
  // The Job that proves the backup shows it, before anything is stopped.
  if (jobOf(facts)?.image.includes('@') !== true)
    return 'no node tells the digest of the upgrade image, so that only a Job shows which image Jobs run';
  const storage = storageDigest(facts);
  if (storage === undefined) return 'the StorageClass could not be read';
  return storage === found.storage
    ? undefined
    : 'the StorageClass, the VolumeSnapshotClass or the size of the volume has changed';
}

/**
 * SHA-256 of what the storage makes a copy by. Other parameters under the same names may make another copy, or none.
 * @returns undefined where a class could not be read
 */
function storageDigest({ target, inputs, storageClass, snapshotClass }: Facts): string | undefined {
  if (!storageClass.known) return undefined;
  const { found } = storageClass.value;
  const chosen = snapshotClass.known ? snapshotClass.value.chosen : undefined;
  if (inputs.backup === 'snapshot' && chosen === undefined) return undefined;
  return sha256(
    JSON.stringify({
      claim: copyClaim(target, copyName(target), undefined).spec,
      storageClass: found && {
        uid: found.metadata?.uid,
        provisioner: found.provisioner,
        parameters: found.parameters,
        mountOptions: found.mountOptions,
        volumeBindingMode: found.volumeBindingMode,
        allowedTopologies: found.allowedTopologies,
      },
      ...(inputs.backup === 'snapshot'
        ? {
            snapshotClass: { uid: chosen?.metadata.uid, driver: chosen?.driver, parameters: chosen?.parameters },
          }
        : {}),
    }),
  );
}
