import type { V1Container, V1Job, V1PodSpec } from '@kubernetes/client-node';
import type { Inputs } from '../inputs/inputs.ts';
import type { Target } from '../target/target.ts';
import { ownerLabel, podTemplate } from './pod.ts';

/**
 * Of the Job whose pod, the anchor, keeps the server's volume attached to its node while no server runs. It does not begin with the upgrade
 * Job's name: Jobs that do are taken for one that works on the volume.
 * Decision: docs/decisions/0029-anchor.md
 */
export const anchorName = 'postgres-upgrade-anchor';

const containerNames = ['upgrade-image', 'serving-image'] as const;

export interface AnchorParts {
  /** Of the upgrade Job, and of PostgreSQL 14. */
  readonly images: readonly [string, string];
  readonly imagePullSecret: string;
  /** Which upgrade it belongs to. */
  readonly runId: string;
  /** Seconds after which Kubernetes ends it. */
  readonly lifetime: number;
}

/** The node where the anchor would be; undefined where none can be made: a claim that is ReadWriteOncePod admits one pod only. */
export function anchorNode({ pod, volume }: Pick<Target, 'pod' | 'volume'>): string | undefined {
  const isOfOnePod = volume.claim.spec?.accessModes?.includes('ReadWriteOncePod') === true;
  return isOfOnePod ? undefined : pod?.spec?.nodeName;
}

/** Seconds: the longest downtime by the limits of the inputs, and an hour for what has none, such as the measurement of the data. */
export function anchorLifetime(inputs: Inputs): number {
  const { applicationsTimeout, clientsTimeout, shutdownTimeout, detachTimeout } = inputs;
  const { snapshotTimeout, jobStartTimeout, jobTimeout, startTimeout, backup } = inputs;
  const before = applicationsTimeout + clientsTimeout + shutdownTimeout + detachTimeout;
  const after = snapshotTimeout + jobStartTimeout + jobTimeout + startTimeout;
  const copy = backup === 'copy' ? jobStartTimeout + jobTimeout : 0;
  return Math.ceil((before + copy + after) / 1000) + 3600;
}

/**
 * The Job of the anchor. Its pod names the server's claim in its volumes, and no container has the volume: so the kubelet never mounts it, and the
 * attach-detach controller keeps it attached as long as the pod lives. Its containers only sleep. They have the images that the downtime
 * needs, so that the node has them by then.
 * @param node where the server's pod is
 */
export function anchorJob(target: Target, node: string, parts: AnchorParts): V1Job {
  const [upgrade, serving] = parts.images;
  const template = podTemplate(target, {
    labels: { 'app.kubernetes.io/name': anchorName },
    imagePullSecret: parts.imagePullSecret,
    container: sleeper(containerNames[0], upgrade, parts),
    beside: sleeper(containerNames[1], serving, parts),
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: target.volume.claimName } }],
    node,
  });
  return {
    metadata: {
      name: anchorName,
      namespace: target.namespace,
      labels: { ...ownerLabel, 'app.kubernetes.io/name': anchorName },
    },
    spec: {
      // Nobody makes it again when it is evicted: the volume then leaves the node, as it has to.
      backoffLimit: 0,
      activeDeadlineSeconds: parts.lifetime,
      // What a killed run left names the claim also when it has ended, and would keep Kubernetes from deleting the claim.
      ttlSecondsAfterFinished: 60,
      template: {
        ...template,
        spec: {
          ...template.spec,
          containers: template.spec?.containers ?? [],
          ...drawing(target, template.spec),
          // There is nothing that has to end well, and the volume is detached as soon as the pod is gone.
          terminationGracePeriodSeconds: 0,
        },
      },
    },
  };
}

function sleeper(name: string, image: string, { runId, lifetime }: AnchorParts): V1Container {
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['sleep', String(lifetime)],
    env: [{ name: 'RUN_ID', value: runId }],
    resources: { requests: { cpu: '1m', memory: '8Mi' }, limits: { cpu: '50m', memory: '32Mi' } },
  };
}

/**
 * Draws PostgreSQL 14's pod to the anchor's node, without a word in its own template: the scheduler counts what running pods prefer (InterPodAffinity).
 */
function drawing({ statefulSet }: Target, spec: V1PodSpec | undefined): Pick<V1PodSpec, 'affinity'> {
  const ofServer = statefulSet.spec === undefined ? {} : { labelSelector: statefulSet.spec.selector };
  const podAffinityTerm = { ...ofServer, topologyKey: 'kubernetes.io/hostname' };
  return {
    affinity: {
      ...spec?.affinity,
      podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] },
    },
  };
}

/** Whether these are the containers of the anchor, which nobody can change; others may be injected beside them. */
export function isAnchor(spec: V1PodSpec | undefined): boolean {
  return containerNames.every((wanted) =>
    spec?.containers.some(({ name, command }) => name === wanted && command?.[0] === 'sleep'),
  );
}

/** Whether the action has made a Job of that name. */
export function isOurAnchor({ spec }: V1Job): boolean {
  return isAnchor(spec?.template.spec);
}
