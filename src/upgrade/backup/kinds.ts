/** The input `backup`: how the volume as it was before the upgrade is kept, for the way back after 14 has served on linked files. */
export const backupKinds = ['snapshot', 'clone', 'external'] as const;

export type BackupKind = (typeof backupKinds)[number];

/** A backup that the action made: its kind and the name of its object. */
export interface Backup {
  readonly kind: Exclude<BackupKind, 'external'>;
  readonly name: string;
}

/** `VolumeSnapshot data-postgresql-0-before-…`, for people. */
export function backupName({ kind, name }: Backup): string {
  return `${kind === 'snapshot' ? 'VolumeSnapshot' : 'PersistentVolumeClaim'} ${name}`;
}
