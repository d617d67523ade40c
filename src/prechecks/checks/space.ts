import type { Transfer } from '../../inputs/transfer.ts';
import type { Facts } from '../../facts/facts.ts';
import {
  copyable,
  failed,
  judgeFact,
  passed,
  shell,
  remedyAfter,
  shellRemedy,
  warning,
  type Remedy,
} from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';
import type { TransferMode, VolumeFiles } from '../../database/volume-files.ts';

export const spaceChecks: readonly Check[] = [
  {
    id: 'free-space',
    title: 'Free space on the volume',
    expected: 'The volume has room for the new system catalogs',
    subject: 'target',
    why: 'Where there is too little room, the upgrade Job refuses to begin, in the downtime. The check uses the numbers of the Job. They are 100 MB, three WAL segments, the transaction status, and the catalogs. For the catalogs the check adds a quarter, and counts at least 9.5 MB for each database. Reflinks need room for their own records. `transfer: copy` needs room for all data once more. The server writes on until the upgrade. So the check warns where less than twice the room for what is not data is free.',
    advice:
      "Enlarge the PersistentVolumeClaim; the check prints the command. If the driver can't enlarge volumes, move the data to a larger volume (restore a backup to it). Or remove what nobody needs. Where inodes are missing, remove files that nobody needs, or move the data to a volume with more inodes.",
    run: ({ inputs, files, databases, volumeTrial, target, storageClass }) =>
      judgeFact(files, (seen) =>
        judgeFact(databases, (list) => {
          const modes = modesOf(inputs.transfer, seen.filesystem, volumeTrial);
          const [sure, last] = [seen.room[modes[0]], seen.room[modes[1] ?? modes[0]]];
          const free = seen.freeBytes / 1024;
          const evidence = `${megabytes(free)} MiB free, about ${megabytes(sure.kilobytes)} MiB needed for ${String(list.length)} databases (transfer mode ${modes[0]}: ${megabytes(seen.data.kilobytes)} MiB of data in ${String(seen.data.files)} files)`;
          const { freeInodes } = seen;
          const enlarge = enlarged(seen, { target, storageClass }, last.kilobytes);
          if (freeInodes !== undefined && freeInodes < sure.inodes)
            return failed(
              'Remove files that nobody needs from the volume, or move the data to a volume with more inodes.',
              `${String(freeInodes)} inodes free, about ${String(sure.inodes)} needed for ${String(list.length)} databases`,
              evidence,
            );
          if (free < sure.kilobytes) return failed(enlarge, evidence);
          if (free < last.kilobytes || (freeInodes !== undefined && freeInodes < last.inodes))
            return warning(
              remedyAfter(
                'Set "probe-volume" to true: the check then shows whether the volume makes reflinks or hard links. If it makes neither, make room.',
                enlarge,
              ),
              `if a volume of ${seen.filesystem} makes neither reflinks nor hard links, the Job copies all data. It then needs about ${megabytes(last.kilobytes)} MiB and ${String(last.inodes)} inodes`,
              evidence,
            );
          const spare = seen.room.link.kilobytes;
          return free < last.kilobytes + spare
            ? warning(remedyAfter('The upgrade may begin. To be on the safe side, make room first.', enlarge), evidence)
            : passed(evidence);
        }),
      ),
  },
];

/** As `stat -f` calls those that make hard links and no reflinks. */
const linking = ['ext2/ext3', 'f2fs', 'jfs', 'reiserfs', 'tmpfs'];
/** These make hard links, and reflinks perhaps. */
const cloning = ['bcachefs', 'btrfs', 'nfs', 'ocfs2', 'overlayfs', 'xfs', 'zfs'];

/** What the Job will do: the mode that it takes, or the ones between which it has to choose, the most modest first. */
function modesOf(
  transfer: Transfer,
  filesystem: string,
  trial: Facts['volumeTrial'],
): readonly [TransferMode, TransferMode?] {
  if (transfer !== 'auto') return [transfer];
  if (trial.known) return [trial.value.clone.works ? 'clone' : trial.value.link.works ? 'link' : 'copy'];
  if (linking.includes(filesystem)) return ['link'];
  // A clone needs more than a link.
  return cloning.includes(filesystem) ? ['clone'] : ['clone', 'copy'];
}

/** How to get that much room. */
function enlarged(
  { totalBytes, freeBytes }: VolumeFiles,
  { target, storageClass }: Pick<Facts, 'target' | 'storageClass'>,
  kilobytes: number,
): Remedy {
  const { namespace, volume } = target;
  // Twice of what is needed, and a tenth for the file system itself.
  const bytes = (totalBytes - freeBytes + 2 * kilobytes * 1024) * 1.1;
  const size = `${String(Math.ceil(bytes / 1024 ** 3))}Gi`;
  const name = volume.claim.spec?.storageClassName ?? '';
  const patch = JSON.stringify({ spec: { resources: { requests: { storage: size } } } });
  const command = shell`kubectl -n ${namespace} patch persistentvolumeclaim ${volume.claimName} -p ${patch}`;
  const found = storageClass.known ? storageClass.value.found : undefined;
  if (found?.allowVolumeExpansion === true || name === '')
    return shellRemedy('Enlarge the PersistentVolumeClaim.', command);
  if (found === undefined)
    return shellRemedy(
      `Enlarge the PersistentVolumeClaim, if its StorageClass allows that (${copyable(shell`kubectl get storageclass ${name} -o jsonpath='{.allowVolumeExpansion}'`)} prints true).`,
      command,
    );
  const allow = shell`kubectl patch storageclass ${name} -p '{"allowVolumeExpansion":true}'`;
  return shellRemedy(
    `Enlarge the PersistentVolumeClaim to ${size}. Its StorageClass ${name} does not allow that yet. If driver ${found.provisioner} can enlarge volumes, allow it with the first command, which the second one needs. If it can't, move the data to a larger volume (restore a backup to it), or remove what nobody needs.`,
    allow,
    command,
  );
}

function megabytes(kilobytes: number): string {
  return String(Math.round(kilobytes / 1024));
}
