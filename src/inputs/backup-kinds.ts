/** The input `backup`: how the action backs up the volume, to restore PostgreSQL 12 after PostgreSQL 14 has served on linked files. */
export const backupKinds = ['snapshot', 'clone', 'copy', 'external'] as const;

export type BackupKind = (typeof backupKinds)[number];

/** The input `snapshot-gate`: how far a VolumeSnapshot must have come. One that is cut holds the volume as it was, and one that is ready can be restored. */
export const snapshotStates = ['ready', 'cut'] as const;

export type SnapshotState = (typeof snapshotStates)[number];
