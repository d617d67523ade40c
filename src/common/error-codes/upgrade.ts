import { failed, interrupted, leftAsItIs, reverted, type CodeRow } from './end.ts';

/** A step of the upgrade failed. */
export const upgradeCodes = {
  'answer-missing': [
    failed,
    'psql did not print which libraries the server loads.',
    'Let the database template1 accept connections.',
  ],
  'applications-not-back': [
    failed,
    'PostgreSQL 14 serves with the same data, but not all applications are ready again.',
    'Look at the pods that the message names. If it is not a limit that was reached, run `mode: upgrade` again.',
  ],
  'applications-started': [
    failed,
    'Somebody else started applications while PostgreSQL was stopped.',
    'Let no `helm upgrade` and no deployment run until the upgrade has ended, then run again.',
  ],
  'backup-foreign': [
    failed,
    'The backup that the journal or `confirm` names was not made by this action of this volume. Nothing was restored.',
    'Name another one: `confirm: NAMESPACE from NAME`. The message lists those that there are.',
  ],
  'backup-gone': [
    failed,
    'The backup does not exist any more. Nothing was restored.',
    'Find out who deleted it. Name another one: `confirm: NAMESPACE from NAME`.',
  ],
  'claim-foreign': [
    failed,
    'A PersistentVolumeClaim that the action did not make has the name that its copy needs. It was left alone.',
    'Remove it if nobody needs it, then run again.',
  ],
  'claim-lost': [
    failed,
    "PostgreSQL's claim was deleted, or has another volume. The data is on the volume, which is kept.",
    'Keep PostgreSQL stopped. The message has the commands that give the volume back to the claim.',
  ],
  'claim-missing': [
    failed,
    "A restore was interrupted, there is no claim, and nothing that can be trusted shows which volume is the server's. Nothing was changed.",
    'Keep PostgreSQL stopped. The message has the commands that list the volumes and give one to the claim.',
  ],
  'claim-taken': [
    failed,
    'During a restore somebody else made the claim again, with another volume.',
    'Delete that claim and run again. The scheduling gate keeps PostgreSQL stopped meanwhile.',
  ],
  'claim-unbound': [
    failed,
    "PostgreSQL's claim, or the copy of the backup, has no volume.",
    'Find out who changed them. The backup is still there: run again.',
  ],
  'client-came-back': [
    failed,
    'A client connected to PostgreSQL again after the applications were stopped.',
    'Stop it, or give its workload the label in `application-selector`.',
  ],
  'copy-does-not-start': [
    failed,
    'PostgreSQL 12 does not start on a copy of the volume. Such a backup is none.',
    "Look at the log and at the storage. The server's own volume was not touched.",
  ],
  'copy-failed': [
    failed,
    'The Job could not copy a volume (`backup: copy`), or try what a copy needs.',
    "Look at the Job's log in the run, at the StorageClass and at the room. The volume that was to be copied was only read.",
  ],
  'data-differs': [
    failed,
    'PostgreSQL 14 does not have what was measured before the upgrade.',
    'Look at what differs. A client that wrote while the applications were stopped is the usual cause, or a background worker of an extension.',
  ],
  'ended-meanwhile': [
    failed,
    'Another run completed the upgrade just now. This one changed nothing.',
    'Run again: it says what serves.',
  ],
  'gate-dropped': [
    failed,
    'The API server does not know scheduling gates, so PostgreSQL could be started in the middle of the upgrade.',
    'Use Kubernetes 1.27 or later.',
  ],
  'image-changed': [
    interrupted,
    'Somebody else set another image on the StatefulSet while the run waited for PostgreSQL.',
    'Stop deployments, then run again: the run resumes.',
  ],
  'image-moved': [
    failed,
    'A container runs another image than the checks saw under the same tag.',
    'Find out who moved the tag. Name the image by its digest ([registries](registries.md#digests)).',
  ],
  'image-unconfirmed': [
    failed,
    'The journal names an image that neither the inputs nor the cluster know. Nothing was changed.',
    'If the image is right, name it as the message says.',
  ],
  'job-cannot-start': [
    failed,
    "The pod of a Job can't start: its image, its pull secret or its container is wrong.",
    'Check the image and the pull secret ([registries](registries.md)).',
  ],
  'job-failed': [
    failed,
    'pg_upgrade, or the Job around it, failed. The message has the sentence that matters.',
    'Do what the sentence says. The whole logs are in `upgrade-logs` on the volume.',
  ],
  'job-foreign': [
    failed,
    'A Job of the name that the action needs is there, and the action did not make it. It was left alone.',
    'Look at it. If it has ended and nobody needs it, delete it, then run again.',
  ],
  'job-pod-gone': [
    failed,
    'Somebody deleted the Job, or its pod, before its result was read.',
    'Run again: the run sees on the volume how far the Job came.',
  ],
  'job-still-runs': [
    interrupted,
    'A Job is at work on the volume. The action does not interrupt it.',
    'Never delete it. Run again: the run follows it.',
  ],
  'journal-changed': [
    failed,
    'Somebody else changed the journal while this run worked with it.',
    'Find out who writes to that ConfigMap, then run `mode: status`.',
  ],
  'journal-foreign': [
    failed,
    'The journal describes another server, or names workloads that the selector does not select. Nothing was changed.',
    'Set the inputs as that upgrade had them; the message names them.',
  ],
  'journal-gone': [
    failed,
    'An upgrade has not ended, and its journal is missing. Nothing was changed.',
    'Restore the ConfigMap from a backup of the cluster, or run `mode: rollback` with `confirm: NAMESPACE without the journal`.',
  ],
  'journal-immutable': [
    failed,
    'Somebody made the journal immutable, and the action could not create it again.',
    'The message has the command that creates it again.',
  ],
  'journal-invalid': [
    failed,
    "The journal can't be read. Nothing was changed.",
    'Run the version of the action that began the upgrade, or `mode: rollback` with `confirm: NAMESPACE without the journal`.',
  ],
  'journal-not-authentic': [
    failed,
    "The seal of the journal does not match: somebody wrote to it, or the superuser's Secret was changed since. Nothing was changed.",
    'Restore the former value of the Secret, and run again. Or run `mode: rollback` with `confirm: NAMESPACE without the journal`.',
  ],
  'journal-replayed': [
    failed,
    'Somebody replaced the journal by an older one. Nothing was changed.',
    'Restore the newest one, or run `mode: rollback` with `confirm: NAMESPACE without the journal`.',
  ],
  'journal-unwritable': [
    failed,
    "What the journal has to hold is too long or has a form that it can't hold. The upgrade was not begun.",
    'Change what the message names, or report it with the log.',
  ],
  'lease-foreign': [
    failed,
    'Somebody else wrote the Lease: it is dated in the future. Nothing was changed.',
    'If no run is at work, find out who wrote it, then delete it: `kubectl -n NAMESPACE delete lease postgresql-upgrade-12-to-14`.',
  ],
  'lease-lost': [
    leftAsItIs,
    'This run did not renew its Lease in time, and another run may have taken over. This one does nothing more.',
    'Follow the run that the message names, or run `mode: status`.',
  ],
  'let-in-by-others': [
    interrupted,
    'After PostgreSQL 14 was started, somebody else started applications. A revert would lose what they wrote, so PostgreSQL 14 stays.',
    'Stop deployments. `mode: upgrade` completes the upgrade; `mode: rollback` says what a rollback would lose.',
  ],
  'node-silent': [
    leftAsItIs,
    'The node on which the Job was at work has stopped reporting. It is unknown whether the Job still runs, so the action starts nothing on the volume.',
    'Bring the node back, or say that it is switched off, with the command in the message. Then run again.',
  ],
  'not-measured': [
    failed,
    'The journal does not have the measurement before the upgrade, so the data can not be compared.',
    'Run the upgrade again: it measures again.',
  ],
  'not-rolled-back': [
    failed,
    'A rollback failed before it changed the data. PostgreSQL 14 still serves.',
    'Do what the message says, then run `mode: rollback` again.',
  ],
  'nothing-to-roll-back': [
    failed,
    'There is no upgrade in this namespace, or it was reverted already.',
    'Run `mode: status`.',
  ],
  'revert-failed': [
    failed,
    'The Job that restores PostgreSQL 12 failed. It deleted nothing that is needed.',
    'Keep PostgreSQL stopped. Look at the log, remove the cause (a full volume, mostly), then run `mode: upgrade` again.',
  ],
  reverted: [
    reverted,
    'The upgrade failed, and the action restored PostgreSQL 12. The applications are as they were before, and nothing was lost.',
    'The message has the cause. Fix it, then run again.',
  ],
  served: [
    failed,
    'PostgreSQL 14 was started on files that it shares with PostgreSQL 12. The journal names no backup in the cluster. The applications are still stopped.',
    'Restore your own backup, or name one of the action: `confirm: NAMESPACE from NAME`. The data of PostgreSQL 14 is on the volume.',
  ],
  'server-does-not-start': [
    failed,
    "PostgreSQL's container ended at least twice. The message has the end of its log.",
    'See the symptom "PostgreSQL does not start" above.',
  ],
  'server-runs': [
    failed,
    "PostgreSQL's pod runs while the Job needs the volume. Nothing was done to the volume.",
    'Find out who started it in spite of the scheduling gate.',
  ],
  'snapshot-foreign': [
    failed,
    'The journal names a VolumeSnapshot that this action did not make of this volume. It was left alone.',
    'Find out who changed the snapshots or the journal, then run `mode: status`.',
  ],
  'statefulset-gone': [
    failed,
    'Somebody deleted the StatefulSet. The data is on the volume.',
    'Find out who deleted it. Deploy it again with 0 replicas, so that PostgreSQL does not start. Then run `mode: status`.',
  ],
  'statistics-pending': [
    interrupted,
    'The run was cancelled while it rebuilt the statistics. PostgreSQL 14 serves with the same data, and the applications are restarted.',
    'Run `mode: upgrade` again: it completes the statistics.',
  ],
  'transfer-differs': [
    failed,
    'The Job transferred the files in another way than the input `transfer` says. The action keeps nothing of it.',
    'Use one version of the action as a whole.',
  ],
  'unexpected-output': [
    failed,
    "psql printed something that is no answer to the action's question.",
    'Look for a setting that makes clients of the server print more than rows.',
  ],
  'unfinished-upgrade': [
    failed,
    'An earlier upgrade has not ended, so no new one begins.',
    'Run `mode: upgrade` again: it resumes that one.',
  ],
  'upgrade-held': [
    failed,
    'Another run is at work on this server: it renewed the Lease while this one waited for it.',
    'Wait until that run has ended, then run again.',
  ],
  'upgrade-obstacle': [
    failed,
    "Since the checks something appeared that pg_upgrade can't take, such as a prepared transaction or a replication slot.",
    'Do what the message says, then run again.',
  ],
  'volume-foreign': [
    failed,
    "The journal names a PersistentVolume that is not the server's. It was left alone.",
    'Find out who changed the claims or the journal, then run `mode: status`.',
  ],
  'volume-given': [
    failed,
    'Kubernetes gave the claim for the copy of the backup a free volume that existed before, and not a copy. The volume was kept.',
    'Look at what that volume holds. Then run again: it is free no more, so the storage makes a copy.',
  ],
  'volume-gone': [
    failed,
    'The PersistentVolume does not exist any more.',
    'Find out who deleted it. The storage may still have its data.',
  ],
  'volume-in-use': [
    failed,
    "Another pod uses PostgreSQL's claim.",
    'Scale down what the message names, then run again.',
  ],
  'way-back-failed': [
    failed,
    'The action began to restore PostgreSQL 12 and could not complete it. PostgreSQL and the applications may be stopped.',
    'Do what the message says, then run `mode: upgrade` again: it resumes the revert or rollback. Do not start PostgreSQL by hand.',
  ],
  'wrong-server': [
    failed,
    'The server answers with another major version than it should have.',
    'Check the image: its tag does not say for sure what is in it.',
  ],
} as const satisfies Readonly<Record<string, CodeRow>>;
