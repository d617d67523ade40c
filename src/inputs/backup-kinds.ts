/** The input `backup`: how the volume as it was before the upgrade is kept, for the way back after 14 has served on linked files. */
export const backupKinds = ['snapshot', 'clone', 'external'] as const;

export type BackupKind = (typeof backupKinds)[number];
