import { anchorName } from '../objects/anchor.ts';
import { bootJobName, jobName, revertJobName } from '../objects/upgrade-job.ts';
import { copyJobName } from '../objects/copy-job.ts';
import { copyName } from '../objects/copy.ts';
import { journalName } from '../objects/journal-name.ts';
import { leaseName } from '../objects/lease.ts';
import {
  rehearsalCommands,
  rehearsalJobName,
  rehearsalLeaseName,
  rehearsalName,
  rehearsalPodName,
  rehearsalRecordName,
  rehearsedMajors,
} from '../objects/rehearsal.ts';
import type { Permission } from './permission.ts';
import type { ServerNames } from '../target/server-names.ts';

const journal = () => [journalName];
const records = () => [journalName, rehearsalRecordName];
const rehearsalPods = () => rehearsedMajors.map(rehearsalPodName);
const jobs = () => [
  ...[jobName, revertJobName, bootJobName, copyJobName, anchorName],
  ...rehearsalCommands.map(rehearsalJobName),
];
const lease = () => [leaseName, rehearsalLeaseName];
const applications = (resource: ServerNames['applications'][number]['resource']) => (names: ServerNames) =>
  names.applications.filter((one) => one.resource === resource).map(({ name }) => name);
const statefulSets = (names: ServerNames) => [names.statefulSet, ...applications('statefulsets')(names)];

