import type { V1Container, V1Pod, V1Volume } from '@kubernetes/client-node';
import type { Target } from '../target/target.ts';
import { ownerLabel } from '../objects/pod.ts';
import { probeLabel } from './probe.ts';
import { pullsOf } from './server-pulls.ts';
import { probePrefix } from '../objects/probe-names.ts';

/** Kinds of volumes that a second pod can mount without any effect outside of it. */
const harmless = ['configMap', 'secret', 'projected', 'downwardAPI', 'emptyDir'] as const;

/** Scripts for a new database: the trial does not need them, and they may have effects outside of the pod. */
const initialisation = /^\/docker-entrypoint-(pre)?initdb\.d/;

/** Of several settings of one name the last one counts for PostgreSQL. This server must write nothing into an archive. */
export const archivesNothing = '-c archive_mode=off -c archive_command=/bin/false';

/** Variables by which Bitnami's images, and others, join a cluster of servers: a trial would become a member of it. */
const joining = /^(REPMGR|PATRONI|SPILO)_/;
const isStandby = (name: string, value?: string) => name === 'POSTGRESQL_REPLICATION_MODE' && value !== 'master';

/** Bitnami's images refuse to start without the certificate that this asks for. */
const tls = 'POSTGRESQL_ENABLE_TLS';

/**
 * Whether the trial runs without TLS: Bitnami's chart has an init container that copies the certificate with its key. Others' keys are not for a trial, which
 * has no clients. So neither the init container nor the Secret is there, and TLS is off.
 */
export function isTriedWithoutTls({ statefulSet, container }: Pick<Target, 'statefulSet' | 'container'>): boolean {
  const { initContainers = [] } = statefulSet.spec?.template.spec ?? {};
  return isCertificateCopied(initContainers) && container.env?.some(({ name }) => name === tls) === true;
}

function isCertificateCopied(initContainers: readonly V1Container[]): boolean {
  return initContainers.length === 1 && initContainers[0]?.name === 'copy-certs';
}

/**
 * Why the server's pod can't be tried with another image without touching anything; undefined when it can.
 * @param archiveMode as the running server has it
 */
export function obstacleToTrial(target: Target, archiveMode: string): string | undefined {
  const { statefulSet, container } = target;
  const spec = statefulSet.spec?.template.spec;
  if (archiveMode !== 'off')
    return `archive_mode is ${archiveMode}: WAL of another server must not get into the archive`;
  const joins = container.env?.find(({ name, value }) => joining.test(name) || isStandby(name, value));
  if (joins !== undefined) return `variable ${joins.name} makes the server join a cluster of servers`;
  const [init] = spec?.initContainers ?? [];
  if (init !== undefined && !isTriedWithoutTls(target)) return `it is not known what init container ${init.name} does`;
  const foreign = spec?.volumes?.find((v) => v.persistentVolumeClaim === undefined && !isHarmless(v));
  return foreign === undefined ? undefined : `volume ${foreign.name} holds more than configuration`;
}

function isHarmless(volume: V1Volume): boolean {
  return harmless.some((kind) => volume[kind] !== undefined);
}

/**
 * The server's pod as the StatefulSet would make it with another image, but on an empty volume, under labels which no
 * Service selects, and without its sidecars.
 * Decision: docs/decisions/0015-images.md
 */
export function trialPod(target: Target, image: string): V1Pod {
  return podLikeServers(target, image, {
    generateName: probePrefix('start'),
    labels: { ...ownerLabel, ...probeLabel, 'postgresql-upgrade/probe': 'start' },
    flags: archivesNothing,
    // It has no data, so that nothing has to end well.
    graceSeconds: 0,
    lifetimeSeconds: 900,
  });
}

/** What distinguishes a pod like the server's from the server's. */
export interface LikePod {
  readonly name?: string;
  readonly generateName?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What the server is started with besides its own flags. */
  readonly flags: string;
  /** The claim in the place of the server's; undefined for an empty directory. */
  readonly claim?: string;
  readonly graceSeconds: number;
  /** After which Kubernetes ends it. */
  readonly lifetimeSeconds: number;
}

