import { ownerLabel } from '../job/pod.ts';
import type { VolumeSnapshot } from '../ports/cluster.ts';
import type { Target } from '../target/target.ts';

/** A VolumeSnapshot of the server's volume. */
export function snapshotObject(target: Target, suffix: string, className: string): VolumeSnapshot {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      name: `${target.volume.claimName}-before-upgrade-${suffix}`,
      namespace: target.namespace,
      labels: ownerLabel,
    },
    spec: { source: { persistentVolumeClaimName: target.volume.claimName }, volumeSnapshotClassName: className },
  };
}
