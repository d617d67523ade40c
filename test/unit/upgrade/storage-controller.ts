import { namespace } from '../objects.ts';
import type { Setting } from './context.ts';

/**
 * Does what the volume and snapshot controllers do: claims get the volume that is
 * promised to them, or a new one; volumes of claims that are gone go, or retain;
 * snapshots become ready, unless they have failed.
 */
export function controlStorage({ cluster }: Setting): void {
  cluster.hooks.push(() => {
    for (const claim of cluster.lookAtAll('persistentvolumeclaims')) {
      const name = claim.metadata?.name ?? '';
      const volumes = cluster.lookAtAll('persistentvolumes');
      const promised = volumes.find((v) => v.spec?.claimRef?.name === name && v.spec.claimRef.uid === undefined);
      const volumeName = claim.spec?.volumeName ?? promised?.metadata?.name ?? `volume-of-${claim.metadata?.uid ?? ''}`;
      const claimRef = { name, namespace, uid: claim.metadata?.uid ?? '' };
      const found = volumes.find((v) => v.metadata?.name === volumeName);
      if (claim.status?.phase === 'Bound' && found?.spec?.claimRef?.uid !== undefined) continue;
      const fresh = { metadata: { name: volumeName }, spec: { persistentVolumeReclaimPolicy: 'Delete' } };
      const volume = found ?? fresh;
      cluster
        .put('persistentvolumes', { ...volume, spec: { ...volume.spec, claimRef } })
        .put('persistentvolumeclaims', { ...claim, spec: { ...claim.spec, volumeName }, status: { phase: 'Bound' } });
    }
    for (const { metadata, spec } of cluster.lookAtAll('persistentvolumes')) {
      const isLeft =
        spec?.claimRef?.uid !== undefined &&
        !cluster.lookAtAll('persistentvolumeclaims').some((claim) => claim.metadata?.uid === spec.claimRef?.uid);
      if (isLeft && spec.persistentVolumeReclaimPolicy === 'Delete')
        cluster.remove('persistentvolumes', metadata?.name ?? '');
    }
    for (const snapshot of cluster.lookAtAll('volumesnapshots')) {
      if (snapshot.status?.readyToUse === true || snapshot.status?.error !== undefined) continue;
      const { name } = snapshot.metadata;
      cluster
        .put('volumesnapshotcontents', {
          metadata: { name: `content-of-${name}` },
          spec: { deletionPolicy: 'Delete', volumeSnapshotRef: { name, namespace } },
        })
        .put('volumesnapshots', {
          ...snapshot,
          status: { readyToUse: true, boundVolumeSnapshotContentName: `content-of-${name}` },
        });
    }
  });
}
