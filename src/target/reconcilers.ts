import type { V1ObjectMeta } from '@kubernetes/client-node';
import { ClusterError } from '../common/errors.ts';
import { resources, type Application, type ClusterReader } from '../ports/cluster.ts';

/** A GitOps object that resets workloads to what a repository has. */
export interface Reconciler {
  readonly kind: 'Application' | 'HelmRelease' | 'Kustomization';
  /** Undefined where only managedFields show it. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  /** `statefulsets/postgresql (label argocd.argoproj.io/instance)`: on what its mark was seen. */
  readonly marks: readonly string[];
  readonly state: 'acts' | 'paused' | 'unknown' | 'unread';
  /** What was seen of the object itself, or why nothing was seen. */
  readonly seen: string;
}

/** An object of the release, by resource and name: `statefulsets/postgresql`. */
export interface Marked {
  readonly object: string;
  readonly metadata: V1ObjectMeta | undefined;
}

type Named = Pick<Reconciler, 'kind' | 'name' | 'namespace'>;
type Mark = Named & { readonly where: string };

/** Label and annotation by which Argo CD marks its objects; `app.kubernetes.io/instance` proves nothing, since Helm sets it too. */
const argoLabel = 'argocd.argoproj.io/instance';
const argoAnnotation = 'argocd.argoproj.io/tracking-id';
const argoManagers = ['argocd-controller', 'argocd-application-controller'];

/** Flux's kustomize-controller and helm-controller label what they apply with the name and namespace of their object. */
const fluxKinds = [
  ['HelmRelease', 'helm.toolkit.fluxcd.io'],
  ['Kustomization', 'kustomize.toolkit.fluxcd.io'],
] as const;

/**
 * Who reconciles these objects. Each mark counts: anybody who may annotate an object can add one that names a paused Application. Without a mark, the
 * cluster is not asked.
 * @throws ClusterError for another reason than a missing right or a missing API
 */
export async function findReconcilers(cluster: ClusterReader, objects: readonly Marked[]): Promise<Reconciler[]> {
  const found = new Map<string, { mark: Mark; marks: string[]; marked: Marked[] }>();
  for (const one of objects) {
    for (const mark of marksOn(one.metadata)) {
      const key = `${mark.kind}/${mark.namespace ?? ''}/${mark.name ?? ''}`;
      const entry = found.get(key) ?? { mark, marks: [], marked: [] };
      entry.marks.push(`${one.object} (${mark.where})`);
      entry.marked.push(one);
      found.set(key, entry);
    }
  }
  return await Promise.all(
    [...found.values()].map(async ({ mark: { kind, name, namespace }, marks, marked }) => ({
      ...{ kind, name, namespace, marks },
      ...(await stateOf(cluster, { kind, name, namespace }, marked)),
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
  // `[namespace_]application:group/kind:namespace/name`
  const [tracked = ''] = (annotations[argoAnnotation] ?? '').split(':');
  const label = labels[argoLabel] ?? '';
  const manager = managedFields.find((entry) => argoManagers.includes(entry.manager ?? ''))?.manager;
  if (tracked !== '') marks.push({ ...instance(tracked), where: `annotation ${argoAnnotation}` });
  // Argo CD cuts a name that is too long for a label.
  const isCut = label.length === longestLabel && tracked.startsWith(label);
  if (label !== '') marks.push({ ...instance(isCut ? tracked : label), where: `label ${argoLabel}` });
  if (manager !== undefined)
    marks.push({ kind: 'Application', name: undefined, namespace: undefined, where: `field manager ${manager}` });
  return marks;
}

const longestLabel = 63;

/** `[namespace_]application`, as Argo CD writes it into label and annotation. */
function instance(text: string): Named {
  const [name, namespace] = text.split('_').reverse();
  return { kind: 'Application', name, namespace };
}

type State = Pick<Reconciler, 'state' | 'seen'>;

async function stateOf(
  cluster: ClusterReader,
  { kind, name, namespace }: Named,
  marked: readonly Marked[],
): Promise<State & Partial<Named>> {
  try {
    return kind === 'Application'
      ? argoState(await cluster.list('applications'), name, namespace, marked)
      : await fluxState(cluster, kind, name ?? '', namespace);
  } catch (error) {
    if (!(error instanceof ClusterError) || (error.code !== 'forbidden' && error.code !== 'not-served')) throw error;
    // Rights are asked before the API is looked for, so that a cluster without it refuses too.
    return error.code === 'forbidden' && (await cluster.serves(resourceOf[kind]))
      ? { state: 'unread', seen: `the kubeconfig's user may not read it: ${error.message}` }
      : {
          state: 'unknown',
          seen: `judged by the mark alone, since this cluster has no API for ${kind} objects: it was deleted or is in another cluster`,
        };
  }
}

const resourceOf = {
  Application: 'applications',
  HelmRelease: 'helmreleases',
  Kustomization: 'kustomizations',
} as const;

/** By the Application of this name, and by each that manages one of these objects: the mark may name another one. */
function argoState(
  all: readonly Application[],
  name: string | undefined,
  namespace: string | undefined,
  marked: readonly Marked[],
): State & Partial<Named> {
  const named = all.filter(
    ({ metadata }) => metadata.name === name && (namespace === undefined || metadata.namespace === namespace),
  );
  const managing = all.filter((one) => marked.some((object) => manages(one, object)));
  const acting = [...named, ...managing].find(syncsItself);
  if (acting !== undefined) {
    const { metadata, spec } = acting;
    return {
      ...(named.includes(acting) ? {} : { name: metadata.name, namespace: metadata.namespace }),
      state: 'acts',
      seen: `Application ${metadata.name} in namespace ${metadata.namespace ?? '?'} syncs by itself${spec?.syncPolicy?.automated?.selfHeal === true ? ', with self-heal' : ''}`,
    };
  }
  if (name !== undefined && named.length === 0) return { state: 'unknown', seen: `there is no Application ${name}` };
  const found = name ?? managing[0]?.metadata.name;
  return found === undefined
    ? { state: 'unknown', seen: 'no mark names the Application' }
    : { state: 'paused', seen: `Application ${found} has no automated sync` };
}

/** Without self-heal too a commit in the middle of the upgrade is synced. `enabled` came with Argo CD 3.1. */
function syncsItself({ spec }: Application): boolean {
  const automated = spec?.syncPolicy?.automated;
  return automated !== undefined && automated !== null && automated.enabled !== false;
}

function manages({ status }: Application, { object, metadata }: Marked): boolean {
  return (status?.resources ?? []).some(
    ({ kind, namespace, name = '' }) =>
      namespace === metadata?.namespace &&
      Object.entries(resources).some(([resource, known]) => known.kind === kind && object === `${resource}/${name}`),
  );
}

async function fluxState(
  cluster: ClusterReader,
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
