import type {
  V1Container,
  V1LocalObjectReference,
  V1NodeSelectorTerm,
  V1PodSpec,
  V1PodTemplateSpec,
  V1SecurityContext,
} from '@kubernetes/client-node';
import type { Target } from '../target/target.ts';

/** Label on everything that the action makes in the cluster: for people who look for it. It proves nothing. */
export const ownerLabel = { 'app.kubernetes.io/managed-by': 'circleci-server-postgresql-upgrade' } as const;

/** What keeps a sidecar out (it would keep the pod from ending) and evictions away. */
const annotations = {
  'sidecar.istio.io/inject': 'false',
  'linkerd.io/inject': 'disabled',
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
  'karpenter.sh/do-not-disrupt': 'true',
} as const;

/** Passes Pod Security `restricted`. */
const restrictedContainer: V1SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
};

const passwdAnnotation = 'postgresql-upgrade/passwd';

/** /etc/passwd: images know their own users only, and initdb and pg_upgrade ask for the name of theirs. */
export function passwd(userId: number): string {
  return [
    'root:x:0:0:root:/root:/bin/sh',
    `postgres:x:${String(userId)}:${String(userId)}:PostgreSQL:/tmp:/bin/sh`,
    '',
  ].join('\n');
}

export interface PodParts {
  readonly labels: Readonly<Record<string, string>>;
  readonly container: V1Container;
  /** Each comes to its end before the next begins, and `container` last; they share volumes, and neither processes nor environment. */
  readonly before?: readonly V1Container[];
  readonly volumes: NonNullable<V1PodSpec['volumes']>;
  readonly imagePullSecret: string;
  /** How much /tmp may hold; no limit of its own, where it is missing. */
  readonly room?: string;
  /** The only node on which it may run; where it is missing, the node of the server's pod is preferred. */
  readonly node?: string | undefined;
}

/**
 * The template of a pod that runs as the server's own user, where the server's
 * pod may run, without any right in the cluster. /tmp is an empty directory,
 * /etc/passwd names the user.
 */
export function podTemplate(target: Target, parts: PodParts): V1PodTemplateSpec {
  const server = target.statefulSet.spec?.template.spec;
  const spec: V1PodSpec = {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 60,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: target.userId,
      runAsGroup: server?.securityContext?.runAsGroup ?? target.userId,
      // No fsGroup: the kubelet would change the volume's owners. As one more group it opens the volume's root all the same.
      ...(target.fsGroup === undefined ? {} : { supplementalGroups: [target.fsGroup] }),
      seccompProfile: { type: 'RuntimeDefault' },
    },
    imagePullSecrets: pullSecrets(server, parts.imagePullSecret),
    ...(parts.before === undefined ? {} : { initContainers: parts.before.map(restricted) }),
    containers: [restricted(parts.container)],
    volumes: [
      ...parts.volumes,
      { name: 'tmp', emptyDir: parts.room === undefined ? {} : { sizeLimit: parts.room } },
      {
        name: 'passwd',
        downwardAPI: {
          items: [{ path: 'passwd', fieldRef: { fieldPath: `metadata.annotations['${passwdAnnotation}']` } }],
        },
      },
    ],
    ...(server?.tolerations === undefined ? {} : { tolerations: server.tolerations }),
    ...(server?.priorityClassName === undefined ? {} : { priorityClassName: server.priorityClassName }),
    ...(server?.nodeSelector === undefined ? {} : { nodeSelector: server.nodeSelector }),
    ...(parts.node === undefined ? lastNodePreferred(target.pod?.spec?.nodeName) : onlyOn(parts.node)),
  };
  return {
    metadata: {
      labels: { ...ownerLabel, ...parts.labels },
      annotations: { ...annotations, [passwdAnnotation]: passwd(target.userId) },
    },
    spec,
  };
}

function restricted(container: V1Container): V1Container {
  return {
    ...container,
    securityContext: restrictedContainer,
    volumeMounts: [
      ...(container.volumeMounts ?? []),
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'passwd', mountPath: '/etc/passwd', subPath: 'passwd', readOnly: true },
    ],
  };
}

function pullSecrets(server: V1PodSpec | undefined, extra: string): V1LocalObjectReference[] {
  const names = new Set((server?.imagePullSecrets ?? []).map((s) => s.name ?? ''));
  names.add(extra);
  return [...names].filter((name) => name !== '').map((name) => ({ name }));
}

/** Where the volume can go, the scheduler knows from the volume; where it was last, it is attached soonest and the images are. */
function lastNodePreferred(node: string | undefined): Pick<V1PodSpec, 'affinity'> {
  if (node === undefined) return {};
  return {
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: isNode(node) }],
      },
    },
  };
}

function onlyOn(node: string): Pick<V1PodSpec, 'affinity'> {
  const required = { nodeSelectorTerms: [isNode(node)] };
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } } };
}

function isNode(name: string): V1NodeSelectorTerm {
  return { matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] };
}
