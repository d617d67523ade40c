import type { V1Node, V1Pod } from '@kubernetes/client-node';
import type { ClusterReader } from '../ports/cluster.ts';
import { parseImageId, splitName, withoutDigest } from '../common/image.ts';

/** What a node says that a container runs. */
export interface SeenImage {
  /** As the container runtime names it: mostly `repository@sha256:…`, or `sha256:…` alone for an image that was not pulled. */
  readonly imageId: string;
  readonly node: string;
}

/** The same, with what the node is: `amd64 containerd`; '' where nodes may not be read. */
export interface RecordedImage extends SeenImage {
  readonly platform: string;
}

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

/**
 * The reference with the digest that a probe saw, so that a tag which is moved meanwhile changes nothing. As it is where it has a digest, or
 * where the node names none of the same repository: the digest of another repository may not exist there.
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
 * same architecture and container runtime, since a runtime may name the digest of a manifest list or that of the platform's manifest.
 */
export function compareImages(then: RecordedImage, now: RecordedImage): 'same' | 'another' | 'unknown' {
  const [a, b] = [partsOf(then.imageId), partsOf(now.imageId)];
  if (a === undefined || b === undefined) return 'unknown';
  if (a.digest === b.digest) return 'same';
  const isSamePlatform = then.platform !== '' && then.platform === now.platform;
  const isComparable = a.repository === b.repository && (then.node === now.node || isSamePlatform);
  return isComparable ? 'another' : 'unknown';
}

/**
 * Compares what a container runs with what the probe of the prechecks saw. The node's platform is read where it is another node.
 * @param seen undefined where nothing tells what the container runs: that can't be compared
 * @returns the answer, and both images for people
 */
export async function compareWithProbe(
  cluster: Pick<ClusterReader, 'list'>,
  then: RecordedImage,
  seen: SeenImage | undefined,
): Promise<{ answer: ReturnType<typeof compareImages>; both: string }> {
  const now = { node: '', imageId: '', ...seen };
  const platform = now.node === then.node ? then.platform : await readPlatform(cluster, now.node);
  return {
    answer: compareImages(then, { ...now, platform }),
    both: `the checks saw ${then.imageId} on node ${then.node}, and ${now.imageId || 'no imageID'} runs on node ${now.node}`,
  };
}

/** '' where nodes may not be read. */
async function readPlatform(cluster: Pick<ClusterReader, 'list'>, node: string): Promise<string> {
  try {
    return platformOf(node, await cluster.list('nodes'));
  } catch {
    return '';
  }
}

function partsOf(imageId: string): { repository: string | undefined; digest: string } | undefined {
  const { name, digest } = parseImageId(imageId) ?? {};
  if (digest === undefined) return undefined;
  return { repository: name === undefined ? undefined : repositoryOf(name), digest };
}

/** With the registry that container runtimes put before a name without one. */
function repositoryOf(reference: string): string {
  const name = withoutDigest(reference).replace(/:[^:/]*$/, '');
  const { registry, repository } = splitName(name);
  return name.includes('/') ? `${registry}/${repository}` : `docker.io/library/${name}`;
}
