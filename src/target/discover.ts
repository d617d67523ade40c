import type {
  V1Container,
  V1EnvVar,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1StatefulSet,
} from '@kubernetes/client-node';
import { ClusterError, ConfigurationError } from '../common/errors.ts';
import type { Inputs } from '../inputs/inputs.ts';
import type { ClusterReader } from '../ports/cluster.ts';
import { findApplications } from './applications.ts';
import { findAutoscalers } from './scaled-objects.ts';
import type { SecretKey, Target } from './target.ts';
import { copyable } from '../text/commands.ts';
import { shellRemedy } from '../text/remedy.ts';
import { shell } from '../text/shell.ts';
import { grantVolume } from './volume-right.ts';

type DiscoveryInputs = Pick<
  Inputs,
  'namespace' | 'statefulset' | 'pvcName' | 'secretName' | 'secretKey' | 'applicationSelector'
>;

/** Bitnami's label on all objects of PostgreSQL. */
const postgresqlLabel = 'app.kubernetes.io/name=postgresql';
const bitnamiMount = '/bitnami/postgresql';
const bitnamiUser = 1001;
const bitnamiKey = 'postgres-password';

/** A server whose claim is not there. */
export interface Unclaimed {
  readonly namespace: string;
  readonly statefulSet: V1StatefulSet;
  readonly claimName: string;
  readonly secret: SecretKey;
}

/**
 * From a namespace to the target. Reads only.
 * @param absent asked for the server's claim as it will be, where there is none: it may just be made again
 * @throws ConfigurationError when something is not there or there are several candidates
 */
export async function discover(
  cluster: ClusterReader,
  inputs: DiscoveryInputs,
  absent?: (server: Unclaimed) => Promise<V1PersistentVolumeClaim | undefined>,
): Promise<Target> {
  const { namespace } = inputs;
  await expectNamespace(cluster, namespace);
  const statefulSet = await findStatefulSet(cluster, inputs);
  const name = statefulSet.metadata?.name ?? '';
  const { container, mountPath, claimName, subPath } = findVolume(statefulSet, inputs);
  const podName = `${name}-0`;
  const secret = findSecret(container, inputs, name);
  const [claim, pod, applications] = await Promise.all([
    findClaim(cluster, namespace, claimName, () => absent?.({ namespace, statefulSet, claimName, secret })),
    cluster.find('pods', podName, namespace),
    findApplications(cluster, namespace, inputs.applicationSelector, name),
  ]);
  const { autoscalers, unread } = await findAutoscalers(cluster, namespace, applications);
  const volumeName = claim.spec?.volumeName;
  const podSecurity = statefulSet.spec?.template.spec?.securityContext;
  return {
    namespace,
    statefulSet,
    name,
    replicas: statefulSet.spec?.replicas ?? 1,
    container,
    podName,
    pod,
    volume: {
      claim,
      claimName,
      mountPath,
      subPath,
      persistentVolume: volumeName === undefined ? undefined : await findVolumeOf(cluster, namespace, volumeName),
    },
    dataDirectory: literal(container, 'PGDATA') ?? `${mountPath}/data`,
    userId: container.securityContext?.runAsUser ?? podSecurity?.runAsUser ?? bitnamiUser,
    fsGroup: podSecurity?.fsGroup,
    secret,
    applications: [...applications, ...autoscalers],
    unreadAutoscalers: unread,
  };
}

async function expectNamespace(cluster: ClusterReader, namespace: string): Promise<void> {
  if ((await cluster.find('namespaces', namespace)) !== undefined) return;
  throw new ConfigurationError(
    'namespace-not-found',
    `There is no namespace "${namespace}" in ${cluster.address}.`,
    'Set "namespace" to the one in which CircleCI Server runs (`kubectl get namespaces`), and check "kubeconfig" and "context".',
  );
}

async function findStatefulSet(
  cluster: ClusterReader,
  { namespace, statefulset }: DiscoveryInputs,
): Promise<V1StatefulSet> {
  if (statefulset !== '') {
    // By the right to list them, which is needed for the applications too.
    const found = (await cluster.list('statefulsets', { namespace })).find((s) => s.metadata?.name === statefulset);
    if (found !== undefined) return found;
    throw new ConfigurationError(
      'statefulset-not-found',
      `There is no StatefulSet "${statefulset}" in namespace "${namespace}".`,
      `Set "statefulset" to PostgreSQL's (${copyable(shell`kubectl -n ${namespace} get statefulsets`)}).`,
    );
  }
  const candidates = await cluster.list('statefulsets', { namespace, labelSelector: postgresqlLabel });
  const [only, ...others] = candidates;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) {
    throw new ConfigurationError(
      'statefulset-not-found',
      `No StatefulSet in namespace "${namespace}" carries the label ${postgresqlLabel}.`,
      'Set "statefulset" to its name. A PostgreSQL outside of the cluster can\'t be upgraded by this action.',
    );
  }
  const names = candidates.map((s) => s.metadata?.name).join(', ');
  throw new ConfigurationError(
    'statefulset-ambiguous',
    `Several StatefulSets in namespace "${namespace}" carry the label ${postgresqlLabel}: ${names}.`,
    'Set "statefulset" to the one to upgrade.',
  );
}

interface ClaimMount {
  readonly container: V1Container;
  readonly mountPath: string;
  readonly claimName: string;
  readonly subPath: string | undefined;
}

