import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { readClients } from '../../database/clients.ts';
import { ClusterError, describe, UpgradeError } from '../../common/errors.ts';
import { allNamed } from '../../common/parallel.ts';
import { upgrade } from '../../common/versions.ts';
import { onlyNamesClaim, volumeUsers } from '../../target/volume-users.ts';
import { shell } from '../../text/shell.ts';
import { anchorName, anchorNode } from '../../objects/anchor.ts';
import type { PodWatch } from '../../ports/cluster.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import { waitFor } from '../../ports/wait.ts';
import { abandonCopy } from '../backup/cold-copy.ts';
import { detach, lossOfAnchor } from '../server/anchor.ts';
import { expectClaim } from '../server/claim.ts';
import { gateAndStop, gateOperations, isStoppedByGate, ungateAndStart } from '../server/scheduling-gate.ts';
import { isGated } from '../../objects/scheduling-gate.ts';
import { waitForServer } from '../server/server-ready.ts';
import type { Context, PlanContext, Step } from '../contract/step.ts';

/**
 * Stops the server cleanly and waits until nothing uses its volume.
 * Decision: docs/decisions/0029-anchor.md
 */
export const stopPostgresql: Step = {
  id: 'stop-postgresql',
  title: 'Set the scheduling gate and stop PostgreSQL',
  undoTitle: 'Start PostgreSQL 12',

  plan: ({ target }) => [
    {
      does: 'change',
      resource: 'statefulsets',
      name: target.name,
      object: target.statefulSet,
      operations: gateOperations(target.statefulSet),
    },
    { does: 'run', what: `In pod ${target.podName}: pg_ctl stop -m fast -D ${target.dataDirectory}.` },
    { does: 'run', what: whatIsAwaited(target) },
  ],

  async run(context) {
    const { cluster, target } = context;
    // From before the stop on: a server without clients ends within a few tenths of a second, which is between two looks.
    const watching = cluster.watchPod(target.namespace, target.podName);
    try {
      const { running, watch } = await allNamed({
        running: async () => ((await isStoppedByGate(context)) ? undefined : await runningPod(context)),
        // Kubernetes deletes a terminating claim when its last pod ends.
        claim: () => expectClaim(context),
        watch: () => watching,
      });
      const { isClean, uid = running } = await stop(context);
      const wasClean =
        isClean || (running !== undefined && uid === running && (await endedCleanly(context, watch, uid)));
      await (wasClean ? keepOrDetach(context) : detach(context, 'PostgreSQL was not seen to end cleanly'));
    } finally {
      watching.then(
        (watch) => {
          watch.close();
        },
        () => undefined,
      );
    }
    await expectNoOtherUser(context);
  },

  async undo(context) {
    const { journal, database, log } = context;
    await abandonCopy(context);
    // Whatever the journal says of the Job: two servers on one volume would destroy the data.
    await volumeFree(context);
    await ungateAndStart(context, journal.record.image);
    if (journal.record.replicas === 0) return;
    await waitForServer(context, journal.record.image);
    const version = (await database.read('template1', "SELECT current_setting('server_version');")).trim();
    if (!version.startsWith(`${String(upgrade.from)}.`)) {
      throw new UpgradeError(
        'wrong-server',
        `The server answers with version ${version}, not PostgreSQL ${String(upgrade.from)}.`,
        'Check the image of the StatefulSet.',
      );
    }
    log.info(`PostgreSQL ${version} answers`);
  },
};

/**
 * @returns the UID of the server's pod
 * @throws UpgradeError `client-came-back`
 */
async function runningPod(context: Context): Promise<string | undefined> {
  const { cluster, target } = context;
  const { pod } = await allNamed({
    pod: () => cluster.find('pods', target.podName, target.namespace),
    clients: () => expectNoClient(context),
  });
  return pod?.metadata?.uid;
}

async function expectNoClient({ database }: Context): Promise<void> {
  const clients = await readClients(database);
  if (clients.length === 0) return;
  throw new UpgradeError(
    'client-came-back',
    `A client connected again: ${clients.map((c) => `${c.application || '(no name)'} (user ${c.user}, from ${c.address})`).join(', ')}.`,
    'Stop this client, or give its workload the label of "application-selector". Then run again.',
  );
}

