// PostgreSQL in a pod of its own, on the copy or on an empty directory, where nobody reaches it and it reaches nobody by itself.
// Decision: docs/decisions/0034-rehearsal.md
import { z } from 'zod';
import { ClusterError, describe } from '../common/errors.ts';
import type { Database } from '../database/database.ts';
import { jsonLines } from '../database/script.ts';
import { podProgress } from '../job/follow-pod.ts';
import { asGuest, marked, rehearsalName, rehearsalPodName } from '../objects/rehearsal.ts';
import type { V1Pod } from '@kubernetes/client-node';
import type { LeasedCluster } from '../ports/cluster.ts';
import { withHeartbeat } from '../ports/heartbeat.ts';
import { waitFor } from '../ports/wait.ts';
import { awaitServer, settled, type Trial } from '../probes/run-trial.ts';
import { archivesNothing, podLikeServers } from '../probes/trial-pod.ts';
import type { RehearsalContext } from './context.ts';
import { gone } from './sweep.ts';

/**
 * What the server is started with besides its own flags: it listens on its local socket alone, archives nothing, and starts no background worker, neither of an
 * extension (pg_cron) nor of a subscription. So it also has no parallel workers.
 */
const isolation = `${archivesNothing} -c listen_addresses= -c max_worker_processes=0 -c max_logical_replication_workers=0`;

/** The settings of these flags: what the configuration says of them does not come into effect, and that is no error of the configuration. */
const overruled = [...isolation.matchAll(/-c (\w+)=/g)].map(([, name]) => name ?? '');
const isOverruled = (error: string) => overruled.some((name) => error.includes(`: ${name}: `));

/** SIGTERM is a smart shutdown, which no client delays: nobody else is connected. */
const graceSeconds = 60;
/**
 * Seconds. On an empty directory, Bitnami's images first start a server for the set-up, without the container's flags. A server that can be reached is that one, unless it
 * runs so long.
 */
const longestSetUp = 60;
/** After which Kubernetes ends what a killed run left. */
const lifetimeSeconds = 6 * 3600;

interface Server {
  readonly major: number;
  readonly image: string;
  /** Whether it has the copy; otherwise an empty directory. */
  readonly hasCopy: boolean;
}

/** A server that answers, and is as isolated as it has to be. */
export interface Started {
  readonly database: Database<LeasedCluster>;
  readonly configuration: (Trial & { readonly started: true })['configuration'];
}

/** The pod of a server. */
export function serverPod(
  { target, mark, followsServer }: Pick<RehearsalContext, 'target' | 'mark' | 'followsServer'>,
  server: Server,
): V1Pod {
  const { metadata, spec } = podLikeServers(target, server.image, {
    name: rehearsalPodName(server.major),
    labels: { 'app.kubernetes.io/name': 'postgres-rehearsal' },
    ...{ flags: isolation, graceSeconds, lifetimeSeconds },
    ...(server.hasCopy ? { claim: rehearsalName(target) } : {}),
  });
  return { metadata: marked(metadata ?? {}, mark), spec: asGuest(target, spec ?? { containers: [] }, followsServer) };
}

/**
 * Starts a server, and waits until it answers.
 * @returns the server, or why it did not start or can be reached, as evidence
 * @throws ClusterError when the pod can't run; WaitError when the server neither answers nor ends
 */
export async function startServer(context: RehearsalContext, server: Server): Promise<Started | string[]> {
  const { cluster, target, inputs, database } = context;
  const { namespace } = target;
  const pod = serverPod(context, server);
  await cluster.create('pods', pod, { namespace });
  const own = database.inPod(rehearsalPodName(server.major));
  const wait = {
    what: `PostgreSQL ${String(server.major)} to start on ${server.hasCopy ? 'the copy' : 'an empty directory'}`,
    limit: inputs.jobStartTimeout + inputs.startTimeout,
    limitInput: 'start-timeout',
  };
  const trial = await awaitServer(context, pod, database, wait, async (age) => {
    if (age < settled || server.hasCopy) return age < settled;
    return age < longestSetUp && (await openings(own)).length > 0;
  });
  if (!trial.started) return [`it ended with exit code ${String(trial.exitCode)}`, ...trial.lines];
  const reachable = await openings(own);
  if (reachable.length > 0) return reachable;
  const { configuration } = trial;
  return {
    database: own,
    configuration: { ...configuration, errors: configuration.errors.filter((error) => !isOverruled(error)) },
  };
}

const settings = z.object({ listens: z.string(), archives: z.string(), workers: z.string() });

/** By which the server could be reached or reaches others, in spite of its flags; a line each. */
async function openings(database: Database): Promise<string[]> {
  const output = await database.read(
    'template1',
    "SELECT pg_catalog.json_build_object('listens', pg_catalog.current_setting('listen_addresses'), 'archives', pg_catalog.current_setting('archive_mode'), 'workers', pg_catalog.current_setting('max_worker_processes'));",
  );
  const { listens, archives, workers } = settings.parse(jsonLines(output)[0]);
  return [
    ...(listens === '' ? [] : [`listen_addresses is ${listens}`]),
    ...(archives === 'off' ? [] : [`archive_mode is ${archives}`]),
    ...(workers === '0' ? [] : [`max_worker_processes is ${workers}`]),
  ];
}

/**
 * Stops a server on the copy, and removes its pod.
 * @returns the exit code of its container; undefined where nothing tells it
 */
export async function stopServer(context: RehearsalContext, major: number): Promise<number | undefined> {
  const { cluster, target, clock, log } = context;
  const name = rehearsalPodName(major);
  await withHeartbeat({ doing: `stopping PostgreSQL ${String(major)} on the copy`, clock, log }, () =>
    stopFast(context, name),
  );
  const exitCode = await endOf(context, name);
  await cluster.delete('pods', name, target.namespace);
  await gone(context, 'pods', name);
  return exitCode;
}

/** Removes the pod of a server that has nothing to keep. */
export async function removeServer(context: RehearsalContext, major: number): Promise<void> {
  const name = rehearsalPodName(major);
  await context.cluster.delete('pods', name, context.target.namespace);
  await gone(context, 'pods', name);
}

/** The container ends with the server, and the connection with the container. */
async function stopFast({ target, inputs, database, log }: RehearsalContext, name: string): Promise<void> {
  const seconds = String(Math.round(inputs.shutdownTimeout / 1000));
  const command = ['pg_ctl', 'stop', '-m', 'fast', '-w', '-t', seconds, '-D', target.dataDirectory];
  try {
    await database.inPod(name).command(command, inputs.shutdownTimeout);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    log.debug(describe(error));
  }
}

async function endOf(context: RehearsalContext, name: string): Promise<number | undefined> {
  const { cluster, target, inputs, clock, log, signal } = context;
  const wait = { what: `pod ${name} to end`, limit: inputs.shutdownTimeout, limitInput: 'shutdown-timeout' };
  return await waitFor({ ...wait, clock, log, signal }, async () => {
    const pod = await cluster.find('pods', name, target.namespace);
    if (pod === undefined) return { done: undefined };
    const progress = podProgress(pod, target.container.name);
    return progress.state === 'ended' ? { done: progress.exitCode } : { pending: 'it runs' };
  });
}
