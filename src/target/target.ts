import type {
  V1Container,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1StatefulSet,
} from '@kubernetes/client-node';
import type { Workload } from './applications.ts';

/** The release's PostgreSQL and what belongs to it, as found in the cluster. */
export interface Target {
  readonly namespace: string;
  readonly statefulSet: V1StatefulSet;
  readonly name: string;
  readonly replicas: number;
  readonly container: V1Container;
  readonly podName: string;
  /** The server's pod, when there is one. */
  readonly pod: V1Pod | undefined;
  readonly volume: Volume;
  /** Where the data directory is in the server's container, from PGDATA or the Bitnami layout. */
  readonly dataDirectory: string;
  /** UID under which the server runs, as the pod template says; Bitnami's image runs as 1001 by itself. */
  readonly userId: number;
  readonly fsGroup: number | undefined;
  readonly secret: SecretKey;
  readonly applications: readonly Workload[];
  /** Why the action can't see which ScaledObjects of KEDA scale the applications. */
  readonly unreadAutoscalers?: string | undefined;
}

export interface Volume {
  readonly claim: V1PersistentVolumeClaim;
  readonly claimName: string;
  readonly persistentVolume: V1PersistentVolume | undefined;
  /** Where the volume is mounted in the server's container. */
  readonly mountPath: string;
  /** Set when only a directory of the volume is mounted there. */
  readonly subPath: string | undefined;
}

export interface SecretKey {
  readonly name: string;
  readonly key: string;
}

/** The image of PostgreSQL in the pod template. */
export function serverImage(target: Target): string {
  return target.container.image ?? '';
}

/** The PersistentVolume that the server's claim has. */
export function volumeName({ volume }: Pick<Target, 'volume'>): string | undefined {
  return volume.persistentVolume?.metadata?.name;
}
