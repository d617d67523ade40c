import type { ClusterReader } from '../ports/cluster.ts';
import { z } from 'zod';
import type { Target } from '../target/target.ts';

/** A ControllerRevision of a StatefulSet, as far as it is read here: its pod template. */
const revision = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({ containers: z.array(z.object({ name: z.string(), image: z.string().optional() })) }),
    }),
  }),
});

/**
 * The images that the StatefulSet has had for PostgreSQL, the latest first, by the ControllerRevisions that Kubernetes keeps (`revisionHistoryLimit`, 10).
 * They belong to it by its UID, not by labels, which others may change; and nobody can change their data.
 */
export async function imageHistory(
  cluster: ClusterReader,
  { namespace, statefulSet, container }: Target,
): Promise<string[]> {
  const revisions = await cluster.list('controllerrevisions', { namespace });
  const images = revisions
    .filter(({ metadata }) => metadata?.ownerReferences?.some(({ uid }) => uid === statefulSet.metadata?.uid))
    .sort((a, b) => b.revision - a.revision)
    .map(({ data }) => revision.safeParse(data).data?.spec.template.spec.containers)
    .map((containers) => containers?.find(({ name }) => name === container.name)?.image);
  return [...new Set(images.filter((image) => image !== undefined))];
}
