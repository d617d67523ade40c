import type { PatchOperation } from '../ports/cluster.ts';
import { pausedAnnotation, pausedReplicasAnnotation, type Autoscaler } from '../target/scaled-objects.ts';
import type { Context } from './step.ts';

const annotationsPath = '/metadata/annotations';

/** Keeps KEDA's hands off the replicas. Its `paused-replicas` would win over `paused`, and hold the workload up. */
export async function pauseAutoscaler(context: Context, { name }: Autoscaler): Promise<void> {
  await annotate(context, name, { [pausedAnnotation]: 'true', [pausedReplicasAnnotation]: null });
  context.log.info(`scaledobjects/${name}: paused`);
}

/** Gives a ScaledObject exactly the annotations for a pause that it had. */
export async function putBackAutoscaler(context: Context, { name, paused, pausedReplicas }: Autoscaler): Promise<void> {
  await annotate(context, name, { [pausedAnnotation]: paused, [pausedReplicasAnnotation]: pausedReplicas });
  context.log.info(
    `scaledobjects/${name}: ${paused === null && pausedReplicas === null ? 'not paused' : 'paused as it was'}`,
  );
}

/** One that somebody deleted meanwhile scales nothing, and has nothing to be put back. */
async function annotate(
  { cluster, target }: Context,
  name: string,
  wanted: Readonly<Record<string, string | null>>,
): Promise<void> {
  const now = await cluster.find('scaledobjects', name, target.namespace);
  if (now === undefined) return;
  const { annotations } = now.metadata;
  const operations = Object.entries(wanted).flatMap(([annotation, value]): PatchOperation[] => {
    const path = `${annotationsPath}/${annotation.replaceAll('/', '~1')}`;
    if (value !== null) return [{ op: 'add', path, value }];
    return annotations?.[annotation] === undefined ? [] : [{ op: 'remove', path }];
  });
  if (operations.length === 0) return;
  const first: PatchOperation[] = annotations === undefined ? [{ op: 'add', path: annotationsPath, value: {} }] : [];
  await cluster.patch('scaledobjects', name, target.namespace, [...first, ...operations]);
}