/** What an upgrade, a resumed one and a rollback ask of the API server on top of what a precheck does, and why. */
export const upgradePermissions: readonly Permission[] = [
  {
    verb: 'create',
    resource: 'configmaps',
    mode: 'upgrade',
    why: 'write the journal',
  },
  {
    verb: 'get',
    resource: 'configmaps',
    names: records,
    mode: 'upgrade',
    why: 'read the journal again before each change, and the result of the last rehearsal',
  },
  {
    verb: 'patch',
    resource: 'configmaps',
    names: journal,
    mode: 'upgrade',
    why: 'write the journal; take over that of a run that died',
  },
  {
    verb: 'delete',
    resource: 'configmaps',
    names: records,
    mode: 'upgrade',
    why: 'create a journal again that somebody has made immutable; replace the result of a rehearsal',
  },
  {
    verb: 'create',
    resource: 'jobs',
    mode: 'upgrade',
    why: 'run pg_upgrade, start PostgreSQL 12 on a copy, copy the volume with `backup: copy`, keep the volume attached, rehearse',
  },
  { verb: 'get', resource: 'jobs', names: jobs, mode: 'upgrade', why: 'follow the upgrade Job' },
  { verb: 'patch', resource: 'jobs', names: jobs, mode: 'upgrade', why: 'take over the Job of a run that died' },
  {
    verb: 'delete',
    resource: 'jobs',
    names: jobs,
    mode: 'upgrade',
    why: 'remove the ended Jobs, the one that keeps the volume attached, and those of a rehearsal',
  },
  { verb: 'list', resource: 'jobs', mode: 'upgrade', why: "wait until the CronJobs' Jobs have ended" },
  {
    verb: 'list',
    resource: 'pods',
    mode: 'upgrade',
    why: "find the Jobs' pods, wait until the applications' pods have ended",
  },
  {
    verb: 'get',
    resource: 'pods',
    mode: 'upgrade',
    why: "follow the Job's pod, whose name the Job controller makes",
  },
  {
    verb: 'watch',
    resource: 'pods',
    names: ({ statefulSet }) => [`${statefulSet}-0`],
    mode: 'upgrade',
    why: "see how PostgreSQL's pod ends, so that its volume can stay attached",
    informs: [],
    else: 'mostly the volume is detached and attached again in the downtime, which takes longer',
  },
  {
    verb: 'patch',
    resource: 'pods',
    names: ({ statefulSet }) => [`${statefulSet}-0`],
    mode: 'upgrade',
    why: 'have the readiness probe of PostgreSQL asked at once: an annotation makes the kubelet look',
    informs: [],
    else: 'the applications are restarted some seconds later',
  },
  {
    verb: 'get',
    resource: 'pods',
    subresource: 'log',
    mode: 'upgrade',
    why: "read the log of the Job's pod, whose name the Job controller makes",
  },
  {
    verb: 'delete',
    resource: 'pods',
    names: ({ statefulSet }) => [`${statefulSet}-0`, ...rehearsalPods()],
    mode: 'upgrade',
    why: 'remove a pod of PostgreSQL that somebody created despite the scheduling gate; remove the pods of a rehearsal',
  },
  ...(['get', 'create'] as const).map((verb): Permission => ({
    verb,
    resource: 'pods',
    subresource: 'exec',
    names: rehearsalPods,
    mode: 'upgrade',
    why: 'run psql in the pods of a rehearsal',
  })),
  { verb: 'list', resource: 'events', mode: 'upgrade', why: 'say why a pod does not start' },
  {
    verb: 'create',
    resource: 'volumesnapshots',
    mode: 'upgrade',
    why: 'take the backup, the snapshot that proves it, and that of a rehearsal',
  },
  {
    verb: 'get',
    resource: 'volumesnapshots',
    mode: 'upgrade',
    why: 'wait for the snapshot, whose name has the time at which it was taken',
  },
  {
    verb: 'delete',
    resource: 'volumesnapshots',
    mode: 'upgrade',
    why: 'remove the snapshot that proved the backup; its name has the time at which it was taken',
  },
  {
    verb: 'get',
    resource: 'volumesnapshotcontents',
    mode: 'upgrade',
    why: 'see whether the backup is cut, and keep it in the storage (deletionPolicy). The snapshot controller makes the name',
  },
  {
    verb: 'patch',
    resource: 'volumesnapshotcontents',
    mode: 'upgrade',
    why: 'keep the backup in the storage (deletionPolicy). Have the storage asked again whether it is ready (an annotation). The snapshot controller makes the name',
  },
  {
    verb: 'create',
    resource: 'persistentvolumeclaims',
    mode: 'upgrade',
    why: 'make a copy of the volume, to prove the backup and to restore it; make the backup with `backup: clone` and `backup: copy`',
  },
  {
    verb: 'get',
    resource: 'persistentvolumeclaims',
    mode: 'upgrade',
    why: 'wait for a copy; with `backup: clone` and `backup: copy` its name has the time at which it was made',
  },
  {
    verb: 'delete',
    resource: 'persistentvolumeclaims',
    names: ({ claim }) => [claim, ...[copyName, rehearsalName].map((name) => name({ volume: { claimName: claim } }))],
    mode: 'upgrade',
    why: 'remove the copy, also that of a rehearsal; give the claim the restored volume',
  },
  {
    verb: 'patch',
    resource: 'persistentvolumeclaims',
    names: ({ claim }) => [claim],
    mode: 'upgrade',
    why: "remove the run's label from a claim that was created again",
  },
  {
    verb: 'get',
    resource: 'persistentvolumes',
    mode: 'upgrade',
    why: 'find the volume of a copy, whose name the provisioner makes',
  },
  {
    verb: 'patch',
    resource: 'persistentvolumes',
    mode: 'upgrade',
    why: 'keep the volume whatever happens to its claim (Retain); give the claim the restored volume, whose name the provisioner makes; mark a complete copy, and a volume that a restore replaced (annotations)',
  },
  {
    verb: 'list',
    resource: 'controllerrevisions',
    mode: 'upgrade',
    why: 'see which images PostgreSQL has had, before the action sets an image that a journal names',
  },
  { verb: 'list', resource: 'volumeattachments', mode: 'upgrade', why: 'wait for the volume to be detached' },
  { verb: 'create', resource: 'leases', mode: 'upgrade', why: 'keep other runs away' },
  { verb: 'get', resource: 'leases', names: lease, mode: 'upgrade', why: 'keep other runs away' },
  { verb: 'patch', resource: 'leases', names: lease, mode: 'upgrade', why: 'keep other runs away' },
  {
    verb: 'get',
    resource: 'deployments',
    names: applications('deployments'),
    mode: 'upgrade',
    why: 'watch the applications start',
  },
  {
    verb: 'patch',
    resource: 'deployments',
    names: applications('deployments'),
    mode: 'upgrade',
    why: 'stop and start the applications',
  },
  {
    verb: 'get',
    resource: 'statefulsets',
    names: statefulSets,
    mode: 'upgrade',
    why: 'watch PostgreSQL and the applications start',
  },
  {
    verb: 'patch',
    resource: 'statefulsets',
    names: statefulSets,
    mode: 'upgrade',
    why: 'stop and start PostgreSQL and the applications, set the image',
  },
  {
    verb: 'get',
    resource: 'cronjobs',
    names: applications('cronjobs'),
    mode: 'upgrade',
    why: "suspend the applications' CronJobs",
  },
  {
    verb: 'patch',
    resource: 'cronjobs',
    names: applications('cronjobs'),
    mode: 'upgrade',
    why: "suspend the applications' CronJobs",
  },
  {
    verb: 'get',
    resource: 'scaledobjects',
    names: applications('scaledobjects'),
    mode: 'upgrade',
    why: 'where KEDA is installed: pause what scales the applications',
    ifServed: true,
  },
  {
    verb: 'patch',
    resource: 'scaledobjects',
    names: applications('scaledobjects'),
    mode: 'upgrade',
    why: 'where KEDA is installed: pause what scales the applications',
    ifServed: true,
  },
];
