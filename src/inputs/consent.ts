import type { Mode } from './input-types.ts';
import { imageReference, objectName } from '../common/grammar.ts';

/** What the input `confirm` agrees to, beyond that the run may begin. */
export interface Consent {
  /** To roll back by what the cluster and the disk show, since the journal can't be trusted. */
  readonly withoutJournal: boolean;
  /** To start PostgreSQL with this image, which neither the inputs nor the cluster name. */
  readonly image: string | undefined;
  /** To restore this backup, a VolumeSnapshot or a clone of this action, whatever the journal names. */
  readonly backup: string | undefined;
}

/** Value of `confirm` with which `mode: rollback` uses the cluster and the disk alone. */
export function confirmWithoutJournal(namespace: string): string {
  return `${namespace} without the journal`;
}

/** Value of `confirm` that names the image of the server before the upgrade. */
export function confirmImage(confirm: string, image: string): string {
  return `${confirm} with ${image}`;
}

/** Value of `confirm` that names the backup to restore. */
export function confirmBackup(confirm: string, backup: string): string {
  return `${confirm} from ${backup}`;
}

/** Undefined where `confirm` is none of the values that a run of this mode takes. */
export function consentOf({
  mode,
  confirm,
  namespace,
}: {
  readonly mode: Mode;
  readonly confirm: string;
  readonly namespace: string;
}): Consent | undefined {
  if (!confirm.startsWith(namespace)) return undefined;
  const rest = confirm.slice(namespace.length);
  const found =
    /^(?<without> without the journal)?(?: with (?<image>\S{1,512}))?(?: from (?<backup>\S{1,253}))?(?: with (?<last>\S{1,512}))?$/.exec(
      rest,
    );
  if (found === null) return undefined;
  const { without, image = found.groups?.['last'], backup } = found.groups ?? {};
  if ((without !== undefined || backup !== undefined) && mode !== 'rollback') return undefined;
  if (found.groups?.['image'] !== undefined && found.groups['last'] !== undefined) return undefined;
  if (image !== undefined && mode === 'cleanup') return undefined;
  if (image !== undefined && !imageReference.safeParse(image).success) return undefined;
  if (backup !== undefined && !objectName.safeParse(backup).success) return undefined;
  return { withoutJournal: without !== undefined, image, backup };
}
