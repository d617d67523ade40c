import { readClients } from '../database/clients.ts';
import { ClusterError, describe, UpgradeError } from '../errors.ts';
import { upgrade } from '../versions.ts';
import { volumeUsers } from '../target/volume-users.ts';
import { waitFor } from '../wait.ts';
import { fenceAndStop, unfenceAndStart } from './fence.ts';
import { waitForServer } from './server-ready.ts';
import type { Context, Step } from './step.ts';

/** Stops the server cleanly and waits until nobody has its volume. */
export const stopPostgresql: Step = {
  id: 'stop-postgresql',
  title: 'Fence PostgreSQL and stop it',

  async run(context) {
    const clients = await readClients(context.database);
    if (clients.length > 0) {
      throw new UpgradeError(
        'client-came-back',
        `A client connected again: ${clients.map((c) => `${c.application || '(no name)'} (user ${c.user}, from ${c.address})`).join(', ')}.`,
        'Stop it, or give its workload the label of "application-selector".',
      );
    }
    await stopServer(context);
  },

  async undo(context) {
    const { journal, database, log } = context;
    await unfenceAndStart(context, journal.record.image);
    if (journal.record.replicas === 0) return;
    await waitForServer(context, journal.record.image);
    const version = (await database.read('template1', "SELECT current_setting('server_version');")).trim();
    if (!version.startsWith(`${String(upgrade.from)}.`)) {
      throw new UpgradeError(
        'wrong-server',
        `The server answers with version ${version}, not ${String(upgrade.from)}.`,
        'Look at the image of the StatefulSet.',
      );
    }
    log.info(`PostgreSQL ${version} answers`);
  },
};

/** Fences the server, stops it and waits until its pod and the attachment of its volume are gone. */
export async function stopServer(context: Context): Promise<void> {
  const { cluster, target } = context;
  const uid = (await cluster.find('pods', target.podName, target.namespace))?.metadata?.uid;
  await fenceAndStop(context);
  if (uid !== undefined) {
    await podTerminating(context, uid);
    await stopFast(context);
    await podGone(context, uid);
  }
  await detached(context);
  await expectNoOtherUser(context);
}

/** The kubelet's SIGTERM is a smart shutdown, which waits for clients until it is killed; a fast one does not. */
async function stopFast({ database, target, inputs, log }: Context): Promise<void> {
  const seconds = String(Math.round(inputs.shutdownTimeout / 1000));
  try {
    const result = await database.command(
      ['pg_ctl', 'stop', '-m', 'fast', '-w', '-t', seconds, '-D', target.dataDirectory],
      inputs.shutdownTimeout,
    );
    log.info(
      result.exitCode === 0 ? 'pg_ctl stopped the server' : `pg_ctl: ${result.stderr.trim() || result.stdout.trim()}`,
    );
  } catch (error) {
    // Without clients the kubelet's signal may have been enough before this connection came through, or ended it. The Job looks at pg_control whether the stop was clean.
    if (!(error instanceof ClusterError)) throw error;
    log.info(`The server ended by the kubelet's signal (${describe(error)})`);
  }
}

/** A server that ends before the kubelet knows that its pod does is started once more, and may then be killed. */
async function podTerminating({ cluster, target, inputs, ...context }: Context, uid: string): Promise<void> {
  const what = `pod ${target.podName} to be terminating`;
  await waitFor({ what, limit: inputs.shutdownTimeout, limitInput: 'shutdown-timeout', ...context }, async () => {
    const pod = await cluster.find('pods', target.podName, target.namespace);
    const ends = pod?.metadata?.uid !== uid || pod.metadata.deletionTimestamp !== undefined;
    return ends ? { done: undefined } : { pending: 'the StatefulSet has not asked for it yet' };
  });
}

/** Another pod of that name is one that somebody else asked for; the fence keeps it from starting. */
async function podGone({ cluster, target, inputs, ...context }: Context, uid: string): Promise<void> {
  await waitFor(
    {
      what: `pod ${target.podName} to be gone`,
      limit: inputs.shutdownTimeout,
      limitInput: 'shutdown-timeout',
      ...context,
    },
    async () => {
      const pod = await cluster.find('pods', target.podName, target.namespace);
      return pod?.metadata?.uid !== uid ? { done: undefined } : { pending: 'it is still there' };
    },
  );
}

async function detached({ cluster, target, inputs, ...context }: Context): Promise<void> {
  const volume = target.volume.persistentVolume?.metadata?.name;
  await waitFor(
    {
      what: `volume ${volume ?? '?'} to be detached`,
      limit: inputs.detachTimeout,
      limitInput: 'detach-timeout',
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

async function expectNoOtherUser({ cluster, target }: Context): Promise<void> {
  const users = await volumeUsers(cluster, target);
  if (users.length === 0) return;
  throw new UpgradeError(
    'volume-in-use',
    `Claim ${target.volume.claimName} is used by ${users.join(', ')}.`,
    'Scale it down and run again.',
  );
}
