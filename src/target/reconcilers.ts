import type { V1ObjectMeta } from '@kubernetes/client-node';
import { ClusterError } from '../errors.ts';
import type { Cluster } from '../ports/cluster.ts';

/** A GitOps object that puts workloads back as a repository has them. */
export interface Reconciler {
  readonly kind: 'Application' | 'HelmRelease' | 'Kustomization';
  /** Undefined where only managedFields tell of it. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  /** `statefulsets/postgresql (label argocd.argoproj.io/instance)`: on what its mark was seen. */
  readonly marks: readonly string[];
  readonly state: 'acts' | 'paused' | 'unknown' | 'unread';
  /** What was seen of the object itself, or why nothing was. */
  readonly seen: string;
}

/** An object of the release, with its name for people. */
export interface Marked {
  readonly object: string;
  readonly metadata: V1ObjectMeta | undefined;
}

type Mark = Pick<Reconciler, 'kind' | 'name' | 'namespace'> & { readonly where: string };

/** Label and annotation by which Argo CD knows what is its own; `app.kubernetes.io/instance` is Helm's too, and tells nothing. */
const argoLabel = 'argocd.argoproj.io/instance';
const argoAnnotation = 'argocd.argoproj.io/tracking-id';
const argoManagers = ['argocd-controller', 'argocd-application-controller'];

/** Flux's kustomize-controller and helm-controller label what they apply with the name and namespace of their object. */
const fluxKinds = [
  ['HelmRelease', 'helm.toolkit.fluxcd.io'],
  ['Kustomization', 'kustomize.toolkit.fluxcd.io'],
] as const;

/**
 * Who reconciles these objects. Nothing is asked of the cluster where nobody left a mark.
 * @throws ClusterError when it can't be told for another reason than a missing right or a missing API
 */
export async function findReconcilers(cluster: Cluster, objects: readonly Marked[]): Promise<Reconciler[]> {
  const found = new Map<string, { mark: Mark; marks: string[] }>();
  for (const { object, metadata } of objects) {
    for (const mark of marksOn(metadata)) {
      const key = `${mark.kind}/${mark.namespace ?? ''}/${mark.name ?? ''}`;
      const entry = found.get(key) ?? { mark, marks: [] };
      entry.marks.push(`${object} (${mark.where})`);
      found.set(key, entry);
    }
  }
  return await Promise.all(
    [...found.values()].map(async ({ mark: { kind, name, namespace }, marks }) => ({
      ...{ kind, name, namespace, marks },
      ...(await stateOf(cluster, kind, name, namespace)),
    })),
  );
}

function marksOn(metadata: V1ObjectMeta | undefined): Mark[] {
  const { labels = {}, annotations = {}, managedFields = [] } = metadata ?? {};
  const marks: Mark[] = fluxKinds.flatMap(([kind, group]) => {
    const name = labels[`${group}/name`];
    return name === undefined
      ? []
      : [{ kind, name, namespace: labels[`${group}/namespace`], where: `label ${group}/name` }];
  });
  const argo = { kind: 'Application', namespace: undefined } as const;
  // `[namespace_]application:group/kind:namespace/name`
  const [tracked] = (annotations[argoAnnotation] ?? '').split(':');
  const manager = managedFields.find((entry) => argoManagers.includes(entry.manager ?? ''))?.manager;
  if (tracked !== undefined && tracked !== '') {
    const [name, namespace] = tracked.split('_').reverse();
    marks.push({ ...argo, name, namespace, where: `annotation ${argoAnnotation}` });
  } else if (labels[argoLabel] !== undefined)
    marks.push({ ...argo, name: labels[argoLabel], where: `label ${argoLabel}` });
  else if (manager !== undefined) marks.push({ ...argo, name: undefined, where: `field manager ${manager}` });
  return marks;
}

async function stateOf(
  cluster: Cluster,
  kind: Reconciler['kind'],
  name: string | undefined,
  namespace: string | undefined,
): Promise<Pick<Reconciler, 'state' | 'seen'>> {
  if (name === undefined) return { state: 'unknown', seen: 'which Application it is can not be told' };
  try {
    return kind === 'Application'
      ? await argoState(cluster, name, namespace)
      : await fluxState(cluster, kind, name, namespace);
  } catch (error) {
    if (!(error instanceof ClusterError) || (error.code !== 'forbidden' && error.code !== 'not-served')) throw error;
    // Rights are asked before the API is looked for, so that a cluster without it refuses too.
    return error.code === 'forbidden' && (await cluster.serves(resourceOf[kind]))
      ? { state: 'unread', seen: `it may not be read: ${error.message}` }
      : {
          state: 'unknown',
          seen: `judged by the mark alone: this cluster has no API for ${kind} objects, so it is gone or works from another cluster`,
        };
  }
}

const resourceOf = {
  Application: 'applications',
  HelmRelease: 'helmreleases',
  Kustomization: 'kustomizations',
} as const;

async function argoState(cluster: Cluster, name: string, namespace: string | undefined) {
  const all = await cluster.list('applications');
  const named = all.filter(
    ({ metadata }) => metadata.name === name && (namespace === undefined || metadata.namespace === namespace),
  );
  if (named.length === 0) return { state: 'unknown', seen: `there is no Application ${name}` } as const;
  // Without self-heal too a commit in the middle of the upgrade is synced. `enabled` came with Argo CD 3.1.
  const acting = named.find(({ spec }) => {
    const automated = spec?.syncPolicy?.automated;
    return automated !== undefined && automated !== null && automated.enabled !== false;
  });
  return acting === undefined
    ? ({ state: 'paused', seen: `Application ${name} has no automated sync` } as const)
    : ({
        state: 'acts',
        seen: `Application ${name} in namespace ${acting.metadata.namespace ?? '?'} syncs by itself${acting.spec?.syncPolicy?.automated?.selfHeal === true ? ', with self-heal' : ''}`,
      } as const);
}

async function fluxState(
  cluster: Cluster,
  kind: 'HelmRelease' | 'Kustomization',
  name: string,
  namespace: string | undefined,
) {
  const found = await cluster.find(resourceOf[kind], name, namespace);
  if (found === undefined)
    return { state: 'unknown', seen: `there is no ${kind} ${name} in namespace ${namespace ?? '?'}` } as const;
  return found.spec?.suspend === true
    ? ({ state: 'paused', seen: `${kind} ${name} is suspended` } as const)
    : ({ state: 'acts', seen: `${kind} ${name} is not suspended` } as const);
}
