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

/** Names that the documented way of upgrading, or a try of ours, leaves beside the data directory. */
const leftoverNames = ['data-12', 'data-14', 'data-12.preupgrade', 'upgrade-logs', '.postgresql-upgrade'];
const harmlessLeftovers = ['upgrade-logs', '.postgresql-upgrade'];

const retained = JSON.stringify({ spec: { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Retain' } } });

/** What is possible where the volume can't be snapshotted. The vendor's own backup is Velero's, of the volume's files. */
function withoutSnapshots(instead: string, namespace: string): Remedy {
  const backup = shell`velero backup create before-postgresql-14 --include-namespaces ${namespace} --wait`;
  const text = `${instead}\nFor that set "transfer" to copy, "backup" to external and "confirm-external-backup" to ${namespace}. The files of PostgreSQL 12 then stay whole beside those of PostgreSQL 14, and a revert and a rollback rename them back. The volume needs room for a second copy of the data (check free-space). They are on the same volume, so take a backup outside of it before the upgrade. Velero copies one file after the other, so stop the applications first.`;
  return shellRemedy(text, backup);
}

export const clusterChecks: readonly Check[] = [
  {
    id: 'admission',
    title: 'Admission of the upgrade Job, its pod and the backup',
    expected: 'The cluster admits the upgrade Job, its pod and the backup',
    subject: 'cluster',
    why: 'Pod Security, quotas and webhooks refuse at the moment of creation. Each object is created as a server-side dry run, the pod of the Job too, since that is what Pod Security judges.',
    run: ({ refused }) =>
      judgeFact(refused, (list) =>
        list.length === 0
          ? passed('dry runs of the Job, its pod and the objects of the backup were accepted')
          : failed('Change the policy, quota or webhook that refuses it, or the input "resources".', ...list),
      ),
  },
  {
    id: 'volume-snapshot',
    title: 'Snapshots of the volume',
    expected: 'The volume can be snapshotted',
    subject: 'cluster',
    why: 'After 14 has served on linked files, the snapshot is the way back. Not asked with `backup: clone` and `backup: external`.',
    applies: ({ inputs }) => inputs.backup === 'snapshot',
    run: ({ snapshotClass, target, inputs }) =>
      judgeFact(snapshotClass, ({ driver, chosen, candidates }) => {
        if (driver === undefined)
          return failed(
            withoutSnapshots(
              'Move the data to a volume of a CSI driver that can take snapshots, or upgrade without them.',
              target.namespace,
            ),
            `volume ${target.volume.claimName} is not one of a CSI driver`,
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
                `If ${driver} can take snapshots, make a VolumeSnapshotClass for it, or upgrade without snapshots.`,
                target.namespace,
              )
            : 'Set "volume-snapshot-class" to one of them.',
          candidates.length === 0
            ? `no VolumeSnapshotClass is there for ${driver}`
            : `several VolumeSnapshotClasses fit ${driver}, none is the default: ${candidates.join(', ')}`,
        );
      }),
  },
  {
    id: 'volume-claim',
    title: 'PersistentVolumeClaim of the server',
    expected: 'The claim is bound, and scaling down keeps it',
    subject: 'cluster',
    why: 'A StatefulSet can be told to delete its claims when it is scaled to 0, as the upgrade does.',
    run({ target }) {
      const { claim, claimName, persistentVolume } = target.volume;
      const phase = claim.status?.phase ?? 'unknown';
      if (phase !== 'Bound' || persistentVolume === undefined)
        return failed(
          'Look at the events of the claim.',
          `PersistentVolumeClaim ${claimName} is ${phase}, its volume is ${persistentVolume === undefined ? 'not to be seen' : 'there'}`,
        );
      if (claim.metadata?.deletionTimestamp !== undefined)
        return failed(
          'Take a backup first. The claim goes with the next stop of PostgreSQL, and its volume with it unless that retains: move the data to a claim that stays.',
          `PersistentVolumeClaim ${claimName} is being deleted`,
        );
      const whenScaled = target.statefulSet.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled ?? 'Retain';
      if (whenScaled !== 'Retain')
        return failed(
          shellRemedy(
            'Have it keep the claim, which restarts nothing.',
            shell`kubectl -n ${target.namespace} patch statefulset ${target.name} -p ${retained}`,
          ),
          `StatefulSet ${target.name} deletes its claim when it is scaled down (whenScaled: ${whenScaled})`,
        );
      const { persistentVolumeReclaimPolicy: policy = 'Delete' } = persistentVolume.spec ?? {};
      return passed(
        `PersistentVolumeClaim ${claimName} is bound to ${persistentVolume.metadata?.name ?? '?'}, access ${claim.spec?.accessModes?.join(', ') ?? 'unknown'}`,
        policy === 'Retain'
          ? 'the volume stays whatever happens to its claim (Retain)'
          : `the volume goes with its claim (${policy}): the upgrade sets Retain until it is done`,
      );
    },
  },
  {
    id: 'volume-users',
    title: 'Other pods on the volume',
    expected: 'No other pod uses the volume',
    subject: 'cluster',
    why: 'Two pods on one node can mount the same volume. A second server on the data directory destroys it.',
    run: ({ otherVolumeUsers, target }) =>
      judgeFact(otherVolumeUsers, (pods) =>
        pods.length === 0
          ? passed(`only ${target.podName} mounts ${target.volume.claimName}`)
          : failed('Scale them down.', ...pods.map((p) => `pod ${p} mounts ${target.volume.claimName}`)),
      ),
  },
  {
    id: 'leftovers',
    title: 'Leftovers of an earlier upgrade',
    expected: 'Nothing is left of an earlier upgrade',
    subject: 'cluster',
    why: 'Directories of an earlier try hold data that might be the only copy. Nothing of it is deleted here.',
    run: ({ files, leftoverObjects, target }) =>
      judgeFact(files, (seen) =>
        judgeFact(leftoverObjects, (objects) => {
          const found = seen.entries.filter((entry) => leftoverNames.includes(entry.slice(entry.lastIndexOf('/') + 1)));
          const serious = found.filter((entry) => !harmlessLeftovers.includes(entry.slice(entry.lastIndexOf('/') + 1)));
          const clusters = objects.length === 0 ? judgeClusters(seen.clusters, target) : undefined;
          if (clusters !== undefined) return clusters;
          const evidence = [...serious, ...objects];
          if (evidence.length > 0) {
            return failed(
              `If the journal is unfinished, run "mode: upgrade": it goes on with that upgrade. Otherwise look into them (${copyable(shell`kubectl -n ${target.namespace} exec ${target.podName} -- ls -la ${target.volume.mountPath}`)}). Remove what you are sure of: data-14 of a failed try, the ended Job, and data-12.preupgrade once you no longer need it.`,
              ...evidence.map((e) => `left over: ${e}`),
            );
          }
          return passed(found.length === 0 ? 'nothing is left over' : `only logs: ${found.join(', ')}`);
        }),
      ),
  },
  {
    id: 'applications',
    title: 'Workloads of the application layer',
    expected: 'The application layer is known',
    subject: 'cluster',
    why: 'It is stopped during the upgrade and brought back as it was. If no workload carries the label, nothing would be stopped.',
    run({ target, inputs }) {
      if (target.applications.length === 0)
        return unknown(
          'Set "application-selector" to the label of the application layer.',
          `no Deployment, StatefulSet or CronJob in namespace ${target.namespace} matches ${inputs.applicationSelector}`,
        );
      const evidence = target.applications.map((w) => `${workloadName(w)}: ${workloadState(w)}`);
      const running = target.applications.some((w) => isScaled(w) && w.replicas > 0);
      return running
        ? passed(...evidence)
        : warning(
            'If the applications should run, scale them up before the upgrade: they are brought back exactly as they are found.',
            'every workload is at 0 replicas',
            ...evidence,
          );
    },
  },
];
