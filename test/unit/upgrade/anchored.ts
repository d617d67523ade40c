// A server with an anchor, for what the action does beside one.
import type { V1Pod } from '@kubernetes/client-node';
import { anchorName } from '../../../src/objects/anchor.ts';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import { keepAttached } from '../../../src/upgrade/steps/anchor.ts';
import { namespace, stopApplications } from '../objects.ts';
import { controlStatefulSet, setUp, type Setting } from './context.ts';
import { controlJobs, ending, revertName } from './job-controller.ts';
import { controlStorage } from './storage-controller.ts';

const took = ending(0, { command: 'revert', outcome: 'reverted', message: 'the old data directory is back' });

/** A server with an anchor, whose applications are stopped. */
export async function anchored(upgrade = ending(0), ...given: Parameters<typeof setUp>): Promise<Setting> {
  const setting = await setUp(...given);
  controlStatefulSet(setting);
  controlJobs(setting, { [jobName]: upgrade, [revertName]: took });
  controlStorage(setting);
  await keepAttached.run(setting.context);
  stopApplications(setting.cluster);
  setting.cluster.calls.length = 0;
  return setting;
}

export const anchor = ({ cluster }: Setting) => cluster.peek('jobs', anchorName, namespace);

/** Of the server's volume. */
export const attachment = ({ cluster }: Setting) => cluster.peek('volumeattachments', 'attachment')?.metadata?.uid;

/** Changes the pods whose names begin so, whenever somebody looks; undefined deletes one. */
export function alter({ cluster }: Setting, prefix: string, change: (pod: V1Pod) => V1Pod | undefined): void {
  cluster.hooks.push(() => {
    for (const pod of cluster.all('pods')) {
      const name = pod.metadata?.name ?? '';
      if (!name.startsWith(prefix)) continue;
      const changed = change(pod);
      if (changed === undefined) cluster.remove('pods', name, namespace);
      else cluster.put('pods', changed);
    }
  });
}

/** The server's container ends with this code. */
export function endsWith(exitCode: number, restartCount = 0) {
  return (pod: V1Pod): V1Pod => {
    const [status] = pod.status?.containerStatuses ?? [];
    if (status === undefined) return pod;
    const ended = { ...status, restartCount, state: { terminated: { exitCode } } };
    return { ...pod, status: { ...pod.status, containerStatuses: [ended] } };
  };
}

/** No node takes the pod of this Job as long as it has to go to the anchor's. */
export function full({ cluster }: Pick<Setting, 'cluster'>, job: string): void {
  const condition = {
    ...{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' },
    message: '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.',
  };
  cluster.hooks.push(() => {
    if (cluster.peek('jobs', anchorName, namespace) === undefined) return;
    for (const pod of cluster.all('pods')) {
      if (pod.metadata?.name?.startsWith(`${job}-`) !== true || pod.spec === undefined) continue;
      if (pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution === undefined) continue;
      delete pod.spec.nodeName;
      if (cluster.peek('jobs', job, namespace) === undefined) cluster.remove('pods', pod.metadata.name, namespace);
      else cluster.put('pods', { ...pod, status: { phase: 'Pending', conditions: [condition] } });
    }
  });
}
