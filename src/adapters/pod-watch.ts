import { Watch, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import type { PodEnd, PodWatch } from '../ports/cluster.ts';
import { wrongWithObject } from './answer-shape.ts';

/** The library ends a watch in which nothing happens for 30 s; so often it begins again where it ended. */
const mostWatches = 100;

/**
 * Follows the pod of a name until it is deleted. Comes when the API server has answered.
 * @param path of the pods of its namespace
 * @param told is told why the watch ended early
 */
export async function watchPod(
  config: KubeConfig,
  path: string,
  name: string,
  told: (reason: string) => void,
): Promise<PodWatch> {
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
      current = await new Watch(config).watch(path, query, take, again);
      if (isOver) current.abort();
    } catch (error) {
      again(error);
    }
  };
  await begin();
  return {
    async end(limit) {
      const timer = setTimeout(finish, limit);
      try {
        return await ended;
      } finally {
        clearTimeout(timer);
      }
    },
    close: finish,
  };
}
