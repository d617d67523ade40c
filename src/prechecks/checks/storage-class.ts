import { copyable, failed, passed, unknown, warning } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

const list = copyable('kubectl get storageclasses');

export const storageClassChecks: readonly Check[] = [
  {
    id: 'storage-class',
    title: 'StorageClass of the volume',
    expected: 'A copy of the volume can be provisioned',
    subject: 'cluster',
    why: "The upgrade proves the backup on a copy, and restores it to a copy. That is a PersistentVolumeClaim with the StorageClass of the server's. A StorageClass that was deleted makes no volume any more. One of another driver can't read the snapshots of this volume. The volume itself works on in both cases, so that nothing else shows it. Not asked with `backup: external`. With `backup: copy` that class makes the backup too. Without the right to read the StorageClass, the check only warns if `verify-backup` makes such a copy before the downtime.",
    advice:
      'Create the StorageClass again, with the provisioner of the volume. Or set "backup" to external and take the backup yourself. Where the class may not be read, grant the right ([permissions](permissions.md)), or look yourself with `kubectl get storageclasses`.',
    applies: ({ inputs }) => inputs.backup !== 'external',
    run({ storageClass, target, inputs }) {
      const { claimName, persistentVolume } = target.volume;
      if (!storageClass.known) {
        const remedy = `Let the kubeconfig's user read StorageClasses (docs/permissions.md). Or look yourself: ${list} must show the class of PersistentVolumeClaim ${claimName}.`;
        return (inputs.verifyBackup ? warning : unknown)(remedy, storageClass.reason);
      }
      const { name, found } = storageClass.value;
      if (name === '')
        return failed(
          'Move the data to a PersistentVolumeClaim with a StorageClass. Or set "backup" to external and take the backup yourself.',
          `PersistentVolumeClaim ${claimName} names no StorageClass, so that no copy of it can be provisioned`,
        );
      if (found === undefined)
        return failed(
          `Create StorageClass ${name} again, with the provisioner of the volume. ${list} shows the classes that exist.`,
          `PersistentVolumeClaim ${claimName} has StorageClass ${name}, which does not exist any more`,
        );
      const driver = persistentVolume?.spec?.csi?.driver;
      const evidence = `StorageClass ${name}: provisioner ${found.provisioner}, volumes ${found.allowVolumeExpansion === true ? 'can' : "can't"} be enlarged`;
      const isPlaced =
        persistentVolume?.spec?.nodeAffinity !== undefined && found.volumeBindingMode !== 'WaitForFirstConsumer';
      if (inputs.backup === 'copy' && isPlaced)
        return warning(
          `Use a StorageClass with volumeBindingMode WaitForFirstConsumer. Or make sure that all volumes of ${name} are in one zone. Otherwise the copy's volume may be where no pod can use both, and the upgrade reverts.`,
          evidence,
          "the class makes a volume before a pod uses it, and the server's volume can be used on some nodes only",
        );
      // In-tree names stand for a CSI driver that has taken over from them.
      return driver === undefined || found.provisioner === driver || found.provisioner.startsWith('kubernetes.io/')
        ? passed(evidence)
        : failed(
            `Create StorageClass ${name} of ${driver} again: a volume of the present class can't be filled from this one.`,
            evidence,
            `the volume has driver ${driver}`,
          );
    },
  },
];
