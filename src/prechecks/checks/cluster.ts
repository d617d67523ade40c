import { isScaled, workloadName, workloadState } from '../../target/applications.ts';
import { judgeClusters } from './leftovers.ts';
import {
  copyable,
  failed,
  judgeFact,
  passed,
  shell,
  shellRemedy,
  unknown,
  warning,
  type Remedy,
} from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

/** Names that the vendor's procedure, or an upgrade by this action, leaves beside the data directory. */
const leftoverNames = ['data-12', 'data-14', 'data-12.preupgrade', 'upgrade-logs', '.postgresql-upgrade'];
const harmlessLeftovers = ['upgrade-logs', '.postgresql-upgrade'];

const retained = JSON.stringify({ spec: { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Retain' } } });

/** The way to upgrade where no snapshot of the volume can be taken. The vendor backs up with Velero, which copies the files of the volume. */
function withoutSnapshots(instead: string, namespace: string): Remedy {
  const backup = shell`velero backup create before-postgresql-14 --include-namespaces ${namespace} --wait`;
  const text = `${instead}\nTo upgrade without snapshots, set "backup" to copy. A Job then copies the stopped server's volume to a second one, which takes its time in the downtime. Or set "transfer" to copy, "backup" to external and "confirm-external-backup" to ${namespace}. The files of PostgreSQL 12 then stay whole beside those of PostgreSQL 14. A revert or a rollback renames them back. The volume then needs room for a second copy of the data (check free-space). Both are on the same volume, so take a backup outside of it before the upgrade. Velero copies one file after the other, so stop the applications first.`;
  return shellRemedy(text, backup);
}

const admitted = 'Change the policy, quota or webhook that refuses the object, or the input "resources".';

export const clusterChecks: readonly Check[] = [
  {
    id: 'admission',
    title: 'Admission of the upgrade Job, its pod and the backup',
    expected: 'The cluster admits the upgrade Job, its pod and the backup',
    subject: 'cluster',
    why: 'Pod Security, quotas and webhooks refuse an object when it is created. The check creates each object as a server-side dry run. The pod of the Job is one of them, because Pod Security judges the pod.',
    advice: admitted,
    run: ({ refused }) =>
      judgeFact(refused, (list) =>
        list.length === 0
          ? passed('dry runs of the Job, its pod and the objects of the backup were accepted')
          : failed(admitted, ...list),
      ),
  },
  {
    id: 'volume-snapshot',
    title: 'Snapshots of the volume',
    expected: 'The cluster can take a VolumeSnapshot of the volume',
    subject: 'cluster',
    why: 'Once PostgreSQL 14 has served on linked files, only the snapshot restores PostgreSQL 12. Not asked with `backup: clone`, `backup: copy` and `backup: external`.',
    advice:
      'Set "volume-snapshot-class" to a class of the volume\'s driver, or create one. If the driver can take no snapshots, move the data to a volume of a driver that can. To upgrade without snapshots, set "backup" to copy. Or set "transfer" to copy, "backup" to external and "confirm-external-backup" to the namespace. Then take a backup outside of the volume first.',
    applies: ({ inputs }) => inputs.backup === 'snapshot',
    run: ({ snapshotClass, target, inputs }) =>
      judgeFact(snapshotClass, ({ driver, chosen, candidates }) => {
        if (driver === undefined)
          return failed(
            withoutSnapshots(
              'Move the data to a volume of a CSI driver that can take snapshots, or upgrade without them.',
              target.namespace,
            ),
            `the volume of PersistentVolumeClaim ${target.volume.claimName} has no CSI driver`,
          );
        if (chosen !== undefined)
          return passed(
            `VolumeSnapshotClass ${chosen.metadata.name} (${driver}, deletionPolicy ${chosen.deletionPolicy})`,
          );
        if (inputs.volumeSnapshotClass !== '')
          return failed(
            `Set "volume-snapshot-class" to a class of ${driver}.`,
            `there is no VolumeSnapshotClass ${inputs.volumeSnapshotClass} of ${driver}`,
          );
        return failed(
          candidates.length === 0
            ? withoutSnapshots(
                `If ${driver} can take snapshots, create a VolumeSnapshotClass for it. Otherwise upgrade without snapshots.`,
                target.namespace,
              )
            : 'Set "volume-snapshot-class" to one of these classes.',
          candidates.length === 0
            ? `there is no VolumeSnapshotClass of ${driver}`
            : `several VolumeSnapshotClasses are of ${driver}, and none is the default: ${candidates.join(', ')}`,
        );
      }),
  },
  {
    id: 'volume-claim',
    title: 'PersistentVolumeClaim of the server',
    expected: 'The claim is bound, and scaling down keeps it',
    subject: 'cluster',
    why: 'A StatefulSet may be set to delete its PersistentVolumeClaims when it is scaled to 0, which the upgrade does.',
    advice:
      'Have the StatefulSet keep its claims; the check prints the command, which restarts nothing. Where the claim is not bound, find the reason in its events. Where the claim is being deleted, take a backup and move the data to another claim.',
    run({ target }) {
      const { claim, claimName, persistentVolume } = target.volume;
      const phase = claim.status?.phase ?? 'unknown';
      if (phase !== 'Bound' || persistentVolume === undefined)
        return failed(
          `Find the reason in the events of the claim: ${copyable(shell`kubectl -n ${target.namespace} describe persistentvolumeclaim ${claimName}`)}`,
          `PersistentVolumeClaim ${claimName} is ${phase}, its PersistentVolume ${persistentVolume === undefined ? 'was not found' : 'exists'}`,
        );
      if (claim.metadata?.deletionTimestamp !== undefined)
        return failed(
          "Take a backup first. Kubernetes deletes the claim at the next stop of PostgreSQL. It deletes the volume too, unless the volume's reclaim policy is Retain. Move the data to a claim that is not being deleted.",
          `PersistentVolumeClaim ${claimName} is being deleted`,
        );
      const whenScaled = target.statefulSet.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled ?? 'Retain';
      if (whenScaled !== 'Retain')
        return failed(
          shellRemedy(
            'Have the StatefulSet keep its claim. The command restarts nothing.',
            shell`kubectl -n ${target.namespace} patch statefulset ${target.name} -p ${retained}`,
          ),
          `StatefulSet ${target.name} deletes its claim when it is scaled down (whenScaled: ${whenScaled})`,
        );
      const { persistentVolumeReclaimPolicy: policy = 'Delete' } = persistentVolume.spec ?? {};
      return passed(
        `PersistentVolumeClaim ${claimName} is bound to ${persistentVolume.metadata?.name ?? '?'}, access ${claim.spec?.accessModes?.join(', ') ?? 'unknown'}`,
        policy === 'Retain'
          ? 'Kubernetes keeps the volume if its claim is deleted (Retain)'
          : `Kubernetes deletes the volume with its claim (${policy}): the upgrade sets Retain until it is done`,
      );
    },
  },
  {
    id: 'volume-users',
    title: 'Other pods on the volume',
    expected: 'No other pod uses the volume',
    subject: 'cluster',
    why: 'Two pods on one node can mount the same volume. A second server on the data directory destroys it.',
    advice:
      'Stop what each pod belongs to. Let a backup that runs end. Scale a Deployment or StatefulSet to 0 replicas, suspend a CronJob, and delete a pod that belongs to nothing. Undo that after the upgrade.',
    run: ({ otherVolumeUsers, target }) =>
      judgeFact(otherVolumeUsers, (pods) =>
        pods.length === 0
          ? passed(`only ${target.podName} mounts ${target.volume.claimName}`)
          : failed(
              shellRemedy(
                'The command shows what each pod belongs to ("Controlled By"). Let a backup that runs end. Scale a Deployment or StatefulSet to 0 replicas, suspend a CronJob, and delete a pod that belongs to nothing. Undo that after the upgrade.',
                shell`kubectl -n ${target.namespace} describe pods ${pods}`,
              ),
              ...pods.map((p) => `pod ${p} mounts ${target.volume.claimName}`),
            ),
      ),
  },
  {
    id: 'leftovers',
    title: 'Leftovers of an earlier upgrade',
    expected: 'Nothing is left of an earlier upgrade',
    subject: 'cluster',
    why: 'Directories of an earlier try may hold the only copy of the data. The check deletes nothing.',
    advice:
      'If the journal is unfinished, run `mode: upgrade`: it completes or reverts that upgrade. Otherwise look at the directories, and remove only what you are sure of. Where several directories hold clusters, delete nothing. The check says which one has the data, and prints the commands that put it in its place.',
    run: ({ files, leftoverObjects, keptData, target }) =>
      judgeFact(files, (seen) =>
        judgeFact(leftoverObjects, (objects) => {
          const found = seen.entries.filter((entry) => leftoverNames.includes(entry.slice(entry.lastIndexOf('/') + 1)));
          const serious = found.filter((entry) => !harmlessLeftovers.includes(entry.slice(entry.lastIndexOf('/') + 1)));
          const clusters = objects.length === 0 ? judgeClusters(seen.clusters, target) : undefined;
          if (clusters !== undefined) return clusters;
          const evidence = [...serious, ...objects];
          if (evidence.length > 0) {
            return failed(
              `If the journal is unfinished, run "mode: upgrade": it completes or reverts that upgrade. Otherwise look at the directories (${copyable(shell`kubectl -n ${target.namespace} exec ${target.podName} -- ls -la ${target.volume.mountPath}`)}). Remove only what you are sure of: data-14 of a failed try, and the ended Job. Remove data-12.preupgrade when nobody needs it.`,
              ...evidence.map((e) => `left over: ${e}`),
            );
          }
          const kept = keptData.known ? keptData.value : [];
          return passed(
            found.length === 0 ? 'nothing is left over' : `only logs: ${found.join(', ')}`,
            ...kept.map(({ kind, name }) => `${kind} ${name} of an earlier upgrade costs storage`),
          );
        }),
      ),
  },
  {
    id: 'applications',
    title: 'Workloads of the application layer',
    expected: 'The action finds the workloads of the application layer',
    subject: 'cluster',
    why: 'The upgrade stops the application layer, and restarts it with the replicas that it had. If no workload carried the label, the upgrade would stop nothing.',
    advice:
      'Set "application-selector" to the label of the application layer. If the applications should run after the upgrade, scale them up before it.',
    run({ target, inputs }) {
      if (target.applications.length === 0)
        return unknown(
          `Set "application-selector" to the label of the application layer: ${copyable(shell`kubectl -n ${target.namespace} get deployments,statefulsets,cronjobs --show-labels`)}`,
          `no Deployment, StatefulSet or CronJob in namespace ${target.namespace} matches ${inputs.applicationSelector}`,
        );
      const evidence = target.applications.map((w) => `${workloadName(w)}: ${workloadState(w)}`);
      const running = target.applications.some((w) => isScaled(w) && w.replicas > 0);
      return running
        ? passed(...evidence)
        : warning(
            'If the applications should run, scale them up before the upgrade: it restarts them with the replicas that it finds.',
            'every workload is at 0 replicas',
            ...evidence,
          );
    },
  },
];
