/** The input `backup`: how the action backs up the volume, to restore PostgreSQL 12 after PostgreSQL 14 has served on linked files. */
export const backupKinds = ['snapshot', 'clone', 'external'] as const;

export type BackupKind = (typeof backupKinds)[number];
