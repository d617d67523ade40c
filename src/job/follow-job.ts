import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { ClusterError, UpgradeError } from '../errors.ts';
import type { Surroundings } from '../ports/context.ts';
import { waitFor } from '../wait.ts';
import { podProgress } from './follow-pod.ts';
import { containerName } from './manifest.ts';
import { parseJobResult, type JobResult } from './result.ts';

export interface JobLimits {
  /** Milliseconds until its pod runs. */
  readonly start: number;
  /** Milliseconds until it has ended. */
  readonly end: number;
}

export interface JobEnd {
  readonly exitCode: number;
  /** What the kubelet says of the end: `Completed`, `Error`, `OOMKilled` … */
  readonly reason: string;
  /** Undefined when the script was killed before it could leave one. */
  readonly result: JobResult | undefined;
}

/**
 * Follows a Job of one pod until it has ended, and writes its log into ours.
 * Reads again and again instead of streaming: log streams break when they are quiet.
 * @throws UpgradeError when its pod can't start; the waits' errors at the limits
 */
export async function followJob(surroundings: Surroundings, job: V1Job, limits: JobLimits): Promise<JobEnd> {
  const { cluster, log, clock, signal } = surroundings;
  const { name = '', namespace = '' } = job.metadata ?? {};
  const follower = new LogFollower(surroundings, namespace);
  const started = await waitFor(
    {
      what: `the pod of Job ${name} to start`,
      limit: limits.start,
      limitInput: 'job-start-timeout',
      clock,
      log,
      signal,
    },
    async () => {
      const pod = await podOf(surroundings, job);
      if (pod === undefined)
        return { pending: (await lastEvent(surroundings, namespace, name)) ?? 'there is no pod yet' };
      const progress = podProgress(pod, containerName);
      if (progress.state === 'stuck')
        throw new UpgradeError(
          'job-cannot-start',
          `The pod of Job ${name} can't start: ${progress.reason}`,
          'Check the image, the pull secret and the events of the pod.',
        );
      return progress.state === 'waiting' ? { pending: progress.reason } : { done: pod };
    },
  );
  const podName = started.metadata?.name ?? '';
  return await waitFor(
    { what: `Job ${name} to end`, limit: limits.end, limitInput: 'job-timeout', clock, log, signal },
    async () => {
      const pod = await cluster.find('pods', podName, namespace);
      if (pod === undefined) return { done: { exitCode: -1, reason: `pod ${podName} was deleted`, result: undefined } };
      const progress = podProgress(pod, containerName);
      await follower.print(podName);
      if (progress.state !== 'ended') return { pending: 'it runs' };
      return {
        done: {
          exitCode: progress.exitCode,
          reason: progress.reason,
          result: parseJobResult(progress.terminationMessage),
        },
      };
    },
  );
}

/** By the Job's uid: the pod of an earlier Job of that name may still be there. */
async function podOf({ cluster }: Surroundings, { metadata }: V1Job): Promise<V1Pod | undefined> {
  const labelSelector = `batch.kubernetes.io/controller-uid=${metadata?.uid ?? ''}`;
  const [pod] = await cluster.list('pods', { namespace: metadata?.namespace ?? '', labelSelector });
  return pod;
}

/** Why the Job has no pod, for example a quota. */
async function lastEvent({ cluster }: Surroundings, namespace: string, job: string): Promise<string | undefined> {
  const events = await cluster.list('events', { namespace, fieldSelector: `involvedObject.name=${job}` });
  return events.at(-1)?.message;
}

/** Prints what is new in the log of a container since the last time. */
class LogFollower {
  private last = '';

  constructor(
    private readonly surroundings: Surroundings,
    private readonly namespace: string,
  ) {}

  async print(pod: string): Promise<void> {
    const { cluster, log } = this.surroundings;
    let text: string;
    try {
      text = await cluster.podLog(this.namespace, pod, containerName, this.last === '' ? undefined : this.last);
    } catch (error) {
      // The log is for people; the result does not come from it.
      if (error instanceof ClusterError) return;
      throw error;
    }
    for (const line of text.split('\n')) {
      const space = line.indexOf(' ');
      const time = line.slice(0, space);
      // sinceTime counts whole seconds, so the last lines come again.
      if (space === -1 || time <= this.last) continue;
      this.last = time;
      log.info(line.slice(space + 1));
    }
  }
}
