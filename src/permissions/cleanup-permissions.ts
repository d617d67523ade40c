import { anchorName } from '../objects/anchor.ts';
import { bootJobName, jobName, revertJobName } from '../objects/upgrade-job.ts';
import { copyJobName } from '../objects/copy-job.ts';
import { journalName } from '../objects/journal-name.ts';
import { leaseName } from '../objects/lease.ts';
import {
  rehearsalCommands,
  rehearsalJobName,
  rehearsalLeaseName,
  rehearsalPodName,
  rehearsalRecordName,
  rehearsedMajors,
} from '../objects/rehearsal.ts';
import type { Permission } from './permission.ts';
import type { ServerNames } from '../target/server-names.ts';

type Row = Omit<Permission, 'mode' | 'verb'>;

/** The same reason for several verbs. */
function rows(verbs: readonly Permission['verb'][], row: Row): Permission[] {
  return verbs.map((verb) => ({ verb, ...row, mode: 'cleanup' }));
}

/**
 * What a cleanup asks of the API server on top of what each precheck needs, and why. It has none of the rights by which an upgrade stops something or makes a pod.
 * What it lists can't be granted by name, nor what has the time in its name.
 */
export const cleanupPermissions: readonly Permission[] = [
  ...rows(['list'], { resource: 'pods', why: 'see whether a pod uses what is to go' }),
  ...rows(['get', 'patch', 'delete'], {
    resource: 'configmaps',
    names: () => [journalName],
    why: 'read the journal, and remove it at the end',
  }),
  ...rows(['get', 'delete'], {
    resource: 'configmaps',
    names: () => [rehearsalRecordName],
    why: 'remove the result of the last rehearsal',
  }),
  ...rows(['get', 'delete'], {
    resource: 'pods',
    names: () => rehearsedMajors.map(rehearsalPodName),
    why: 'remove what is left of a rehearsal that was killed',
  }),
  ...rows(['list'], { resource: 'jobs', why: 'find the Jobs of upgrades, and see whether one is at work' }),
  ...rows(['get', 'patch', 'delete'], {
    resource: 'jobs',
    names: () => [jobName, revertJobName, bootJobName, copyJobName, anchorName],
    why: 'remove the ended Jobs',
  }),
  ...rows(['get', 'delete'], {
    resource: 'jobs',
    names: () => rehearsalCommands.map(rehearsalJobName),
    why: 'remove what is left of a rehearsal that was killed',
  }),
  ...rows(['create'], { resource: 'leases', why: 'keep other runs away' }),
  ...rows(['get', 'patch'], {
    resource: 'leases',
    names: () => [leaseName, rehearsalLeaseName],
    why: 'keep other runs away',
  }),
  ...rows(['get', 'patch'], {
    resource: 'statefulsets',
    names: ({ statefulSet }: ServerNames) => [statefulSet],
    why: 'keep a run that lost its Lease from changing the server (a label)',
  }),
  ...rows(['list', 'get', 'delete'], {
    resource: 'persistentvolumeclaims',
    why: 'find the backup of `backup: clone` and `backup: copy`, and the copy of a rehearsal, and remove them. The name of a backup has the time at which it was made',
  }),
  ...rows(['list', 'get', 'patch'], {
    resource: 'persistentvolumes',
    why: 'find the volume that the server had before a restore. Have Kubernetes delete it, the volume of a backup and that of a rehearsal (reclaim policy)',
  }),
  ...rows(['list'], { resource: 'volumeattachments', why: 'see whether such a volume is attached' }),
  ...rows(['list'], {
    resource: 'volumesnapshotclasses',
    why: 'find the VolumeSnapshotClass for the backup of PostgreSQL 14',
    ifServed: true,
  }),
  ...rows(['list', 'create', 'get', 'patch', 'delete'], {
    resource: 'volumesnapshots',
    why: 'take the backup of PostgreSQL 14. Find the snapshots of upgrades and rehearsals, and remove them. Their names have the time at which they were taken',
    ifServed: true,
  }),
  ...rows(['get', 'patch'], {
    resource: 'volumesnapshotcontents',
    why: 'keep the backup of PostgreSQL 14 in the storage. Have the storage delete the snapshots of upgrades and rehearsals (deletionPolicy). The snapshot controller makes the names',
    ifServed: true,
  }),
];
