import { readClients } from '../../database/clients.ts';
import { ClusterError, describe, UpgradeError } from '../../common/errors.ts';
import { upgrade } from '../../common/versions.ts';
import { volumeUsers } from '../../target/volume-users.ts';
import { shell } from '../../text/shell.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import { waitFor } from '../../ports/wait.ts';
import { expectClaim } from '../server/claim.ts';
import { gateAndStop, gateOperations, isStoppedByGate, ungateAndStart } from '../server/scheduling-gate.ts';
import { isGated } from '../../objects/scheduling-gate.ts';
import { waitForServer } from '../server/server-ready.ts';
import type { Context, Step } from '../contract/step.ts';

/** Stops the server cleanly and waits until nothing uses its volume. */
export const stopPostgresql: Step = {
  id: 'stop-postgresql',
  title: 'Set the scheduling gate and stop PostgreSQL',

  plan: ({ target }) => [
    {
      does: 'change',
      resource: 'statefulsets',
      name: target.name,
      object: target.statefulSet,
      operations: gateOperations(target.statefulSet),
    },
    { does: 'run', what: `In pod ${target.podName}: pg_ctl stop -m fast -D ${target.dataDirectory}.` },
    {
      does: 'run',
      what: `Wait until the pod has ended, the volume is detached and no other pod uses its PersistentVolumeClaim.`,
    },
  ],

  async run(context) {
    if (!(await isStoppedByGate(context))) await expectNoClient(context);
    // Kubernetes deletes a terminating claim when its last pod ends.
    await expectClaim(context);
    await stopServer(context);
  },

  async undo(context) {
    const { journal, database, log } = context;
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

async function expectNoClient({ database }: Context): Promise<void> {
  const clients = await readClients(database);
  if (clients.length === 0) return;
  throw new UpgradeError(
    'client-came-back',
    `A client connected again: ${clients.map((c) => `${c.application || '(no name)'} (user ${c.user}, from ${c.address})`).join(', ')}.`,
    'Stop this client, or give its workload the label of "application-selector". Then run again.',
  );
}

/** Sets the scheduling gate, stops the server, and waits until its pod has ended and its volume is detached. */
export async function stopServer(context: Context): Promise<void> {
  await gateAndStop(context);
  await controllerKnows(context);
  const pod = await context.cluster.find('pods', context.target.podName, context.target.namespace);
  const uid = pod?.metadata?.uid;
  if (pod !== undefined && uid !== undefined && !isGated(pod)) {
    await podTerminating(context, uid);
    await stopFast(context);
  }
  await podGone(context);
  await detached(context);
  await expectNoOtherUser(context);
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

/** The kubelet's SIGTERM is a smart shutdown, which waits for clients until it is killed; a fast one does not. */
async function stopFast({ database, target, inputs, clock, log }: Context): Promise<void> {
  const seconds = String(Math.round(inputs.shutdownTimeout / 1000));
  try {
    const command = ['pg_ctl', 'stop', '-m', 'fast', '-w', '-t', seconds, '-D', target.dataDirectory];
    const work = { doing: 'stopping the old server', limit: inputs.shutdownTimeout, clock, log };
    const result = await withHeartbeat(work, () => database.command(command, inputs.shutdownTimeout));
    log.info(
      result.exitCode === 0 ? 'pg_ctl stopped the server' : `pg_ctl: ${result.stderr.trim() || result.stdout.trim()}`,
    );
  } catch (error) {
    // Without clients the kubelet's signal may have stopped the server before or during this connection. The Job reads from pg_control whether the stop was clean.
    if (!(error instanceof ClusterError)) throw error;
    log.info(`The server ended on the kubelet's signal (${describe(error)})`);
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

/** A pod with the gate was created because somebody else scaled up: it never starts. */
async function podGone({ cluster, target, inputs, ...context }: Context): Promise<void> {
  const what = `pod ${target.podName} to end`;
  const lookAt = shell`kubectl -n ${target.namespace} describe pod ${target.podName}`;
  const limit = inputs.shutdownTimeout;
  await waitFor({ what, limit, limitInput: 'shutdown-timeout', lookAt, ...context }, async () => {
    const pod = await cluster.find('pods', target.podName, target.namespace);
    return pod === undefined || isGated(pod)
      ? { done: undefined }
      : { pending: `node ${pod.spec?.nodeName ?? '?'} has not confirmed its end` };
  });
}

async function detached({ cluster, target, inputs, ...context }: Context): Promise<void> {
  const volume = target.volume.persistentVolume?.metadata?.name;
  await waitFor(
    {
      what: `PersistentVolume ${volume ?? '?'} to be detached`,
      limit: inputs.detachTimeout,
      limitInput: 'detach-timeout',
      lookAt: shell`kubectl get volumeattachments`,
      ...context,
    },
    async () => {
      const attachments = (await cluster.list('volumeattachments')).filter(
        (a) => a.spec.source.persistentVolumeName === volume,
      );
      return attachments.length === 0
        ? { done: undefined }
        : { pending: attachments.map((a) => `attached to node ${a.spec.nodeName}`).join(', ') };
    },
  );
}

/** The pod of a Job that has just ended counts until the kubelet has reported its end. */
async function volumeFree({ cluster, target, inputs, ...context }: Context): Promise<void> {
  const what = `PersistentVolumeClaim ${target.volume.claimName} to be unused`;
  await waitFor({ what, limit: inputs.shutdownTimeout, limitInput: 'shutdown-timeout', ...context }, async () => {
    const users = await volumeUsers(cluster, target);
    return users.length === 0 ? { done: undefined } : { pending: `used by ${users.join(', ')}` };
  });
}

async function expectNoOtherUser({ cluster, target }: Context): Promise<void> {
  const users = await volumeUsers(cluster, target);
  if (users.length === 0) return;
  throw new UpgradeError(
    'volume-in-use',
    `PersistentVolumeClaim ${target.volume.claimName} is in use by ${users.join(', ')}.`,
    'Stop these pods, then run again.',
  );
}
