import type { V1Pod, V1StatefulSet } from '@kubernetes/client-node';
import { z } from 'zod';
import { ClusterError, describe, UpgradeError } from '../../common/errors.ts';
import { withWarning } from '../../job/newest-event.ts';
import { isTestFailure } from '../../objects/fencing-token.ts';
import { lookAgain } from '../../objects/look-again.ts';
import { waitFor, type Look } from '../../ports/wait.ts';
import type { Context } from '../contract/step.ts';
import { makeWay } from './anchor.ts';
import { copyable } from '../../text/commands.ts';
import { shell } from '../../text/shell.ts';

/**
 * Waits until the server's pod has the newest template and is ready.
 * @param image that the StatefulSet has now
 * @throws UpgradeError as soon as its container has been restarted twice, with the end of its log, or somebody else has set another image
 */
export async function waitForServer(context: Context, image: string): Promise<void> {
  const nudge = probeNudger(context);
  await waitForPod(context, image, 'to be ready', async (pod, isRunning) => {
    if (isReady(pod)) return { done: undefined };
    if (isRunning) await nudge(pod);
    return undefined;
  });
}

/** Milliseconds. */
const betweenNudges = 1000;

/**
 * Makes the kubelet ask the readiness probe again, each second at most. By itself it asks as soon as the container runs, which `initialDelaySeconds` makes too early, and
 * then after `periodSeconds`: with 5 s and 10 s the pod is ready after 10 s. Any change of a pod that is not ready yet makes it ask at once (`manualTriggerCh` in
 * pkg/kubelet/prober of Kubernetes 1.34). What fails here only costs time.
 */
function probeNudger({ cluster, target, clock, log }: Context): (pod: V1Pod) => Promise<void> {
  let next = -Infinity;
  return async (pod) => {
    if (clock.monotonic() < next) return;
    next = clock.monotonic() + betweenNudges;
    try {
      await cluster.patch('pods', target.podName, target.namespace, lookAgain(pod, clock.now().toISOString()));
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      if (isTestFailure(error)) return;
      next = Infinity;
      log.info(`Could not ask the kubelet to look at the readiness probe again: ${describe(error)}`);
    }
  };
}

/**
 * Waits until the server's pod has the newest template and PostgreSQL answers in it. Its readiness probe may come seconds later: only what connects through the Service needs that.
 * @param image that the StatefulSet has now
 * @returns the server's version
 * @throws UpgradeError as `waitForServer`; ClusterError when the pod is ready and PostgreSQL does not answer
 */
export async function waitForAnswer(context: Context, image: string): Promise<string> {
  return await waitForPod(context, image, 'to answer', async (pod, isRunning) => {
    if (!isReady(pod) && !isRunning) return undefined;
    try {
      const { version, listensTo } = await ask(context.database);
      return isReady(pod) || !isLocal(listensTo)
        ? { done: version }
        : { pending: 'it does not listen to other pods yet' };
    } catch (error) {
      if (isReady(pod) || !(error instanceof ClusterError)) throw error;
      return { pending: `its container runs, and PostgreSQL does not answer yet: ${describe(error)}` };
    }
  });
}

const answer = z.object({ version: z.string(), listensTo: z.string() });

async function ask(database: Context['database']): Promise<z.infer<typeof answer>> {
  return answer.parse(JSON.parse(await database.read('template1', answerSql)));
}

const answerSql =
  "SELECT json_build_object('version', current_setting('server_version'), 'listensTo', current_setting('listen_addresses'));";

/** An image may run a server for its own scripts first, and stop it again. Nobody else can reach that one. */
function isLocal(addresses: string): boolean {
  return addresses.split(',').every((address) => ['', 'localhost', '127.0.0.1', '::1'].includes(address.trim()));
}

/** @param look says whether it is done; undefined where the state of the pod says what is missing */
async function waitForPod<T>(
  context: Context,
  image: string,
  until: string,
  look: (pod: V1Pod, isRunning: boolean) => Promise<Look<T> | undefined>,
): Promise<T> {
  const { cluster, target, inputs } = context;
  const container = target.container.name;
  return await waitFor(
    {
      what: `PostgreSQL (${image}) ${until}`,
      limit: inputs.startTimeout,
      limitInput: 'start-timeout',
      lookAt: shell`kubectl -n ${target.namespace} describe pod ${target.podName}`,
      ...context,
    },
    async () => {
      const [statefulSet, pod] = await Promise.all([
        cluster.find('statefulsets', target.name, target.namespace),
        cluster.find('pods', target.podName, target.namespace),
      ]);
      const now = statefulSet?.spec?.template.spec?.containers.find((c) => c.name === container)?.image;
      if (now !== undefined && now !== image) throw imageChanged(image, now);
      if (pod === undefined) return { pending: 'its pod does not exist yet' };
      if (pod.metadata?.deletionTimestamp !== undefined || !isOfNewestTemplate(pod, statefulSet)) {
        return { pending: 'the former pod still exists' };
      }
      await makeWay(context, pod);
      const status = pod.status?.containerStatuses?.find((c) => c.name === container);
      if ((status?.restartCount ?? 0) >= 2) throw await startFailure(context, image);
      const seen = await look(pod, status?.state?.running !== undefined);
      if (seen !== undefined) return seen;
      const reason = status?.state?.waiting?.reason ?? pod.status?.phase ?? 'not ready';
      return { pending: await withWarning(cluster, pod, reason) };
    },
  );
}

/** By the template's revision and not by the image: a webhook may have put a mirror's name into the pod. */
function isOfNewestTemplate(pod: V1Pod, statefulSet: V1StatefulSet | undefined): boolean {
  const { status, metadata } = statefulSet ?? {};
  const isKnown = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
  return isKnown && pod.metadata?.labels?.['controller-revision-hash'] === status?.updateRevision;
}

export function isReady(pod: V1Pod): boolean {
  return pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
}

function imageChanged(image: string, now: string): UpgradeError {
  return new UpgradeError(
    'image-changed',
    `Somebody else set the image of PostgreSQL to ${now}; the upgrade needs ${image}.`,
    'Do not run "helm upgrade" or a deployment until the upgrade has ended and values.yaml names the new image. Then run again.',
  );
}

async function startFailure(context: Context, image: string): Promise<UpgradeError> {
  const end = await endOfLog(context);
  return new UpgradeError(
    'server-does-not-start',
    `PostgreSQL (${image}) does not start: ${end}`,
    `Look at its log: ${copyable(shell`kubectl -n ${context.target.namespace} logs ${context.target.podName}`)}`,
  );
}

async function endOfLog({ cluster, target }: Context): Promise<string> {
  try {
    const log = await cluster.podLog(target.namespace, target.podName, target.container.name);
    return log.trimEnd().split('\n').slice(-5).join(' | ');
  } catch {
    return 'the action could not read its log';
  }
}
