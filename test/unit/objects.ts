import type {
  V1ConfigMap,
  V1Container,
  V1CronJob,
  V1Deployment,
  V1Job,
  V1Node,
  V1NodeSpec,
  V1ObjectMeta,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodSpec,
  V1Secret,
  V1StatefulSet,
  V1StorageClass,
} from '@kubernetes/client-node';
import { parseInputs, type Inputs } from '../../src/inputs/inputs.ts';
import type { ScaledObject, VolumeSnapshotClass } from '../../src/ports/cluster.ts';
import { discover } from '../../src/target/discover.ts';
import type { Target } from '../../src/target/target.ts';
import { FakeCluster } from './fake-cluster.ts';

export const namespace = 'circleci-server';
export const oldImage = 'cciserver.azurecr.io/server-postgres:12.16.37-7629bfd';
export const newImage = 'cciserver.azurecr.io/server-postgres:14.22.4094-4922444';
export const password = 'correct horse battery staple';

/** Inputs as the parser makes them from a workflow's texts. */
export function inputs(given: Readonly<Record<string, string>> = {}): Inputs {
  return parseInputs((name) => ({ namespace, ...given })[name] ?? '');
}

export function serverContainer(more: Partial<V1Container> = {}): V1Container {
  return {
    name: 'postgresql',
    image: oldImage,
    env: [
      { name: 'PGDATA', value: '/bitnami/postgresql/data' },
      {
        name: 'POSTGRES_PASSWORD',
        valueFrom: { secretKeyRef: { name: 'postgresql', key: 'postgres-password' } },
      },
    ],
    securityContext: { runAsUser: 1001 },
    volumeMounts: [
      { name: 'dshm', mountPath: '/dev/shm' },
      { name: 'data', mountPath: '/bitnami/postgresql' },
    ],
    ...more,
  };
}

/** As the Bitnami chart makes it for CircleCI Server. */
export function statefulSet(
  podSpec: Partial<V1PodSpec> = {},
  spec: Partial<V1StatefulSet['spec']> = {},
): V1StatefulSet {
  return {
    metadata: {
      name: 'postgresql',
      namespace,
      uid: 'uid-of-statefulset',
      labels: { 'app.kubernetes.io/name': 'postgresql', layer: 'data' },
    },
    spec: {
      replicas: 1,
      serviceName: 'postgresql-hl',
      selector: { matchLabels: { 'app.kubernetes.io/name': 'postgresql' } },
      template: {
        metadata: { labels: { 'app.kubernetes.io/name': 'postgresql', layer: 'data' } },
        spec: {
          securityContext: { fsGroup: 1001 },
          containers: [serverContainer()],
          volumes: [{ name: 'dshm', emptyDir: { medium: 'Memory' } }],
          ...podSpec,
        },
      },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }],
      ...spec,
    },
  };
}

export function serverPod(image: string = oldImage, more: Partial<V1Pod> = {}): V1Pod {
  return {
    metadata: { name: 'postgresql-0', namespace, uid: 'uid-of-pod' },
    spec: {
      nodeName: 'node-1',
      containers: [serverContainer({ image })],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-postgresql-0' } }],
    },
    status: { phase: 'Running', podIP: '10.1.2.3', conditions: [{ type: 'Ready', status: 'True' }] },
    ...more,
  };
}

export function claim(name = 'data-postgresql-0'): V1PersistentVolumeClaim {
  return { metadata: { name, namespace }, spec: { volumeName: 'pv-1' }, status: { phase: 'Bound' } };
}

export function persistentVolume(): V1PersistentVolume {
  return {
    metadata: { name: 'pv-1' },
    spec: {
      persistentVolumeReclaimPolicy: 'Delete',
      capacity: { storage: '8Gi' },
      csi: { driver: 'csi.example.com', volumeHandle: 'volume-1' },
    },
  };
}

export function secret(data: Readonly<Record<string, string>> = { 'postgres-password': password }): V1Secret {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')] as const);
  return { metadata: { name: 'postgresql', namespace }, data: Object.fromEntries(encoded) };
}

export function deployment(name: string, replicas: number, more: Partial<V1Deployment> = {}): V1Deployment {
  return {
    metadata: { name, namespace, generation: 1, labels: { layer: 'application' } },
    spec: { replicas, selector: { matchLabels: { app: name } }, template: { spec: { containers: [] } } },
    status: { observedGeneration: 1, replicas, readyReplicas: replicas, updatedReplicas: replicas },
    ...more,
  };
}

export function cronJob(name: string, suspend: boolean | undefined): V1CronJob {
  return {
    metadata: { name, namespace, labels: { layer: 'application' } },
    spec: {
      schedule: '0 * * * *',
      ...(suspend === undefined ? {} : { suspend }),
      jobTemplate: { spec: { template: { spec: { containers: [] } } } },
    },
  };
}

/** A ScaledObject of KEDA for a Deployment. */
export function scaledObject(name: string, deployment: string, annotations?: Record<string, string>): ScaledObject {
  return {
    metadata: { name, namespace, ...(annotations === undefined ? {} : { annotations }) },
    spec: { scaleTargetRef: { name: deployment } },
  };
}

export function applicationPod(name: string, labels: Record<string, string>, more: Partial<V1Pod> = {}): V1Pod {
  return { metadata: { name, namespace, labels }, status: { phase: 'Running' }, ...more };
}

export function job(name: string, active: number): V1Job {
  return { metadata: { name, namespace }, status: active > 0 ? { active } : { failed: 1 } };
}

export function configMap(name: string, data: Record<string, string>): V1ConfigMap {
  return { metadata: { name, namespace }, data };
}

export function snapshotClass(name: string, driver = 'csi.example.com', isDefault = false): VolumeSnapshotClass {
  return {
    metadata: {
      name,
      ...(isDefault ? { annotations: { 'snapshot.storage.kubernetes.io/is-default-class': 'true' } } : {}),
    },
    driver,
    deletionPolicy: 'Retain',
  };
}

export function storageClass(more: Partial<V1StorageClass> = {}): V1StorageClass {
  return { metadata: { name: 'standard' }, provisioner: 'csi.example.com', ...more };
}

/** Where the server's pod is. */
export function node(spec: V1NodeSpec = {}, metadata: V1ObjectMeta = {}): V1Node {
  return { metadata: { name: 'node-1', ...metadata }, spec };
}

/** A namespace with PostgreSQL and three workloads: one running, one at 0, one suspended. */
export function cluster(postgresql: V1StatefulSet = statefulSet()): FakeCluster {
  return new FakeCluster()
    .put('namespaces', { metadata: { name: namespace } })
    .put('statefulsets', postgresql)
    .put('pods', serverPod())
    .put('persistentvolumeclaims', claim())
    .put('persistentvolumes', persistentVolume())
    .put('secrets', secret())
    .put('deployments', deployment('frontend', 3), deployment('insights', 0))
    .put('cronjobs', cronJob('nightly', undefined), cronJob('paused', true))
    .put('volumesnapshotclasses', snapshotClass('csi-class'))
    .put('storageclasses', storageClass())
    .put('nodes', node());
}

/** As the upgrade leaves them before it stops the server. */
export function stopApplications(of: FakeCluster): void {
  of.put('deployments', deployment('frontend', 0)).put('cronjobs', cronJob('nightly', true));
}

/** The target as discovery finds it in that namespace. */
export async function target(postgresql: V1StatefulSet = statefulSet(), more: Partial<Target> = {}): Promise<Target> {
  return { ...(await discover(cluster(postgresql), inputs())), ...more };
}
