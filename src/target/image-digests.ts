import type { V1Node, V1Pod } from '@kubernetes/client-node';

/** What a node says that a container runs. */
export interface SeenImage {
  /** As the container runtime tells it: mostly `repository@sha256:…`, or `sha256:…` alone for an image that nobody pulled. */
  readonly imageId: string;
  readonly node: string;
}

/** The same, with what the node is: `amd64 containerd`; '' where nodes may not be read. */
export interface RecordedImage extends SeenImage {
  readonly platform: string;
}

const digest = 'sha256:[0-9a-f]{64}';

/** Undefined before the container has been started. */
export function seenImage(pod: V1Pod | undefined, container: string): SeenImage | undefined {
  const status = pod?.status?.containerStatuses?.find(({ name }) => name === container);
  const imageId = status?.imageID ?? '';
  return imageId === '' ? undefined : { imageId, node: pod?.spec?.nodeName ?? '' };
}

/** Architecture and container runtime of a node, of the nodes that could be read. */
export function platformOf(node: string, nodes: readonly V1Node[]): string {
  const info = nodes.find(({ metadata }) => metadata?.name === node)?.status?.nodeInfo;
  return info === undefined ? '' : `${info.architecture} ${info.containerRuntimeVersion.split(':')[0] ?? ''}`;
}

/** A reference without its digest. */
export function withoutDigest(reference: string): string {
  return reference.replace(new RegExp(`@${digest}$`), '');
}

/**
 * The reference with the digest that a probe saw, so that a tag which is moved meanwhile changes nothing. As it is where it has a digest, or
 * where the node tells none of the same repository: the digest of another one need not be there.
 * Decision: docs/decisions/0015-images.md
 */
export function pinned(reference: string, seen: SeenImage | undefined): string {
  const id = seen && partsOf(seen.imageId);
  if (reference.includes('@') || id?.repository === undefined || id.repository !== repositoryOf(reference))
    return reference;
  return `${reference}@${id.digest}`;
}

/**
 * Whether two containers run the same image. Only like is compared with like: the digest of one repository, on one node or on nodes of the
 * same architecture and container runtime, since a runtime may tell the digest of a manifest list or that of the platform's manifest.
 */
export function compareImages(then: RecordedImage, now: RecordedImage): 'same' | 'another' | 'unknown' {
  const [a, b] = [partsOf(then.imageId), partsOf(now.imageId)];
  if (a === undefined || b === undefined) return 'unknown';
  if (a.digest === b.digest) return 'same';
  const isSamePlatform = then.platform !== '' && then.platform === now.platform;
  const isComparable = a.repository === b.repository && (then.node === now.node || isSamePlatform);
  return isComparable ? 'another' : 'unknown';
}

function partsOf(imageId: string): { repository: string | undefined; digest: string } | undefined {
  const [, name, found] = new RegExp(`^(?:[a-z-]+://)?(?:([^@]+)@)?(${digest})$`).exec(imageId) ?? [];
  if (found === undefined) return undefined;
  return { repository: name === undefined ? undefined : repositoryOf(name), digest: found };
}

/** With the registry that container runtimes put before a name without one. */
function repositoryOf(reference: string): string {
  const path = withoutDigest(reference).replace(/:[^:/]*$/, '');
  const [first = '', ...rest] = path.split('/');
  if (rest.length === 0) return `docker.io/library/${path}`;
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost';
  return isHost ? path : `docker.io/${path}`;
}
