import type { V1Job, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import { isAway } from '../ports/cluster-answers.ts';
import { describe, UpgradeError } from '../common/errors.ts';
import { clockSkew } from '../ports/clock.ts';
import type { Deps } from '../ports/context.ts';
import { waitFor } from '../ports/wait.ts';
import { disruptionOf, isSilent, podProgress } from './follow-pod.ts';
import { containerName } from '../objects/upgrade-job.ts';
import { mountsClaim } from '../target/volume-users.ts';
import { newestEvent, withWarning } from './newest-event.ts';
import { parseJobResult, type JobResult } from './result.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';

export interface JobEnd {
  readonly exitCode: number;
  /** What the kubelet says of the end: `Completed`, `Error`, `OOMKilled` … */
  readonly reason: string;
  /** Undefined when the script was killed before it could leave one. */
  readonly result: JobResult | undefined;
  /** What ended the pod from outside, where something did: `node …, EvictionByEvictionAPI: …`. */
  readonly disruption?: string | undefined;
}

/** Why a Job failed, as exactly as it is known. */
export function jobFailure({ result, exitCode, reason, disruption }: JobEnd): string {
  const what =
    result === undefined
      ? `its container ended with exit code ${String(exitCode)} (${reason}${signalOf(exitCode)}) and left no result`
      : `${result.step}: ${result.message}`;
  return disruption === undefined ? what : `${what}; Kubernetes evicted its pod (${disruption})`;
}

/** `; signal 9 ended it`, as a shell counts signals. */
function signalOf(exitCode: number): string {
  return exitCode > 128 && exitCode < 160 ? `; signal ${String(exitCode - 128)} ended it` : '';
}

/** How long a node may be silent, in milliseconds: a kubelet that is restarted or a network that comes back takes less. */
const silenceLimit = 120_000;

/**
 * Waits until the container of a Job's only pod runs, or has already ended.
 * @param limit milliseconds
 * @param isHopeless whether a pod that waits is not waited for any longer
 * @returns the pod, which waits still where `isHopeless` says so
 * @throws UpgradeError when the pod can't start, or was deleted before it was seen; WaitError at the limit
 */
export async function waitForStart(
  surroundings: Deps,
  job: V1Job,
  limit: number,
  isHopeless: (pod: V1Pod) => boolean = () => false,
): Promise<V1Pod> {
  const { name = '', namespace = '' } = job.metadata ?? {};
  const what = `the pod of Job ${name} to start`;
  const lookAt = shell`kubectl -n ${namespace} describe pods -l job-name=${name}`;
  return await waitFor({ what, limit, limitInput: 'job-start-timeout', lookAt, ...surroundings }, async () => {
    const pod = await podOfJob(surroundings, job);
    if (pod === undefined) {
      await expectPodToCome(surroundings, job);
      return { pending: (await newestEvent(surroundings.cluster, namespace, name)) ?? 'it does not exist yet' };
    }
    const progress = podProgress(pod, containerName);
    if (progress.state === 'stuck') {
      throw new UpgradeError(
        'job-cannot-start',
        `The pod of Job ${name} can't start: ${progress.reason}`,
        'Check the image, the pull secret and the events of the pod.',
      );
    }
    if (progress.state !== 'waiting' || isHopeless(pod)) return { done: pod };
    return { pending: await withWarning(surroundings.cluster, pod, progress.reason) };
  });
}

/**
 * Follows a started pod until it has ended, and writes its log into ours.
 * Reads again and again instead of streaming: log streams break when they are quiet.
 * @param limit milliseconds
 * @param expected milliseconds until its end; undefined where nothing tells it
 * @throws UpgradeError `node-silent` when its node has stopped reporting, WaitError at the limit
 */
export async function followToEnd(surroundings: Deps, pod: V1Pod, limit: number, expected?: number): Promise<JobEnd> {
  const { cluster, clock } = surroundings;
  const { name = '', namespace = '' } = pod.metadata ?? {};
  let disruption = disruptionOf(pod);
  let silentSince: number | undefined;
  const follower = new LogFollower(surroundings, namespace);
  const wait = {
    what: `pod ${name} to end`,
    ...{ limit, limitInput: 'job-timeout', expected },
    stage: () => (silentSince === undefined ? follower.stage : undefined),
    lookAt: shell`kubectl -n ${namespace} logs ${name} -c ${containerName} --tail=50`,
    ...surroundings,
  };
  return await waitFor(wait, async () => {
    let now: V1Pod | undefined;
    try {
      now = await cluster.find('pods', name, namespace);
    } catch (error) {
      // The Job runs without us: an API server that does not answer ends neither the Job nor this wait.
      if (isAway(error)) return { pending: error.message };
      throw error;
    }
    if (now === undefined)
      return { done: { exitCode: -1, reason: `pod ${name} was deleted`, result: undefined, disruption } };
    disruption = disruptionOf(now) ?? disruption;
    if (isSilent(now, containerName)) {
      silentSince ??= clock.monotonic();
      if (clock.monotonic() - silentSince > silenceLimit) throw nodeSilent(now);
      return {
        pending: `its node ${now.spec?.nodeName ?? '?'} has stopped reporting, so it is unknown whether the pod runs`,
      };
    }
    silentSince = undefined;
    const progress = podProgress(now, containerName);
    // A log that hangs must not delay the end.
    follower.print(name);
    if (progress.state !== 'ended') return { pending: 'it runs' };
    await follower.printRest(name);
    const { exitCode, reason, terminationMessage } = progress;
    return { done: { exitCode, reason, result: parseJobResult(terminationMessage), disruption } };
  });
}

function nodeSilent({ metadata, spec }: V1Pod): UpgradeError {
  const node = spec?.nodeName ?? '?';
  return new UpgradeError(
    'node-silent',
    `Node ${node} has stopped reporting. Pod ${metadata?.name ?? '?'} was at work on the volume there, and may still be. The action starts nothing else on the volume, and leaves everything as it is.`,
    `Bring node ${node} back. Or, once you are sure that it is switched off, say so to Kubernetes: ${copyable(shell`kubectl taint nodes ${node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`)}. Then run "mode: upgrade" again to resume. Never delete the pod by force while the node may run.`,
  );
}

/**
 * By the status that its controller writes. That counts a terminating pod as failed, also on a node that never confirmed its end: so look at its pods too.
 * A Job that its controller has not looked at yet has no status at all, and has not ended.
 */
export function hasEnded({ status }: V1Job): boolean {
  return (
    (status?.failed ?? 0) > 0 ||
    (status?.succeeded ?? 0) > 0 ||
    (status?.conditions?.some((c) => ['Complete', 'Failed'].includes(c.type) && c.status === 'True') ?? false)
  );
}

/** @throws UpgradeError for a Job that makes no pod any more, and whose pod is gone */
async function expectPodToCome(surroundings: Deps, job: V1Job): Promise<void> {
  const { name = '', namespace = '' } = job.metadata ?? {};
  const now = await surroundings.cluster.find('jobs', name, namespace);
  if (now !== undefined && !hasEnded(now)) return;
  if ((await podOfJob(surroundings, job)) !== undefined) return;
  throw new UpgradeError(
    'job-pod-gone',
    `Job ${name} ${now === undefined ? 'was deleted' : 'has ended'}, and its pod was deleted before its result was read.`,
    'Find out who deletes pods or Jobs in the namespace. Then run again: the next run sees on the volume how far the Job came.',
  );
}

const controllerLabel = 'batch.kubernetes.io/controller-uid';

/**
 * The pod whose end is the Job's; one that runs, if there are several. It must do the Job's work and must not be older than the Job: an earlier Job of that name may
 * have left one. The label of the Job controller only makes it quicker to find, since it can be taken off, and put on another pod.
 */
export async function podOfJob(surroundings: Deps, job: V1Job): Promise<V1Pod | undefined> {
  const { uid = '' } = job.metadata ?? {};
  const labelled = await podsDoing(surroundings, job, `${controllerLabel}=${uid}`);
  const found = labelled.find((pod) => age(job, pod) >= -clockSkew);
  if (found !== undefined) return found;
  const others = (await podsDoing(surroundings, job)).filter((pod) => age(job, pod) >= 0 && isDated(job, pod));
  return others.find((pod) => podProgress(pod, containerName).state === 'running') ?? others[0];
}

/** Whether the Job controller counts a pod as the Job's: it ends with that one. */
export function isCounted({ metadata }: V1Job, pod: V1Pod): boolean {
  return metadata?.uid !== undefined && pod.metadata?.labels?.[controllerLabel] === metadata.uid;
}

/** Milliseconds from the making of the Job to that of the pod; 0 where one of the two is not told. */
function age({ metadata: job }: V1Job, { metadata: pod }: V1Pod): number {
  const [from, to] = [job, pod].map((metadata) => metadata?.creationTimestamp);
  return from === undefined || to === undefined ? 0 : new Date(to).getTime() - new Date(from).getTime();
}

function isDated(...objects: readonly (V1Job | V1Pod)[]): boolean {
  return objects.every(({ metadata }) => metadata?.creationTimestamp !== undefined);
}

/**
 * All pods that do a Job's work: the same command, for the same upgrade, on the same claim. Nobody can change these in a pod. Labels and owners can be changed, and the Job
 * controller lets go of a pod whose label was taken off, and makes another one beside it. Pods of an earlier Job with the same work are among them.
 */
export async function podsDoing({ cluster }: Deps, job: V1Job, labelSelector?: string): Promise<V1Pod[]> {
  const { namespace = '' } = job.metadata ?? {};
  const wanted = workOf(job.spec?.template.spec);
  const claims = (job.spec?.template.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [persistentVolumeClaim.claimName],
  );
  const pods = await cluster.list('pods', { namespace, ...(labelSelector === undefined ? {} : { labelSelector }) });
  return pods.filter((pod) => workOf(pod.spec) === wanted && claims.every((claim) => mountsClaim(pod, claim)));
}

/** Of the container that does the Job's work; others may have been injected beside it, and variables into it. */
function workOf(spec: V1PodSpec | undefined): string {
  const container = spec?.containers.find(({ name }) => name === containerName);
  return JSON.stringify([container?.command, container?.env?.find(({ name }) => name === 'RUN_ID')?.value]);
}

/** What the Job's script writes before the title of a stage. */
const stageMark = '==> ';

/** Milliseconds between two reads of a log. Each is a call to the kubelet, whose node is at work on the upgrade. */
const logPause = 1000;

/** Prints what is new in the log of a container since the last time. */
class LogFollower {
  /** The last stage that the log has told: `[4/8] pg_upgrade --link`. */
  stage: string | undefined;
  private last = '';
  private begunAt = -Infinity;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly surroundings: Deps,
    private readonly namespace: string,
  ) {}

  /** Begins to read, unless it still does or has just done so; what can't be read now comes next time. */
  print(pod: string): void {
    const now = this.surroundings.clock.monotonic();
    if (this.reading !== undefined || now - this.begunAt < logPause) return;
    this.begunAt = now;
    this.reading = this.read(pod).finally(() => {
      this.reading = undefined;
    });
  }

  /** After the end of the container. */
  async printRest(pod: string): Promise<void> {
    await this.reading;
    await this.read(pod);
  }

  private async read(pod: string): Promise<void> {
    const { cluster, log } = this.surroundings;
    let text: string;
    try {
      text = await cluster.podLog(this.namespace, pod, containerName, this.last === '' ? undefined : this.last);
    } catch (error) {
      log.debug(`Could not read the log of pod ${pod}: ${describe(error)}`);
      return;
    }
    // sinceTime counts whole seconds, so the last lines come again.
    const printed = this.last;
    for (const line of text.split('\n')) {
      const space = line.indexOf(' ');
      const time = line.slice(0, space);
      if (space === -1 || time <= printed) continue;
      this.last = time;
      const told = line.slice(space + 1);
      if (told.startsWith(stageMark)) this.stage = told.slice(stageMark.length);
      log.info(told);
    }
  }
}
