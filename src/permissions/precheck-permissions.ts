import { probeNames, probePrefix, probeRoles } from '../objects/probe-names.ts';
import { journalName } from '../objects/journal-name.ts';
import { leaseName } from '../objects/lease.ts';
import { rehearsalRecordName } from '../objects/rehearsal.ts';
import type { Permission } from './permission.ts';
import type { ServerNames } from '../target/server-names.ts';

const server = ({ statefulSet }: ServerNames) => [`${statefulSet}-0`];
const probes = () => probeRoles.flatMap((role) => probeNames(probePrefix(role)));
const startProbes = () => probeNames(probePrefix('start'));
const ifNamed = (name: string) => (name === '' ? [] : [name]);

/** Checks that ask the images. */
const ofImages = [
  'extensions',
  'images',
  'libraries',
  'locales-in-images',
  'restore-test',
  'serving-logins',
  'serving-start',
  'sort-order',
] as const;

/** All that a precheck asks of the API server, and why. */
export const precheckPermissions: readonly Permission[] = [
  // What every precheck needs to find the server, and to ask it.
  {
    verb: 'get',
    resource: 'namespaces',
    names: ({ namespace }) => [namespace],
    mode: 'precheck',
    why: 'find the namespace',
  },
  { verb: 'list', resource: 'statefulsets', mode: 'precheck', why: 'find PostgreSQL and the application layer' },
  { verb: 'list', resource: 'deployments', mode: 'precheck', why: 'find the application layer' },
  { verb: 'list', resource: 'cronjobs', mode: 'precheck', why: 'find the application layer' },
  {
    verb: 'list',
    resource: 'scaledobjects',
    mode: 'precheck',
    why: 'where KEDA is installed: find what scales the applications',
    ifServed: true,
  },
  {
    verb: 'get',
    resource: 'pods',
    names: (names) => [...server(names), ...probes()],
    mode: 'precheck',
    why: "find the server's pod, follow probes",
  },
  {
    verb: 'get',
    resource: 'persistentvolumeclaims',
    names: ({ claim }) => [claim],
    mode: 'precheck',
    why: 'find the volume',
  },
  {
    verb: 'get',
    resource: 'persistentvolumes',
    names: ({ volume }) => ifNamed(volume),
    mode: 'precheck',
    why: 'find the CSI driver',
  },
  {
    verb: 'get',
    resource: 'secrets',
    names: ({ secret }) => [secret],
    mode: 'precheck',
    why: "read the superuser's password",
  },
  // The exec subresource is opened by GET (WebSocket); newer API servers ask for create too.
  ...(['get', 'create'] as const).map((verb): Permission => ({
    verb,
    resource: 'pods',
    subresource: 'exec',
    names: (names) => [...server(names), ...startProbes()],
    mode: 'precheck',
    why: "run psql in the server's pod, and in the probe that starts PostgreSQL 14",
  })),
  // What a precheck can do without: the checks named are then unknown, or warn.
  {
    verb: 'list',
    resource: 'pods',
    mode: 'precheck',
    why: 'find the users of the volume and of the database',
    informs: ['clients', 'foreign-workloads', 'volume-users'],
  },
  {
    verb: 'get',
    resource: 'configmaps',
    names: () => [journalName, rehearsalRecordName],
    mode: 'precheck',
    why: 'find the journal of an earlier upgrade, and the result of the last rehearsal',
    informs: ['leftovers'],
    else: '`mode: status` and dry runs of an upgrade are refused',
  },
  {
    verb: 'list',
    resource: 'jobs',
    mode: 'precheck',
    why: 'find Jobs of an earlier upgrade',
    informs: ['leftovers'],
    else: '`mode: status` is refused',
  },
  {
    verb: 'get',
    resource: 'leases',
    names: () => [leaseName],
    mode: 'precheck',
    why: 'see whether another run is active',
    informs: [],
    else: '`mode: status` and dry runs of an upgrade are refused',
  },
  {
    verb: 'list',
    resource: 'volumesnapshotclasses',
    mode: 'precheck',
    why: 'find the VolumeSnapshotClass for the backup',
    informs: ['volume-snapshot'],
  },
  {
    verb: 'create',
    resource: 'pods',
    mode: 'precheck',
    why: 'probe the images; try the admission of the upgrade Job by a dry run',
    informs: ['admission', ...ofImages],
  },
  {
    verb: 'get',
    resource: 'pods',
    subresource: 'log',
    names: probes,
    mode: 'precheck',
    why: 'read the logs of probes',
    // Of the server that is tried, only one that does not start is asked for its log.
    informs: ofImages.filter((id) => !id.startsWith('serving-')),
  },
  {
    verb: 'delete',
    resource: 'pods',
    names: probes,
    mode: 'precheck',
    why: 'remove the probes',
    informs: [],
    else: 'ended probes stay until somebody removes them, and a later precheck finds no free name for its probes',
  },
  {
    verb: 'create',
    resource: 'jobs',
    mode: 'precheck',
    why: 'try the admission of the upgrade Job by a dry run',
    informs: ['admission'],
  },
  {
    verb: 'create',
    resource: 'volumesnapshots',
    mode: 'precheck',
    why: 'try the admission of the snapshot by a dry run',
    informs: ['admission'],
  },
  {
    verb: 'list',
    resource: 'volumesnapshots',
    mode: 'precheck',
    why: 'name the backups of earlier upgrades, which cost storage. Where no trusted journal names one, name those that a rollback could restore',
    informs: [],
    else: 'the action names no backups of earlier upgrades. The error of a rollback has a command that lists them',
  },
  {
    verb: 'list',
    resource: 'persistentvolumeclaims',
    mode: 'precheck',
    why: 'the same, where the backups were made with `backup: clone` or `backup: copy`',
    informs: [],
    else: 'the action names no such backups. The error of a rollback has a command that lists them',
  },
  {
    verb: 'create',
    resource: 'configmaps',
    mode: 'precheck',
    why: 'try the admission of the journal by a dry run',
    informs: ['admission'],
  },
  {
    verb: 'create',
    resource: 'persistentvolumeclaims',
    mode: 'precheck',
    why: 'try the admission of a copy of the volume by a dry run',
    informs: ['admission'],
  },
  {
    verb: 'list',
    resource: 'secrets',
    mode: 'precheck',
    why: "see whether a change by Helm is under way. The action asks only for the metadata of Helm's Secrets, but the right is wider",
    informs: ['helm-release'],
  },
  {
    verb: 'get',
    resource: 'storageclasses',
    names: ({ storageClass }) => ifNamed(storageClass),
    mode: 'precheck',
    why: 'see whether a copy of the volume can be made, and whether it can be enlarged',
    informs: ['storage-class'],
    without: 'warning',
  },
  {
    verb: 'list',
    resource: 'nodes',
    mode: 'precheck',
    why: 'see which nodes can attach the volume and accept the upgrade Job',
    informs: ['placement'],
    without: 'warning',
  },
  {
    verb: 'list',
    resource: 'poddisruptionbudgets',
    mode: 'precheck',
    why: "see which PodDisruptionBudgets cover the server's pod",
    informs: ['placement'],
    without: 'warning',
  },
  {
    verb: 'list',
    resource: 'networkpolicies',
    mode: 'precheck',
    why: 'give the pod of the restore test the labels that a NetworkPolicy admits. Or name the NetworkPolicy that keeps it from the server',
    informs: ['restore-test'],
    without: 'warning',
  },
  {
    verb: 'list',
    resource: 'services',
    mode: 'precheck',
    why: 'give the pod of the restore test no label by which a Service would send it requests',
    informs: ['restore-test'],
    without: 'warning',
  },
  {
    verb: 'list',
    resource: 'applications',
    mode: 'precheck',
    why: 'where an object has a mark of Argo CD: see whether Argo CD is paused',
    ifServed: true,
    everywhere: true,
    informs: ['gitops'],
  },
  ...(['helmreleases', 'kustomizations'] as const).map((resource): Permission => ({
    verb: 'get',
    resource,
    mode: 'precheck',
    why: 'where an object has a mark of Flux: see whether Flux is suspended',
    ifServed: true,
    everywhere: true,
    informs: ['gitops'],
  })),
];
