import type { BackupKind } from '../inputs/backup-kinds.ts';

/** A backup that the action made: its kind and the name of its object. */
export interface Backup {
  readonly kind: Exclude<BackupKind, 'external'>;
  readonly name: string;
}

/** What a volume is filled from, as a claim's `dataSource` names it. */
export interface Source {
  readonly kind: 'VolumeSnapshot' | 'PersistentVolumeClaim';
  readonly name: string;
}

/** An object that holds data of the server beside its volume: a snapshot, or the volume that it had before a restore. */
export interface KeptData {
  readonly kind: 'VolumeSnapshot' | 'PersistentVolume';
  readonly name: string;
}

/** What an earlier upgrade may have left in the storage, its backups included. */
export type EarlierData = KeptData | Source;

const objects: Readonly<Record<Backup['kind'], Source['kind']>> = {
  snapshot: 'VolumeSnapshot',
  clone: 'PersistentVolumeClaim',
  copy: 'PersistentVolumeClaim',
};

/** The object that a backup is. */
export function sourceOf({ kind, name }: Backup): Source {
  return { kind: objects[kind], name };
}

/** `VolumeSnapshot data-postgresql-0-before-…`, for people. */
export function backupName(backup: Backup): string {
  const { kind, name } = sourceOf(backup);
  return `${kind} ${name}`;
}
