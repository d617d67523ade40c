import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { ClusterError, describe, sentence, WaitError } from '../../common/errors.ts';
import { newestEvent } from '../../job/newest-event.ts';
import { podProgress } from '../../job/follow-pod.ts';
import { anchorJob, anchorLifetime, anchorName, anchorNode } from '../../objects/anchor.ts';
import { shell } from '../../text/shell.ts';
import { waitFor, type Look } from '../../ports/wait.ts';
import type { Anchor, Context, PlanContext, Step } from '../contract/step.ts';
import { clearAnchor, isAtAnchor } from '../server/anchor.ts';

/** Milliseconds until the anchor must run: its node may have to pull two images. Nothing is stopped meanwhile. */
const limit = 120_000;

/**
 * Makes the anchor: a pod that keeps the volume attached through the downtime, and brings the images to the node. If it can't run, the upgrade goes on without it.
 * Decision: docs/decisions/0029-anchor.md
 */
export const keepAttached: Step = {
  id: 'anchor',
  title: 'Keep the volume attached',
  undoTitle: 'Remove what keeps the volume attached',

  plan(draft) {
    const node = anchorNode(draft.target);
    if (node === undefined) return [];
    return [{ does: 'create', resource: 'jobs', object: jobOf(draft, node), until: 'PostgreSQL 14 serves' }];
  },

  async run(context) {
    const { cluster, target, journal, results, log } = context;
    // Of an earlier run: the server may be on another node by now.
    await clearAnchor(context);
    // In a downtime that another run began, it would only prolong the downtime.
    if (journal.noted.downSince !== undefined) return;
    const pod = await cluster.find('pods', target.podName, target.namespace);
    const node = anchorNode({ ...target, pod });
    if (node === undefined) {
      expectDetaching(context);
      log.info(`Made no anchor: ${pod === undefined ? 'PostgreSQL has no pod' : reasonWithoutNode(context)}`);
      return;
    }
    const made = await start(context, node).catch((error: unknown) => {
      if (error instanceof ClusterError || error instanceof WaitError) return describe(error);
      throw error;
    });
    if (typeof made !== 'string') {
      results.anchor = made;
      log.info(`Pod ${made.pod} keeps the volume attached to node ${node}`);
      return;
    }
    await clearAnchor(context);
    expectDetaching(context);
    log.info(`${sentence(made)} The upgrade goes on without the anchor: the volume will be detached in the downtime`);
  },

  async undo(context) {
    const wasThere = await clearAnchor(context);
    context.log.info(
      wasThere ? `Deleted Job ${anchorName}` : `Nothing to remove: this action has no Job ${anchorName}`,
    );
  },
};

/** Nothing tells how long the storage takes to detach the volume and to attach it again. */
function expectDetaching({ timeline }: Context): void {
  timeline.expect({ 'stop-postgresql': undefined, 'upgrade-job': undefined, activate: undefined });
}

function reasonWithoutNode({ target }: Context): string {
  const { accessModes = [] } = target.volume.claim.spec ?? {};
  return `PersistentVolumeClaim ${target.volume.claimName} (${accessModes.join(', ')}) admits no second pod`;
}

function jobOf({ target, settings, serving, inputs }: PlanContext | Context, node: string): V1Job {
  return anchorJob(target, node, {
    images: [settings.image, serving.reference],
    imagePullSecret: settings.imagePullSecret,
    runId: settings.runId,
    lifetime: anchorLifetime(inputs),
  });
}

/**
 * @returns why it can't run, where it can't
 * @throws ClusterError when the API server refuses it, WaitError when it does not run in time
 */
async function start(context: Context, node: string): Promise<Anchor | string> {
  const { cluster, target } = context;
  const job = await cluster.create('jobs', jobOf(context, node), { namespace: target.namespace });
  const labelSelector = `batch.kubernetes.io/controller-uid=${job.metadata?.uid ?? ''}`;
  const what = `the pod of Job ${anchorName} to run`;
  const lookAt = shell`kubectl -n ${target.namespace} describe pods -l ${labelSelector}`;
  return await waitFor({ what, limit, lookAt, ...context }, async () => {
    const [pod] = await cluster.list('pods', { namespace: target.namespace, labelSelector });
    if (pod === undefined)
      return { pending: (await newestEvent(cluster, target.namespace, anchorName)) ?? 'it does not exist yet' };
    return lookAtPod(pod, target.volume.claimName);
  });
}

function lookAtPod(pod: V1Pod, claimName: string): Look<Anchor | string> {
  const { name = '', uid = '' } = pod.metadata ?? {};
  const { nodeName: node = '', containers = [] } = pod.spec ?? {};
  if (isAtAnchor(pod, claimName)) return { done: { pod: name, uid, node } };
  let pending = pod.status?.phase ?? 'Pending';
  for (const container of containers) {
    const progress = podProgress(pod, container.name);
    if (progress.state === 'stuck' || progress.state === 'ended')
      return { done: `Pod ${name} can't run: ${progress.reason}` };
    if (progress.state === 'waiting') pending = progress.reason;
  }
  return { pending };
}
