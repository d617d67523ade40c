import type { ClusterReader } from '../ports/cluster.ts';

/** A revision of a Helm release, by the labels of its Secret. */
export interface HelmRevision {
  readonly release: string;
  readonly revision: number;
  /** `deployed`, `pending-upgrade`, `failed` … */
  readonly status: string;
}

/**
 * The newest revision of each release in the namespace. Only the metadata of Helm's Secrets is asked for: the values in them never leave the cluster.
 * @throws ClusterError
 */
export async function newestRevisions(cluster: ClusterReader, namespace: string): Promise<HelmRevision[]> {
  const secrets = await cluster.list('secrets', { namespace, labelSelector: 'owner=helm', metadataOnly: true });
  const newest = new Map<string, HelmRevision>();
  for (const { metadata } of secrets) {
    const { name: release = '', version = '0', status = '' } = metadata?.labels ?? {};
    const revision = Number(version);
    if (revision > (newest.get(release)?.revision ?? -1)) newest.set(release, { release, revision, status });
  }
  return [...newest.values()];
}
