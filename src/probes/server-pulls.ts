import type { V1Pod } from '@kubernetes/client-node';
import { ClusterError } from '../common/errors.ts';
import type { Target } from '../target/target.ts';

/** By what a node decides whether it may pull an image for the server's pod, besides the pull secrets of the pod template. */
export interface Pulls {
  /** Undefined: the namespace's service account `default`. */
  readonly serviceAccountName: string | undefined;
  readonly imagePullPolicy: string;
}

/**
 * How the StatefulSet pulls. A probe of PostgreSQL 14 pulls in the same way, without the Secret of `image-pull-secret`: the StatefulSet does not have that one,
 * so an image that only it opens would be missing in the downtime. The probe names the service account, since the API server takes its pull secrets where the
 * template names none, and a node's credential program may use its token (https://kubernetes.io/docs/concepts/containers/images/, KEP-4412). It mounts no token.
 * Decision: docs/decisions/0015-images.md
 */
export function pullsOf({ statefulSet, container }: Target): Pulls {
  return {
    serviceAccountName: statefulSet.spec?.template.spec?.serviceAccountName,
    imagePullPolicy: container.imagePullPolicy ?? 'IfNotPresent',
  };
}

/**
 * The error of a probe whose image can't be run.
 * @param pod as the action made it
 * @param reason as its node says it
 */
export function unusableImage({ metadata, spec }: V1Pod, image: string, reason: string): ClusterError {
  const role = metadata?.labels?.['postgresql-upgrade/probe'] ?? '';
  if (!ofServing.has(role))
    return new ClusterError(
      'image-unusable',
      `Image ${image} can't be run: ${reason}`,
      'Correct "upgrade-image" or "image-pull-secret".',
    );
  const names = (spec?.imagePullSecrets ?? []).map(({ name }) => name ?? '');
  const own = names.length > 0 ? names.join(', ') : `those of service account ${spec?.serviceAccountName ?? 'default'}`;
  return new ClusterError(
    'image-unusable',
    `Image ${image} can't be run as the StatefulSet would run it (pull secrets: ${own}): ${reason}`,
    'Compare the name of the image with "image-source", "image-repository" and "image-tag". If the registry refuses the pull, give the StatefulSet a pull secret of that registry. PostgreSQL 14 starts without "image-pull-secret". Add the name of the Secret to "postgresql.image.pullSecrets" in values.yaml, and run `helm upgrade` (docs/registries.md).',
  );
}

/** Probes that run what the StatefulSet will run. */
const ofServing: ReadonlySet<string> = new Set(['serving', 'start']);
