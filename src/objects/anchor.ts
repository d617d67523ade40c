import type { V1Container, V1Job, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import type { Inputs } from '../inputs/inputs.ts';
import type { Target } from '../target/target.ts';
import { ownerLabel, podTemplate } from './pod.ts';

/**
 * Of the Job whose pod, the anchor, keeps the server's volume attached to its node and mounted while no server runs. It does not begin with the
 * upgrade Job's name: Jobs that do are taken for one that works on the volume.
 * Decision: docs/decisions/0029-anchor.md
 */
export const anchorName = 'postgres-upgrade-anchor';

/** Of the containers, in the order in which they would start: the last one never does. */
const containerNames = { serving: 'serving-image', sleeper: 'upgrade-image', neverStarted: 'volume' } as const;

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
 * The Job of the anchor. An init container sleeps for as long as the anchor lives, so that its one container never starts. That one has the server's
 * volume: therefore the kubelet keeps it mounted, and the attach-detach controller keeps it attached. The init containers don't have it. They have the
 * images that the downtime needs, so that the node has them by then.
 * @param node where the server's pod is
 */
export function anchorJob(target: Target, node: string, parts: AnchorParts): V1Job {
  const [upgrade, serving] = parts.images;
  const { serving: first, sleeper, neverStarted } = containerNames;
  const template = podTemplate(target, {
    labels: { 'app.kubernetes.io/name': anchorName },
    imagePullSecret: parts.imagePullSecret,
    before: [
      idle(first, serving, ['true'], parts),
      // Kubernetes ends the Job first. If it does not, the container below starts, and does nothing either.
      idle(sleeper, upgrade, ['sleep', String(parts.lifetime)], parts),
    ],
    container: {
      ...idle(neverStarted, upgrade, ['true'], parts),
      volumeMounts: [{ name: 'data', mountPath: target.volume.mountPath, readOnly: true }],
    },
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

function idle(name: string, image: string, command: string[], { runId }: AnchorParts): V1Container {
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command,
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
function hasContainersOfAnchor(spec: V1PodSpec | undefined): boolean {
  const { initContainers = [], containers = [] } = spec ?? {};
  const has = (among: readonly V1Container[], wanted: string, command: string) =>
    among.some((one) => one.name === wanted && one.command?.[0] === command);
  return has(initContainers, containerNames.sleeper, 'sleep') && has(containers, containerNames.neverStarted, 'true');
}

/**
 * Whether a pod is an anchor that is at work: it sleeps, so that its container has never started. Kubernetes starts the containers of a pod when all its init
 * containers have ended (https://kubernetes.io/docs/concepts/workloads/pods/init-containers/).
 */
export function isAsleep({ spec, status }: V1Pod): boolean {
  const sleeper = status?.initContainerStatuses?.find(({ name }) => name === containerNames.sleeper);
  return hasContainersOfAnchor(spec) && status?.phase === 'Pending' && sleeper?.state?.running !== undefined;
}

/** Whether the action has made a Job of that name. */
export function isOurAnchor({ spec }: V1Job): boolean {
  return hasContainersOfAnchor(spec?.template.spec);
}
