import { copyable, failed, passed, unknown, warning } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

const list = copyable('kubectl get storageclasses');

export const storageClassChecks: readonly Check[] = [
  {
    id: 'storage-class',
    title: 'StorageClass of the volume',
    expected: 'A copy of the volume can be provisioned',
    subject: 'cluster',
    why: "The backup is proved on a copy, and restored to one: a claim of the server's own StorageClass. A class that somebody deleted makes no volume any more, and one of another driver can't read the snapshots of this one; the volume itself goes on as if nothing were wrong. Not asked with `backup: external`. Where the class may not be read this only warns, as long as `verify-backup` makes such a copy before the downtime.",
    applies: ({ inputs }) => inputs.backup !== 'external',
    run({ storageClass, target, inputs }) {
      const { claimName, persistentVolume } = target.volume;
      if (!storageClass.known) {
        const remedy = `Let the kubeconfig's user read StorageClasses (docs/permissions.md), or look yourself: ${list} has to show the class of claim ${claimName}.`;
        return (inputs.verifyBackup ? warning : unknown)(remedy, storageClass.reason);
      }
      const { name, found } = storageClass.value;
      if (name === '')
        return failed(
          'Make the claim one of a StorageClass, or set "backup" to external and take care of the backup yourself.',
          `PersistentVolumeClaim ${claimName} names no StorageClass: nothing provisions another one like it`,
        );
      if (found === undefined)
        return failed(
          `Make StorageClass ${name} again, with the provisioner of the volume (${list} shows those that there are).`,
          `PersistentVolumeClaim ${claimName} is of StorageClass ${name}, which is not there any more`,
        );
      const driver = persistentVolume?.spec?.csi?.driver;
      const evidence = `StorageClass ${name}: provisioner ${found.provisioner}, volumes ${found.allowVolumeExpansion === true ? 'can' : "can't"} be enlarged`;
      // In-tree names stand for a CSI driver that has taken over from them.
      return driver === undefined || found.provisioner === driver || found.provisioner.startsWith('kubernetes.io/')
        ? passed(evidence)
        : failed(
            `Make a StorageClass ${name} of ${driver} again: what the class provisions now can't be filled from the volume.`,
            evidence,
            `the volume is one of ${driver}`,
          );
    },
  },
];
