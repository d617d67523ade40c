import type { V1Pod } from '@kubernetes/client-node';
import { readConfiguration, type Configuration } from '../database/configuration.ts';
import type { Database } from '../database/database.ts';
import { ClusterError, describe } from '../common/errors.ts';
import type { UnleasedCluster } from '../ports/cluster.ts';
import type { Deps } from '../ports/context.ts';
import { waitFor, type Look, type Wait } from '../ports/wait.ts';
import { podProgress } from '../job/follow-pod.ts';
import { createProbe } from '../objects/probe-names.ts';
import { unusableImage } from './server-pulls.ts';

/** How a trial start ended: with a server that answers, or with the last lines of the container's log. */
export type Trial =
  | { readonly image: string; readonly started: true; readonly configuration: Configuration }
  | { readonly image: string; readonly started: false; readonly exitCode: number; readonly lines: readonly string[] };

/** Seconds: a server that runs so long is not the one that an image starts only for its set-up. */
export const settled = 3;
const mostLines = 8;

/**
 * Starts the server's pod with another image on an empty volume, asks the server how it reads its configuration, and removes the pod.
 * @param pod as `trialPod` makes it
 * @param database the running server's; the trial has the same password, by the same Secret
 * @param limit milliseconds for the image to be pulled, and for the server to answer
 * @throws ClusterError when the pod can't run; WaitError when the server neither answers nor ends
 */
export async function runTrial(
  deps: Deps<UnleasedCluster>,
  pod: V1Pod,
  database: Database,
  limit: number,
): Promise<Trial> {
  const what = `PostgreSQL of ${pod.spec?.containers[0]?.image ?? ''} to start on an empty volume`;
  return await withPod(deps, pod, (name) =>
    awaitServer(deps, { ...pod, metadata: { ...pod.metadata, name } }, database, {
      what,
      limit,
      limitInput: 'job-start-timeout',
    }),
  );
}

/**
 * Waits until the server in a pod like the server's answers, or has ended.
 * @param pod as the action made it, with its name
 * @param database the running server's; this one has the same password, by the same Secret
 * @param isSetUp whether a server of this age (seconds) may be one that the image starts only for its set-up; it is waited for another one then
 * @throws ClusterError when the pod can't run; WaitError when the server neither answers nor ends
 */
export async function awaitServer(
  deps: Deps,
  pod: V1Pod,
  database: Database,
  wait: Pick<Wait, 'what' | 'limit' | 'limitInput'>,
  isSetUp: (age: number) => Promise<boolean> = (age) => Promise.resolve(age < settled),
): Promise<Trial> {
  const { cluster } = deps;
  const { name = '', namespace = '' } = pod.metadata ?? {};
  const [server] = pod.spec?.containers ?? [];
  const [container, image] = [server?.name ?? '', server?.image ?? ''];
  return await waitFor({ ...wait, ...deps }, async (): Promise<Look<Trial>> => {
    const now = await cluster.find('pods', name, namespace);
    if (now === undefined)
      throw new ClusterError('probe-gone', `Somebody else removed pod ${name}.`, 'Run the checks again.');
    const progress = podProgress(now, container);
    if (progress.state === 'stuck') throw unusableImage(pod, image, progress.reason);
    if (progress.state === 'ended') {
      const log = await cluster.podLog(namespace, name, container);
      return { done: { image, started: false, exitCode: progress.exitCode, lines: errorLines(log) } };
    }
    if (progress.state === 'waiting') return { pending: progress.reason };
    try {
      const configuration = await readConfiguration(database.inPod(name));
      if (await isSetUp(configuration.age)) return { pending: 'it answers' };
      return { done: { image, started: true, configuration } };
    } catch (error) {
      if (error instanceof ClusterError && error.code === 'psql-failed')
        return { pending: isStarting.test(error.message) ? `not ready yet (${error.message})` : error.message };
      throw error;
    }
  });
}

/** What psql says of a server that is about to start. */
const isStarting = /no such file or directory|connection refused|the database system is starting up/i;

/** The lines of a log with errors; the last lines where there are none. */
function errorLines(log: string): string[] {
  const lines = log
    .split('\n')
    .map((line) => line.replace(/^\S+ /, '').trim())
    .filter((line) => line !== '');
  const errors = lines.filter((line) => /FATAL|PANIC|ERROR|error/.test(line));
  return (errors.length > 0 ? errors : lines).slice(-mostLines);
}

/** Makes a pod for as long as `body` takes, and removes it whatever happens. */
async function withPod<T>(
  { cluster, log }: Pick<Deps<UnleasedCluster>, 'cluster' | 'log'>,
  pod: V1Pod,
  body: (name: string) => Promise<T>,
): Promise<T> {
  const namespace = pod.metadata?.namespace ?? '';
  const name = await createProbe(cluster, pod);
  try {
    return await body(name);
  } finally {
    try {
      await cluster.delete('pods', name, namespace);
    } catch (error) {
      log.annotate(
        'warning',
        'probe',
        `Pod ${name} could not be removed: ${describe(error)}. It ends by itself at its deadline.`,
      );
    }
  }
}