function whatIsAwaited(target: PlanContext['target']): string {
  const unused = 'no other pod uses its PersistentVolumeClaim';
  return anchorNode(target) === undefined
    ? `Wait until the pod has ended, the volume is detached and ${unused}.`
    : `Wait until the pod has ended and ${unused}. Where Job ${anchorName} does not keep the volume attached, wait until it is detached.`;
}

/** Sets the scheduling gate, stops the server, and waits until its pod has ended and its volume is detached. */
export async function stopServer(context: Context): Promise<void> {
  await stop(context);
  await detach(context, 'PostgreSQL is stopped again');
  await expectNoOtherUser(context);
}

interface Stopped {
  /** It was seen that the server ended, and cleanly, and that nothing else in its pod had the volume: what is in a pod that was deleted by force may still be at work. */
  readonly isClean: boolean;
  /** Of the pod that was stopped; undefined where none was there any more. */
  readonly uid?: string | undefined;
}

/** Sets the scheduling gate, stops the server, and waits until its pod has ended. */
async function stop(context: Context): Promise<Stopped> {
  const { cluster, target } = context;
  await gateAndStop(context);
  await controllerKnows(context);
  const pod = await cluster.find('pods', target.podName, target.namespace);
  const uid = pod?.metadata?.uid;
  if (pod === undefined || uid === undefined || isGated(pod)) {
    await podGone(context);
    return { isClean: false };
  }
  await podTerminating(context, uid);
  const isStopped = await stopFast(context);
  const { isSeen, exitCode } = await podGone(context, pod);
  const isSeenClean = exitCode === 0 || (exitCode === undefined && isStopped && isSeen);
  return { isClean: isSeenClean && isOnlyUser(context, pod), uid };
}

/** Milliseconds that the last event of a watch may come after the answer that the pod is gone. */
const lastEvent = 5000;

/**
 * Whether a watch saw that the pod ended cleanly. The kubelet tells how its containers ended before it has the pod deleted; who deletes one by force does not.
 * @param uid of the pod
 */
async function endedCleanly(context: Context, watch: PodWatch, uid: string): Promise<boolean> {
  const { target } = context;
  const end = await watch.end(lastEvent);
  if (end === undefined || end.before.metadata?.uid !== uid || end.last.metadata?.uid !== uid) return false;
  const [before, last] = [end.before, end.last].map((pod) => serverStatus(target, pod));
  const isSame = (last?.restartCount ?? 0) === (before?.restartCount ?? 0);
  return isSame && last?.state?.terminated?.exitCode === 0 && isOnlyUser(context, end.last);
}

function serverStatus({ container }: Context['target'], { status }: V1Pod): V1ContainerStatus | undefined {
  return status?.containerStatuses?.find(({ name }) => name === container.name);
}

/** Whether no container that may run to the end of the server's pod has the volume, but the server's own. */
function isOnlyUser({ target }: Context, { spec, ...pod }: V1Pod): boolean {
  const initContainers = spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always') ?? [];
  const containers = spec?.containers.filter(({ name }) => name !== target.container.name) ?? [];
  return onlyNamesClaim({ ...pod, spec: { ...spec, initContainers, containers } }, target.volume.claimName);
}

/** A clean stop makes the backup whole; the volume need not be detached for it. */
async function keepOrDetach(context: Context): Promise<void> {
  const { results, log } = context;
  const { anchor } = results;
  const loss = anchor && (await lossOfAnchor(context, anchor));
  if (anchor === undefined || loss !== undefined) {
    await detach(context, loss ?? '');
    return;
  }
  results.isStillAttached = true;
  log.info(`PostgreSQL ended cleanly. Pod ${anchor.pod} keeps the volume attached to node ${anchor.node}`);
}

/** From here on the StatefulSet controller creates no pod without the gate. */
async function controllerKnows({ cluster, target, inputs, ...context }: Context): Promise<void> {
  const what = `the StatefulSet controller to see the scheduling gate`;
  await waitFor({ what, limit: inputs.shutdownTimeout, limitInput: 'shutdown-timeout', ...context }, async () => {
    const now = await cluster.find('statefulsets', target.name, target.namespace);
    const knows = (now?.status?.observedGeneration ?? 0) >= (now?.metadata?.generation ?? 0);
    return knows ? { done: undefined } : { pending: 'its observedGeneration is older' };
  });
}

/**
 * The kubelet's SIGTERM is a smart shutdown, which waits for clients until it is killed; a fast one does not.
 * @returns whether pg_ctl saw the server end
 */
