import { namespace } from '../objects.ts';
import type { FakeCluster } from '../fake-cluster.ts';
import type { Setting } from './context.ts';

/** When each snapshot is cut. */
export const cutAt = '2026-01-02T03:04:06Z';

/**
 * Does what the volume and snapshot controllers do: claims get the volume that is
 * promised to them, or a new one; volumes of claims that are gone go, or retain;
 * snapshots are cut, and become ready once `isReady` says so, unless they have failed.
 * And what the attach-detach controller does.
 */
export function controlStorage({ cluster }: Setting, isReady: (snapshot: string) => boolean = () => true): void {
  cluster.hooks.push(() => {
    attach(cluster);
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
      const { name, uid = '' } = snapshot.metadata;
      const content = `content-of-${name}`;
      const status = { readyToUse: isReady(name), creationTime: cutAt, boundVolumeSnapshotContentName: content };
      cluster.put('volumesnapshots', { ...snapshot, status });
      if (cluster.look('volumesnapshotcontents', content) === undefined)
        cluster.put('volumesnapshotcontents', {
          metadata: { name: content },
          spec: { deletionPolicy: 'Delete', volumeSnapshotRef: { name, namespace, uid } },
          status: { snapshotHandle: `handle-of-${name}` },
        });
    }
  });
}

/** The server's volume is attached to the node of a pod that names its claim, and to no other before none there does. */
function attach(cluster: FakeCluster): void {
  const claimName = 'data-postgresql-0';
  const claim = cluster.look('persistentvolumeclaims', claimName, namespace);
  const nodes = cluster
    .lookAtAll('pods')
    .filter(({ spec, status }) => {
      const names = spec?.volumes?.some((v) => v.persistentVolumeClaim?.claimName === claimName) ?? false;
      return names && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
    })
    .flatMap(({ spec }) => spec?.nodeName ?? []);
  const now = cluster.look('volumeattachments', 'attachment');
  const [nodeName] = nodes;
  if (now !== undefined) {
    if (!nodes.includes(now.spec.nodeName)) cluster.remove('volumeattachments', 'attachment');
  } else if (claim?.spec?.volumeName !== undefined && nodeName !== undefined)
    cluster.put('volumeattachments', {
      metadata: { name: 'attachment' },
      spec: { attacher: 'csi.example.com', nodeName, source: { persistentVolumeName: claim.spec.volumeName } },
    });
}