/** The claim is taken from what the pod mounts, never from a label: a label may also be on a forgotten copy. */
function findVolume(statefulSet: V1StatefulSet, { pvcName }: DiscoveryInputs): ClaimMount {
  const name = statefulSet.metadata?.name ?? '';
  const mounts = claimMounts(statefulSet, name);
  const wanted = mounts.filter((m) => (pvcName === '' ? isDataVolume(m) : m.claimName === pvcName));
  const [only, ...others] = wanted;
  if (only !== undefined && others.length === 0) return only;
  const list =
    (wanted.length > 0 ? wanted : mounts).map((m) => `${m.claimName} at ${m.mountPath}`).join(', ') || 'none';
  if (pvcName !== '') {
    throw new ConfigurationError(
      'pvc-not-mounted',
      `StatefulSet "${name}" does not mount the PersistentVolumeClaim "${pvcName}" exactly once. It mounts: ${list}.`,
      'Set "pvc-name" to the claim that holds the data directory.',
    );
  }
  throw new ConfigurationError(
    only === undefined ? 'pvc-not-found' : 'pvc-ambiguous',
    `${only === undefined ? 'No' : 'More than one'} PersistentVolumeClaim of StatefulSet "${name}" can hold the data directory. It mounts: ${list}.`,
    'Set "pvc-name" to the claim that holds the data directory.',
  );
}

function claimMounts(statefulSet: V1StatefulSet, name: string): ClaimMount[] {
  const claims = new Map<string, string>();
  for (const template of statefulSet.spec?.volumeClaimTemplates ?? []) {
    const volume = template.metadata?.name ?? '';
    claims.set(volume, `${volume}-${name}-0`);
  }
  for (const volume of statefulSet.spec?.template.spec?.volumes ?? []) {
    if (volume.persistentVolumeClaim !== undefined) claims.set(volume.name, volume.persistentVolumeClaim.claimName);
  }
  return (statefulSet.spec?.template.spec?.containers ?? []).flatMap((container) =>
    (container.volumeMounts ?? []).flatMap((mount) => {
      const claimName = claims.get(mount.name);
      if (claimName === undefined) return [];
      return [{ container, mountPath: mount.mountPath, claimName, subPath: mount.subPath ?? mount.subPathExpr }];
    }),
  );
}

/** The data directory is at or below the mount; or a mount below it would split the data directory. */
function isDataVolume({ container, mountPath }: ClaimMount): boolean {
  const dataDirectory = literal(container, 'PGDATA') ?? `${bitnamiMount}/data`;
  return isBelow(dataDirectory, mountPath) || isBelow(mountPath, dataDirectory);
}

function isBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent.replace(/\/$/, '')}/`);
}

async function findClaim(
  cluster: ClusterReader,
  namespace: string,
  name: string,
  absent: () => Promise<V1PersistentVolumeClaim | undefined> | undefined,
): Promise<V1PersistentVolumeClaim> {
  const claim = await cluster.find('persistentvolumeclaims', name, namespace);
  if (claim !== undefined) return claim;
  const planned = await absent();
  if (planned?.metadata?.name === name) return planned;
  throw new ConfigurationError(
    'pvc-not-found',
    `The PersistentVolumeClaim "${name}" that the StatefulSet mounts does not exist in namespace "${namespace}".`,
    'Check that PostgreSQL has been started at least once, and that the claim was not deleted.',
  );
}

async function findVolumeOf(
  cluster: ClusterReader,
  namespace: string,
  name: string,
): Promise<V1PersistentVolume | undefined> {
  try {
    return await cluster.find('persistentvolumes', name);
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== 'forbidden') throw error;
    const remedy = shellRemedy(
      'A rollback or a restore may have made a new volume. The ClusterRole then still names the former one. As an administrator, run:',
      grantVolume(namespace, name),
    );
    throw new ClusterError('forbidden', error.message, remedy, { cause: error });
  }
}

/** Input first, then what the server itself reads its password from. */
function findSecret(
  container: V1Container,
  { secretName, secretKey }: DiscoveryInputs,
  statefulSet: string,
): SecretKey {
  const own = passwordReference(container);
  const name = secretName || own?.name;
  if (name === undefined) {
    throw new ConfigurationError(
      'secret-not-found',
      `StatefulSet "${statefulSet}" does not say from which Secret its superuser's password comes.`,
      'Set "secret-name" and, if it is not postgres-password, "secret-key".',
    );
  }
  return { name, key: secretKey || (own?.name === name ? own.key : bitnamiKey) };
}

function passwordReference(container: V1Container): SecretKey | undefined {
  const inOrder = [
    'POSTGRES_POSTGRES_PASSWORD',
    'POSTGRESQL_POSTGRES_PASSWORD',
    'POSTGRES_PASSWORD',
    'POSTGRESQL_PASSWORD',
  ];
  for (const variable of inOrder) {
    const from = findVariable(container, variable)?.valueFrom?.secretKeyRef;
    if (from?.name !== undefined) return { name: from.name, key: from.key };
  }
  return undefined;
}

function findVariable(container: V1Container, name: string): V1EnvVar | undefined {
  return container.env?.find((variable) => variable.name === name);
}

function literal(container: V1Container, name: string): string | undefined {
  return findVariable(container, name)?.value;
}