/** The server's pod as the StatefulSet would make it with another image, without its sidecars. No Service may select by the labels. */
export function podLikeServers(target: Target, image: string, parts: LikePod): V1Pod {
  const { namespace, statefulSet } = target;
  const { spec, metadata } = statefulSet.spec?.template ?? {};
  const { nodeSelector, tolerations, priorityClassName, runtimeClassName, securityContext } = spec ?? {};
  const { name, generateName, labels, flags, claim, graceSeconds, lifetimeSeconds } = parts;
  return {
    metadata: {
      ...{ namespace, labels, ...withoutUndefined({ name, generateName }) },
      annotations: { ...metadata?.annotations, 'sidecar.istio.io/inject': 'false', 'linkerd.io/inject': 'disabled' },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: graceSeconds,
      activeDeadlineSeconds: lifetimeSeconds,
      ...withoutUndefined({ nodeSelector, tolerations, priorityClassName, runtimeClassName, securityContext }),
      imagePullSecrets: spec?.imagePullSecrets ?? [],
      ...withoutUndefined({ serviceAccountName: pullsOf(target).serviceAccountName }),
      containers: [likeContainer(target, image, flags)],
      volumes: volumesOf(target, claim),
    },
  };
}

function likeContainer(target: Target, image: string, flags: string): V1Container {
  const {
    name,
    command,
    args,
    env = [],
    envFrom,
    securityContext,
    resources,
    volumeMounts = [],
    workingDir,
  } = target.container;
  const extra = env.find((e) => e.name === 'POSTGRESQL_EXTRA_FLAGS');
  const isWithoutTls = isTriedWithoutTls(target);
  const added = isWithoutTls ? `${flags} -c ssl=off` : flags;
  return {
    name,
    image,
    imagePullPolicy: pullsOf(target).imagePullPolicy,
    ...withoutUndefined({ command, args, envFrom, securityContext, workingDir }),
    env: [
      ...env.filter((e) => e !== extra).map((e) => (isWithoutTls && e.name === tls ? { name: tls, value: 'no' } : e)),
      { name: 'POSTGRESQL_EXTRA_FLAGS', value: [extra?.value, added].filter(Boolean).join(' ') },
    ],
    // It has no clients; its limits are those which its configuration may need.
    resources: { ...withoutUndefined({ limits: resources?.limits }), requests: { cpu: '100m', memory: '128Mi' } },
    volumeMounts: volumeMounts.filter(({ mountPath }) => !initialisation.test(mountPath)),
  };
}

/** Claims become empty directories: the live volume is never mounted twice. What only an init container mounts is left out. @param claim in the place of the server's */
function volumesOf({ statefulSet, container, volume: data }: Target, claim: string | undefined): V1Volume[] {
  const { template, volumeClaimTemplates = [] } = statefulSet.spec ?? {};
  const templated = volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? '');
  const ofInit = template?.spec?.initContainers
    ?.flatMap(mountedBy)
    .filter((name) => !mountedBy(container).includes(name));
  const named = (template?.spec?.volumes ?? []).filter(
    ({ name }) => !templated.includes(name) && ofInit?.includes(name) !== true,
  );
  const dataName = container.volumeMounts?.find(({ mountPath }) => mountPath === data.mountPath)?.name;
  const inPlaceOfClaim = (name: string): V1Volume =>
    claim !== undefined && name === dataName
      ? { name, persistentVolumeClaim: { claimName: claim } }
      : { name, emptyDir: {} };
  return [
    ...templated.map(inPlaceOfClaim),
    ...named.map((volume) => (isHarmless(volume) ? volume : inPlaceOfClaim(volume.name))),
  ];
}

function mountedBy({ volumeMounts = [] }: V1Container): string[] {
  return volumeMounts.map(({ name }) => name);
}

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** Leaves out undefined fields: the API server accepts no null for some of them. */
function withoutUndefined<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
