import { WaitError } from '../../common/errors.ts';
import type { PatchOperation } from '../../ports/cluster.ts';
import { pausedAnnotation, pausedReplicasAnnotation, type Autoscaler } from '../../target/scaled-objects.ts';
import { waitFor } from '../../ports/wait.ts';
import type { Context } from '../contract/step.ts';

const annotationsPath = '/metadata/annotations';

/** Keeps KEDA from changing the replicas. Its `paused-replicas` would override `paused`, and keep the workload running. */
export async function pauseAutoscaler(context: Context, { name }: Autoscaler): Promise<void> {
  await annotate(context, name, pause);
  context.log.info(`scaledobjects/${name}: paused`);
}

/** Milliseconds: KEDA acts on a change of a ScaledObject at once; where it does not run, it does not scale either. */
const pausePatience = 30_000;

/**
 * Waits until KEDA reports that it has paused them: before that it may scale up what is being stopped. If a ScaledObject has no
 * condition `Paused`, no KEDA has seen it, or KEDA is older than the condition: then there is nothing to wait for.
 * Decision: docs/decisions/0004-scheduling-gate.md
 */
export async function autoscalersPaused(context: Context, autoscalers: readonly Autoscaler[]): Promise<void> {
  const { cluster, target, log } = context;
  const wait = { what: 'KEDA to pause', limit: pausePatience, limitInput: 'applications-timeout', ...context };
  try {
    await waitFor(wait, async () => {
      const found = await Promise.all(
        autoscalers.map(({ name }) => cluster.find('scaledobjects', name, target.namespace)),
      );
      const left = found.flatMap((now) => {
        const isPaused = now?.status?.conditions?.find(({ type }) => type === 'Paused');
        return now === undefined || isPaused === undefined || isPaused.status === 'True' ? [] : [now.metadata.name];
      });
      return left.length === 0
        ? { done: undefined }
        : { pending: left.map((name) => `scaledobjects/${name}`).join(', ') };
    });
  } catch (error) {
    if (!(error instanceof WaitError)) throw error;
    log.info(`${error.message} Continuing all the same: if KEDA scales up a stopped workload, a later step sees it.`);
  }
}

/** Restores exactly the annotations for a pause that the ScaledObject had. */
export async function restoreAutoscaler(context: Context, autoscaler: Autoscaler): Promise<void> {
  const { name, paused, pausedReplicas } = autoscaler;
  await annotate(context, name, recordedPause(autoscaler));
  context.log.info(
    `scaledobjects/${name}: ${paused === null && pausedReplicas === null ? 'not paused' : 'paused as it was'}`,
  );
}

/** One that somebody deleted meanwhile scales nothing, and needs nothing restored. */
async function annotate({ cluster, target }: Context, name: string, wanted: Annotations): Promise<void> {
  const now = await cluster.find('scaledobjects', name, target.namespace);
  if (now === undefined) return;
  const operations = annotationOperations(now, wanted);
  if (operations.length > 0) await cluster.patch('scaledobjects', name, target.namespace, operations);
}

/** Annotations to set; null: to remove. */
type Annotations = Readonly<Record<string, string | null>>;

export const pause: Annotations = { [pausedAnnotation]: 'true', [pausedReplicasAnnotation]: null };

export function recordedPause({ paused, pausedReplicas }: Autoscaler): Annotations {
  return { [pausedAnnotation]: paused, [pausedReplicasAnnotation]: pausedReplicas };
}

/** What gives an object these annotations. */
export function annotationOperations(
  now: { readonly metadata?: { readonly annotations?: Record<string, string> } },
  wanted: Annotations,
): PatchOperation[] {
  const annotations = now.metadata?.annotations;
  const operations = Object.entries(wanted).flatMap(([annotation, value]): PatchOperation[] => {
    const path = `${annotationsPath}/${annotation.replaceAll('/', '~1')}`;
    if (value !== null) return [{ op: 'add', path, value }];
    return annotations?.[annotation] === undefined ? [] : [{ op: 'remove', path }];
  });
  const isFirst = annotations === undefined && operations.length > 0;
  return isFirst ? [{ op: 'add', path: annotationsPath, value: {} }, ...operations] : operations;
}
