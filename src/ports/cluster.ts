import type {
  V1ConfigMap,
  V1ControllerRevision,
  V1CronJob,
  V1Deployment,
  V1Job,
  V1Namespace,
  V1NetworkPolicyPeer,
  V1NetworkPolicyPort,
  V1LabelSelector,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1Secret,
  V1Service,
  V1SelfSubjectAccessReview,
  V1SelfSubjectReview,
  V1StatefulSet,
  V1StorageClass,
  V1VolumeAttachment,
  CoreV1Event,
} from '@kubernetes/client-node';

/** A VolumeSnapshot (snapshot.storage.k8s.io/v1), as far as it is read here. */
export interface VolumeSnapshot {
  apiVersion: 'snapshot.storage.k8s.io/v1';
  kind: 'VolumeSnapshot';
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: { source: { persistentVolumeClaimName: string }; volumeSnapshotClassName?: string };
  status?: {
    readyToUse?: boolean;
    creationTime?: string;
    restoreSize?: string;
    boundVolumeSnapshotContentName?: string;
    error?: { message?: string };
  };
}

/** A VolumeSnapshotContent (snapshot.storage.k8s.io/v1), as far as it is read here. */
interface VolumeSnapshotContent {
  metadata: {
    name: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: { deletionPolicy: string; volumeSnapshotRef?: { name?: string; namespace?: string; uid?: string } };
  status?: { snapshotHandle?: string };
}

/** A VolumeSnapshotClass (snapshot.storage.k8s.io/v1). */
export interface VolumeSnapshotClass {
  metadata: { name: string; uid?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  driver: string;
  deletionPolicy: string;
  parameters?: Record<string, string>;
}

/** A NetworkPolicy (networking.k8s.io/v1) as the API writes it; the library's type has another name for `from`. */
export interface NetworkPolicy {
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec: {
    podSelector?: V1LabelSelector;
    policyTypes?: string[];
    ingress?: { from?: V1NetworkPolicyPeer[]; ports?: V1NetworkPolicyPort[] }[];
    egress?: { to?: V1NetworkPolicyPeer[]; ports?: V1NetworkPolicyPort[] }[];
  };
}

/** An Application of Argo CD (argoproj.io/v1alpha1), as far as it is read here. */
export interface Application {
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: { syncPolicy?: { automated?: { enabled?: boolean; selfHeal?: boolean } | null } };
  /** What it manages, whatever marks the objects have. */
  status?: { resources?: { kind?: string; namespace?: string; name?: string }[] };
}

/** A HelmRelease or Kustomization of Flux, as far as it is read here. */
interface FluxObject {
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: { suspend?: boolean };
}

/** A ScaledObject of KEDA (keda.sh/v1alpha1), as far as it is read here. */
export interface ScaledObject {
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: { scaleTargetRef: { apiVersion?: string; kind?: string; name: string } };
  status?: { conditions?: { type: string; status: string }[] };
}

/** A Lease (coordination.k8s.io/v1), as far as it is used here. Its times have six digits after the second (MicroTime). */
export interface Lease {
  metadata?: { name?: string; namespace?: string; labels?: Record<string, string>; resourceVersion?: string };
  spec?: { holderIdentity?: string; leaseDurationSeconds?: number; acquireTime?: string; renewTime?: string };
}

/** Every resource that the action reads or writes: where the API serves it, and its type. */
export const resources = {
  namespaces: { group: '', version: 'v1', kind: 'Namespace', namespaced: false },
  nodes: { group: '', version: 'v1', kind: 'Node', namespaced: false },
  pods: { group: '', version: 'v1', kind: 'Pod', namespaced: true },
  secrets: { group: '', version: 'v1', kind: 'Secret', namespaced: true },
  configmaps: { group: '', version: 'v1', kind: 'ConfigMap', namespaced: true },
  events: { group: '', version: 'v1', kind: 'Event', namespaced: true },
  persistentvolumeclaims: { group: '', version: 'v1', kind: 'PersistentVolumeClaim', namespaced: true },
  persistentvolumes: { group: '', version: 'v1', kind: 'PersistentVolume', namespaced: false },
  statefulsets: { group: 'apps', version: 'v1', kind: 'StatefulSet', namespaced: true },
  controllerrevisions: { group: 'apps', version: 'v1', kind: 'ControllerRevision', namespaced: true },
  deployments: { group: 'apps', version: 'v1', kind: 'Deployment', namespaced: true },
  jobs: { group: 'batch', version: 'v1', kind: 'Job', namespaced: true },
  cronjobs: { group: 'batch', version: 'v1', kind: 'CronJob', namespaced: true },
  leases: { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', namespaced: true },
  services: { group: '', version: 'v1', kind: 'Service', namespaced: true },
  networkpolicies: { group: 'networking.k8s.io', version: 'v1', kind: 'NetworkPolicy', namespaced: true },
  poddisruptionbudgets: { group: 'policy', version: 'v1', kind: 'PodDisruptionBudget', namespaced: true },
  storageclasses: { group: 'storage.k8s.io', version: 'v1', kind: 'StorageClass', namespaced: false },
  volumeattachments: { group: 'storage.k8s.io', version: 'v1', kind: 'VolumeAttachment', namespaced: false },
  volumesnapshots: { group: 'snapshot.storage.k8s.io', version: 'v1', kind: 'VolumeSnapshot', namespaced: true },
  volumesnapshotcontents: {
    group: 'snapshot.storage.k8s.io',
    version: 'v1',
    kind: 'VolumeSnapshotContent',
    namespaced: false,
  },
  volumesnapshotclasses: {
    group: 'snapshot.storage.k8s.io',
    version: 'v1',
    kind: 'VolumeSnapshotClass',
    namespaced: false,
  },
  applications: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application', namespaced: true },
  helmreleases: { group: 'helm.toolkit.fluxcd.io', version: 'v2', kind: 'HelmRelease', namespaced: true },
  kustomizations: { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', namespaced: true },
  scaledobjects: { group: 'keda.sh', version: 'v1alpha1', kind: 'ScaledObject', namespaced: true },
  selfsubjectreviews: { group: 'authentication.k8s.io', version: 'v1', kind: 'SelfSubjectReview', namespaced: false },
  selfsubjectaccessreviews: {
    group: 'authorization.k8s.io',
    version: 'v1',
    kind: 'SelfSubjectAccessReview',
    namespaced: false,
  },
} as const;

export type ResourceName = keyof typeof resources;

/** What the API answers for each resource. Times are strings here, whatever the types say: nothing converts them. */
export interface ResourceTypes {
  namespaces: V1Namespace;
  nodes: V1Node;
  pods: V1Pod;
  secrets: V1Secret;
  configmaps: V1ConfigMap;
  events: CoreV1Event;
  persistentvolumeclaims: V1PersistentVolumeClaim;
  persistentvolumes: V1PersistentVolume;
  statefulsets: V1StatefulSet;
  controllerrevisions: V1ControllerRevision;
  deployments: V1Deployment;
  jobs: V1Job;
  cronjobs: V1CronJob;
  leases: Lease;
  services: V1Service;
  networkpolicies: NetworkPolicy;
  poddisruptionbudgets: V1PodDisruptionBudget;
  storageclasses: V1StorageClass;
  volumeattachments: V1VolumeAttachment;
  volumesnapshots: VolumeSnapshot;
  volumesnapshotcontents: VolumeSnapshotContent;
  volumesnapshotclasses: VolumeSnapshotClass;
  applications: Application;
  helmreleases: FluxObject;
  kustomizations: FluxObject;
  scaledobjects: ScaledObject;
  selfsubjectreviews: V1SelfSubjectReview;
  selfsubjectaccessreviews: V1SelfSubjectAccessReview;
}

/** One operation of a JSON Patch (RFC 6902). `test` makes the whole patch a conditional one. */
export type PatchOperation =
  { op: 'add' | 'replace' | 'test'; path: string; value: unknown } | { op: 'remove'; path: string };

/** What a deletion expects of the object: that it is this one, and unchanged since it was read. */
interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The Kubernetes API, which is asked again where it is away for a while. Every method but `find` throws a ClusterError: code
 * `forbidden`, `not-found`, `conflict`, `invalid`, `unreachable` … and the
 * API server's own message.
 */
export interface ClusterReader {
  /** Where it is, for people: the server's URL and the context. */
  readonly address: string;
  /** What weakens the way to it, such as TLS that is not verified; a sentence each. */
  readonly weaknesses: readonly string[];
  version(): Promise<string>;
  /** Whether the API server has this resource at all; everybody who is signed in may ask (discovery). */
  serves(resource: ResourceName): Promise<boolean>;
  /** The API server's time, from the Date header of its last answer (whole seconds) and the time that went by since. */
  now(): Promise<Date>;
  /** The object, or undefined when there is none of that name. */
  find<R extends ResourceName>(resource: R, name: string, namespace?: string): Promise<ResourceTypes[R] | undefined>;
  /** With `metadataOnly` nothing else of the objects leaves the API server. */
  list<R extends ResourceName>(resource: R, options?: ListOptions): Promise<ResourceTypes[R][]>;
  /** The log of a container from `sinceTime` on (RFC 3339), each line with its own timestamp. */
  podLog(namespace: string, pod: string, container: string, sinceTime?: string): Promise<string>;
  /**
   * Watches the pod of a name, from the API server's answer to its deletion. Where that can't be (no right, a connection that breaks), the watch ends
   * without a pod, and is no error.
   */
  watchPod(namespace: string, name: string): Promise<PodWatch>;
  /** Runs a command in a container with `stdin` and waits for its end. An exit code other than 0 is an answer, not an error. */
  exec(
    namespace: string,
    pod: string,
    container: string,
    command: readonly string[],
    stdin: string,
    timeout: number,
  ): Promise<ExecResult>;
}

/** A pod as it was when a watch began, and as it was when it was deleted. */
export interface PodEnd {
  readonly before: V1Pod;
  readonly last: V1Pod;
}

export interface PodWatch {
  /**
   * @param limit milliseconds to wait for it from now on
   * @returns the pod that was there first; undefined where its end was not seen
   */
  end(limit: number): Promise<PodEnd | undefined>;
  /** Ends the watch, and each wait for it. */
  close(): void;
}

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  metadataOnly?: boolean;
}

export interface DeleteOptions {
  foreground?: boolean;
  preconditions?: Preconditions;
}

interface ClusterWriter {
  /** With `dryRun` the API server runs admission and keeps nothing. */
  create<R extends ResourceName>(
    resource: R,
    object: ResourceTypes[R],
    options?: { namespace?: string; dryRun?: boolean },
  ): Promise<ResourceTypes[R]>;
  patch<R extends ResourceName>(
    resource: R,
    name: string,
    namespace: string,
    operations: readonly PatchOperation[],
    options?: { subresource?: string },
  ): Promise<ResourceTypes[R]>;
  /**
   * Deletes an object and what it owns, in the background unless it is to stay
   * until that is gone; one that is already gone is no error. One that is not
   * as `preconditions` says is a `conflict`.
   */
  delete(resource: ResourceName, name: string, namespace: string, options?: DeleteOptions): Promise<void>;
}

/** The connection, which may do all that the kubeconfig may. Only src/lock writes with it; the others get one of the two below. */
export interface Cluster extends ClusterReader, ClusterWriter {
  /**
   * The same cluster for work that a cancellation ends: then reads, commands and pauses before another attempt end with a
   * CancelledError. A write that was sent is waited for all the same.
   */
  interruptedBy(signal: AbortSignal): Cluster;
}

/** For the run that holds the Lease: it may change the server's objects. `access` keeps it from being taken for the other one. */
export interface LeasedCluster extends ClusterReader, ClusterWriter {
  readonly access: 'leased';
  interruptedBy(signal: AbortSignal): LeasedCluster;
}

/** What a run without the Lease makes for a moment: pods of its own, and questions about its rights, which the API server keeps nowhere. */
type MomentaryResource = 'pods' | 'selfsubjectreviews' | 'selfsubjectaccessreviews';

/** For a run without the Lease: it reads, and makes and deletes its own short-lived objects. */
export interface UnleasedCluster extends ClusterReader {
  readonly access: 'unleased';
  interruptedBy(signal: AbortSignal): UnleasedCluster;
  create<R extends MomentaryResource>(
    resource: R,
    object: ResourceTypes[R],
    options?: { namespace?: string },
  ): Promise<ResourceTypes[R]>;
  /** Has the API server run admission, and keep nothing. */
  dryRun<R extends ResourceName>(resource: R, object: ResourceTypes[R], namespace: string): Promise<ResourceTypes[R]>;
  delete(resource: 'pods', name: string, namespace: string, options?: DeleteOptions): Promise<void>;
}

/** What a run without the Lease may do with a connection. */
export function withoutLease(cluster: Cluster): UnleasedCluster {
  return {
    access: 'unleased',
    address: cluster.address,
    weaknesses: cluster.weaknesses,
    interruptedBy: (signal) => withoutLease(cluster.interruptedBy(signal)),
    version: () => cluster.version(),
    serves: (resource) => cluster.serves(resource),
    now: () => cluster.now(),
    find: (resource, name, namespace) => cluster.find(resource, name, namespace),
    list: (resource, options) => cluster.list(resource, options),
    podLog: (...about) => cluster.podLog(...about),
    watchPod: (...about) => cluster.watchPod(...about),
    exec: (...about) => cluster.exec(...about),
    create: (resource, object, options) => cluster.create(resource, object, options),
    dryRun: (resource, object, namespace) => cluster.create(resource, object, { namespace, dryRun: true }),
    delete: (resource, name, namespace, options) => cluster.delete(resource, name, namespace, options),
  };
}
