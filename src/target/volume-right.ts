import { shell } from '../text/shell.ts';

/**
 * The command with which an administrator lets the precheck's role of docs/permissions.md read the volume that the server's claim has now: a right by name ends
 * where a restore gives the claim another volume. The upgrade's account has that role too.
 */
export function grantVolume(namespace: string, volume: string): string {
  const rule = { apiGroups: [''], resources: ['persistentvolumes'], resourceNames: [volume], verbs: ['get'] };
  return shell`kubectl patch clusterrole ${`${namespace}-postgresql-precheck`} --type merge -p ${JSON.stringify({ rules: [rule] })}`;
}