async function stopFast({ database, target, inputs, clock, log }: Context): Promise<boolean> {
  const seconds = String(Math.round(inputs.shutdownTimeout / 1000));
  try {
    const command = ['pg_ctl', 'stop', '-m', 'fast', '-w', '-t', seconds, '-D', target.dataDirectory];
    const work = { doing: 'stopping the old server', limit: inputs.shutdownTimeout, clock, log };
    const result = await withHeartbeat(work, () => database.command(command, inputs.shutdownTimeout));
    log.info(
      result.exitCode === 0 ? 'pg_ctl stopped the server' : `pg_ctl: ${result.stderr.trim() || result.stdout.trim()}`,
    );
    return result.exitCode === 0;
  } catch (error) {
    // Without clients the kubelet's signal may have stopped the server before or during this connection. The Job reads from pg_control whether the stop was clean.
    if (!(error instanceof ClusterError)) throw error;
    log.info(
      "Kubernetes ended PostgreSQL before the action's own command did, as is usual. The Job checks on the disk whether it ended cleanly",
    );
    log.debug(describe(error));
    return false;
  }
}

/** If the server ends before the kubelet knows that the pod is terminating, the kubelet restarts it, and may then kill it. */
async function podTerminating({ cluster, target, inputs, ...context }: Context, uid: string): Promise<void> {
  const what = `pod ${target.podName} to be terminating`;
  await waitFor({ what, limit: inputs.shutdownTimeout, limitInput: 'shutdown-timeout', ...context }, async () => {
    const pod = await cluster.find('pods', target.podName, target.namespace);
    const ends = pod?.metadata?.uid !== uid || pod.metadata.deletionTimestamp !== undefined;
    return ends ? { done: undefined } : { pending: 'the StatefulSet controller has not deleted it yet' };
  });
}

/** What was seen of the end of a pod before the pod was gone. */
interface PodEnd {
  /** The pod was still there, after the server had been asked to stop. */
  readonly isSeen: boolean;
  /** Of the server, as the kubelet told it; -1 where it was started once more meanwhile. */
  readonly exitCode: number | undefined;
}

/**
 * A pod with the gate was created because somebody else scaled up: it never starts.
 * @param before the pod that ends, as it was
 */
async function podGone({ cluster, target, inputs, ...context }: Context, before?: V1Pod): Promise<PodEnd> {
  const what = `pod ${target.podName} to end`;
  const lookAt = shell`kubectl -n ${target.namespace} describe pod ${target.podName}`;
  const limit = inputs.shutdownTimeout;
  const restartsOf = (pod: V1Pod) => serverStatus(target, pod)?.restartCount ?? 0;
  let end: PodEnd = { isSeen: false, exitCode: undefined };
  return await waitFor({ what, limit, limitInput: 'shutdown-timeout', lookAt, ...context }, async () => {
    const pod = await cluster.find('pods', target.podName, target.namespace);
    if (pod === undefined || isGated(pod)) return { done: end };
    if (before !== undefined && pod.metadata?.uid === before.metadata?.uid) {
      const isSame = restartsOf(pod) === restartsOf(before);
      const exitCode = isSame ? serverStatus(target, pod)?.state?.terminated?.exitCode : -1;
      end = { isSeen: true, exitCode: exitCode ?? end.exitCode };
    }
    return { pending: `node ${pod.spec?.nodeName ?? '?'} has not confirmed its end` };
  });
}

/** The pod of a Job that has just ended counts until the kubelet has reported its end. */
async function volumeFree({ cluster, target, inputs, results, ...context }: Context): Promise<void> {
  const what = `PersistentVolumeClaim ${target.volume.claimName} to be unused`;
  await waitFor({ what, limit: inputs.shutdownTimeout, limitInput: 'shutdown-timeout', ...context }, async () => {
    const users = await volumeUsers(cluster, target, results.anchor?.uid);
    return users.length === 0 ? { done: undefined } : { pending: `used by ${users.join(', ')}` };
  });
}

async function expectNoOtherUser({ cluster, target, results }: Context): Promise<void> {
  const users = await volumeUsers(cluster, target, results.anchor?.uid);
  if (users.length === 0) return;
  throw new UpgradeError(
    'volume-in-use',
    `PersistentVolumeClaim ${target.volume.claimName} is in use by ${users.join(', ')}.`,
    'Stop these pods, then run again.',
  );
}
