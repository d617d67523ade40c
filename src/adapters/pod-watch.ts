import { Watch, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import type { PodEnd, PodWatch } from '../ports/cluster.ts';
import { wrongWithObject } from './answer-shape.ts';
import { connectionOptions } from './http.ts';

/** Milliseconds for the first answer: the applications are stopped meanwhile, and whoever asks can do without. */
const firstAnswer = 5000;

/** The library ends a watch in which nothing happens for 30 s; so often it begins again where it ended. */
const mostWatches = 100;

interface Wanted {
  /** Of the pods of its namespace. */
  readonly path: string;
  readonly name: string;
  /** Ends the watch. */
  readonly signal?: AbortSignal | undefined;
  /** Is told why the watch ended early. */
  readonly told: (reason: string) => void;
}

/** Follows the pod of a name until it is deleted. Comes when the API server has answered, or has not in time. */
export async function watchPod(config: KubeConfig, { path, name, signal, told }: Wanted): Promise<PodWatch> {
  let isOver = false;
  let current: AbortController | undefined;
  let begun = 0;
  let resourceVersion: string | undefined;
  let before: V1Pod | undefined;
  const { promise: ended, resolve } = Promise.withResolvers<PodEnd | undefined>();
  const finish = (seen?: PodEnd) => {
    isOver = true;
    resolve(seen);
    current?.abort();
  };
  const take = (type: string, pod: V1Pod) => {
    if (isOver || wrongWithObject('pods', pod) !== undefined) return;
    resourceVersion = pod.metadata?.resourceVersion;
    before ??= pod;
    if (type === 'DELETED') finish({ before, last: pod });
  };
  const again = (error: unknown) => {
    if (isOver) return;
    const isQuiet = !(error instanceof Error) || error.name === 'TimeoutError';
    if (isQuiet && resourceVersion !== undefined && begun < mostWatches) {
      void begin();
      return;
    }
    told(error instanceof Error ? error.message : 'the API server ended it');
    finish();
  };
  const begin = async () => {
    begun++;
    const query = { fieldSelector: `metadata.name=${name}`, resourceVersion };
    try {
      // With a limit of its own, and whatever a program brings is masked. The library keeps it for the watch.
      await connectionOptions(config);
      current = await new Watch(config).watch(path, query, take, again);
      if (isOver) current.abort();
    } catch (error) {
      again(error);
    }
  };
  const timer = setTimeout(() => {
    again(new Error('no answer in time'));
  }, firstAnswer);
  const cancel = () => {
    finish();
  };
  signal?.addEventListener('abort', cancel, { once: true });
  await Promise.race([begin(), ended]);
  clearTimeout(timer);
  return {
    async end(limit) {
      const timer = setTimeout(finish, limit);
      try {
        return await ended;
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      signal?.removeEventListener('abort', cancel);
      finish();
    },
  };
}
