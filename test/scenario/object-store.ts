import { resources, type ResourceName } from '../../src/ports/cluster.ts';

/** What a path of the API speaks of. */
export interface Place {
  readonly resource: ResourceName;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

export interface KubernetesObject {
  readonly metadata: Readonly<{
    name: string;
    namespace?: string;
    labels?: Readonly<Record<string, string>>;
    [key: string]: unknown;
  }>;
  readonly [key: string]: unknown;
}

/** Undefined for a path that no API of ours serves. */
export function placeOf(path: string): Place | undefined {
  const [, group = '', version = '', rest = ''] =
    /^\/api(?:s\/([^/]+))?\/(v1)\/(.+)$/.exec(path)?.map((part: string | undefined) => part ?? '') ?? [];
  const segments = rest.split('/').map(decodeURIComponent);
  const scoped = segments[0] === 'namespaces' && segments.length > 2;
  const [resource = '', name = '', subresource = ''] = scoped ? segments.slice(2) : segments;
  if (!(resource in resources)) return undefined;
  const known = resources[resource as ResourceName];
  if (known.group !== group || known.version !== version || (scoped && !known.namespaced)) return undefined;
  const namespace = scoped ? (segments[1] ?? '') : resource === 'namespaces' ? name : '';
  return { resource: resource as ResourceName, namespace, name, subresource };
}

/** `statefulsets.apps`, as the API server's messages call it. */
export function qualifiedName({ resource }: Pick<Place, 'resource'>): string {
  const { group } = resources[resource];
  return group === '' ? resource : `${resource}.${group}`;
}

/** The objects of the fake cluster. */
export class ObjectStore {
  private readonly objects = new Map<string, KubernetesObject>();
  private made = 0;
  private versions = 0;

  put(resource: ResourceName, object: KubernetesObject): KubernetesObject {
    const { kind, group, version, namespaced } = resources[resource];
    const { namespace = '', name } = object.metadata;
    const whole = {
      apiVersion: group === '' ? version : `${group}/${version}`,
      kind,
      ...object,
      metadata: { uid: `uid-${resource}-${name}`, ...object.metadata, resourceVersion: String(++this.versions) },
    };
    this.objects.set(key(resource, namespaced ? namespace : '', name), whole);
    return whole;
  }

  /** With a name of its own where only a prefix is given. */
  create(place: Place, body: KubernetesObject): KubernetesObject {
    const metadata = body.metadata as { name?: string; generateName?: string };
    const name = metadata.name ?? `${metadata.generateName ?? ''}${String(++this.made).padStart(5, 'x')}`;
    return { ...body, metadata: { ...body.metadata, name, namespace: place.namespace, uid: `uid-${name}` } };
  }

  get({ resource, namespace, name }: Omit<Place, 'subresource'>): KubernetesObject | undefined {
    return this.objects.get(key(resource, resources[resource].namespaced ? namespace : '', name));
  }

  remove({ resource, namespace, name }: Omit<Place, 'subresource'>): boolean {
    return this.objects.delete(key(resource, resources[resource].namespaced ? namespace : '', name));
  }

  /** One page of a list, with the token of the next one. */
  list({ resource, namespace }: Place, query: URLSearchParams): { items: KubernetesObject[]; continue?: string } {
    const selector = (query.get('labelSelector') ?? '').split(',').filter((term) => term !== '');
    const found = [...this.objects.entries()]
      .filter(([id]) => id.startsWith(`${resource}/${namespace}/`))
      .map(([, object]) => object)
      .filter(({ metadata }) =>
        selector.every((term) => metadata.labels?.[term.split('=')[0] ?? ''] === term.split('=')[1]),
      );
    const start = Number(query.get('continue') ?? '0');
    const end = start + Number(query.get('limit') ?? found.length);
    const items = found.slice(start, end);
    return end < found.length ? { items, continue: String(end) } : { items };
  }
}

function key(resource: string, namespace: string, name: string): string {
  return `${resource}/${namespace}/${name}`;
}
