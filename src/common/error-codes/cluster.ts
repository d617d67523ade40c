import { failed, type CodeRow } from './end.ts';

/** The cluster could not be reached, refused a call or lacks what is needed. */
export const clusterCodes = {
  conflict: [
    failed,
    'Somebody else changed or made the same object at the same moment.',
    'Look at the object, then run again.',
  ],
  forbidden: [
    failed,
    "The kubeconfig's user lacks a right.",
    'Grant what the message names ([permissions](permissions.md)).',
  ],
  'foreign-answer': [
    failed,
    'Something else than an API server answers at the address, such as a proxy or a login page.',
    'Check the address in the kubeconfig, and what is between the runner and the cluster.',
  ],
  'image-unusable': [
    failed,
    "A probe can't start its image: it can't be pulled, or the container can't be made.",
    'Check the name of the image. PostgreSQL 14 needs a pull secret of the StatefulSet, the upgrade image one in `image-pull-secret` ([pull secrets](registries.md#pull-secrets)).',
  ],
  invalid: [
    failed,
    'The API server refuses the content of an object.',
    'The message names the field. A policy or an old version of Kubernetes may be the cause.',
  ],
  'namespace-gone': [failed, 'The namespace was deleted while the run looked at it.', 'Find out who deleted it.'],
  'no-address': [
    failed,
    "PostgreSQL's pod has no address, so the restore test can't reach the server.",
    'Wait until PostgreSQL runs, then run the checks again.',
  ],
  'no-date': [
    failed,
    'The answers of the API server do not say what time it is. The action needs that for its Lease.',
    'Look at the proxy between the runner and the API server: it removes the header `Date`.',
  ],
  'no-end': [
    failed,
    "A command in PostgreSQL's pod did not end within its limit.",
    'See what the server does: `SELECT * FROM pg_stat_activity;`.',
  ],
  'not-found': [
    failed,
    'An object that the run needs does not exist (any more).',
    'Check the name in the message, and who deleted it.',
  ],
  'not-served': [
    failed,
    'The cluster has no such API, mostly that of VolumeSnapshots.',
    'Install it, or take `backup: clone`, `backup: copy` or `backup: external`.',
  ],
  'probe-failed': [
    failed,
    'A probe ran in the image and ended with an error.',
    'See that it is an image of PostgreSQL; the message has the end of its log.',
  ],
  'probe-gone': [failed, 'Somebody deleted the pod of a probe.', 'Run the checks again.'],
  'probes-at-work': [
    failed,
    'All names for probes are taken: other runs are at work, or were killed.',
    'Wait some minutes: probes of a killed run end by themselves.',
  ],
  'psql-failed': [
    failed,
    "psql in PostgreSQL's pod ended with an error.",
    "The message has psql's words; look at the server's log too.",
  ],
  refused: [
    failed,
    'The API server refused a call, with a status that has no code of its own.',
    'The message has its words. A webhook or a policy is the usual cause.',
  ],
  'rehearsal-ended': [
    failed,
    'An upgrade began during the rehearsal, and removes what it made. Or the run could not renew its Lease in time. Production is as it was.',
    'Rehearse again when nothing else is at work, if PostgreSQL 12 still serves.',
  ],
  'rehearsal-foreign': [
    failed,
    'Something has a name that a rehearsal needs, and no rehearsal made it. It was left as it is.',
    'If nobody needs it, delete it as the message says. Then run again.',
  ],
  'server-error': [
    failed,
    'The API server answered with an error of its own (5xx), for longer than the action waits.',
    'Look at the control plane, then run again. An upgrade that had begun is resumed.',
  ],
  'snapshot-failed': [
    failed,
    'The VolumeSnapshot has reported an error for 5 min.',
    'Look at `kubectl describe volumesnapshot`, the CSI driver and the snapshot controller.',
  ],
  'snapshot-gone': [
    failed,
    'Somebody deleted the VolumeSnapshot while the run waited for it.',
    'Find out who deletes snapshots in this namespace.',
  ],
  'too-many-requests': [failed, 'The API server is overloaded, for longer than the action waits.', 'Run again later.'],
  unauthorized: [
    failed,
    'The API server does not accept the credentials, also after the kubeconfig was read again.',
    'Renew them with a lifetime longer than the upgrade, then run again.',
  ],
  unreachable: [
    failed,
    'The API server does not answer, or a program or file that the kubeconfig names is not on the runner.',
    'Check the address, the network and the proxy. Install what the message names. Then run again: an upgrade that had begun is resumed.',
  ],
  'volume-unreadable': [
    failed,
    "The action could not look at the volume in PostgreSQL's pod.",
    'See that the pod runs and that its image has a shell.',
  ],
  'volume-untried': [
    failed,
    'The trial on the volume (`probe-volume`) could not make its directory beside the data directory.',
    "See that the server's user may write there: the upgrade Job has to.",
  ],
} as const satisfies Readonly<Record<string, CodeRow>>;
