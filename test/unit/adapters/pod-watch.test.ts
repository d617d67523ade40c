import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { expect, test } from '@jest/globals';
import { watchPod } from '../../../src/adapters/pod-watch.ts';
import type { PodWatch } from '../../../src/ports/cluster.ts';

type Answer = (response: ServerResponse, query: URLSearchParams) => void;

/** Milliseconds: more than a call on this machine takes. */
const enough = 10_000;

const pod = (resourceVersion: string, exitCode?: number): V1Pod => ({
  metadata: { name: 'postgresql-0', namespace: 'ns', uid: 'one', resourceVersion },
  spec: { containers: [] },
  status: {
    containerStatuses: [
      {
        ...{ name: 'postgresql', image: '', imageID: '', ready: false, restartCount: 0 },
        state: exitCode === undefined ? { running: {} } : { terminated: { exitCode } },
      },
    ],
  },
});

function tell(response: ServerResponse, type: string, object: unknown): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

/** A watch of an API server that gives these answers, one to each call. */
async function watching(
  answers: readonly Answer[],
  work: (watch: PodWatch, told: string[]) => Promise<void>,
  signal?: AbortSignal,
) {
  const queries: string[] = [];
  const server = createServer(({ url = '' }: IncomingMessage, response) => {
    const { searchParams } = new URL(url, 'http://localhost');
    queries.push(`${searchParams.get('fieldSelector') ?? ''} ${searchParams.get('resourceVersion') ?? ''}`.trim());
    const answer = answers[queries.length - 1];
    if (answer === undefined) response.writeHead(500).end();
    else answer(response, searchParams);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const config = new KubeConfig();
  const address = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  config.loadFromClusterAndUser({ name: 'c', server: address, skipTLSVerify: true }, { name: 'u' });
  const told: string[] = [];
  const watch = await watchPod(config, {
    ...{ path: '/api/v1/namespaces/ns/pods', name: 'postgresql-0', signal },
    told: (reason) => told.push(reason),
  });
  try {
    await work(watch, told);
  } finally {
    watch.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return queries;
}

test('tells how a pod was when it was deleted, and when the watch began', async () => {
  const answer: Answer = (response) => {
    tell(response, 'ADDED', pod('1'));
    tell(response, 'MODIFIED', pod('2', 0));
    tell(response, 'DELETED', pod('3', 0));
    tell(response, 'ADDED', pod('4'));
  };
  const queries = await watching([answer], async (watch, told) => {
    expect(await watch.end(enough)).toEqual({ before: pod('1'), last: pod('3', 0) });
    expect(told).toEqual([]);
  });
  expect(queries).toEqual(['metadata.name=postgresql-0']);
});

test('begins again where it was ended, so that nothing between is lost', async () => {
  const answers: readonly Answer[] = [
    (response) => {
      tell(response, 'ADDED', pod('1'));
      tell(response, 'MODIFIED', pod('2'));
      response.end();
    },
    (response) => {
      tell(response, 'DELETED', pod('3', 0));
    },
  ];
  const queries = await watching(answers, async (watch) => {
    expect((await watch.end(enough))?.last).toEqual(pod('3', 0));
  });
  expect(queries).toEqual(['metadata.name=postgresql-0', 'metadata.name=postgresql-0 2']);
});

test.each<[string, Answer, string]>([
  ['without the right to it', (response) => response.writeHead(403).end('{}'), 'Forbidden'],
  ['of what is no event', (response) => response.end('{"kind":"List"}\n'), 'the API server ended it'],
  [
    'whose place is too old',
    (response) => {
      tell(response, 'ERROR', { kind: 'Status', code: 410 });
      response.end();
    },
    'the API server ended it',
  ],
])('ends without a pod: %s', async (_what, answer, reason) => {
  await watching([answer], async (watch, told) => {
    expect(await watch.end(enough)).toBeUndefined();
    expect(told).toEqual([reason]);
  });
});

test('is waited for no longer than asked', async () => {
  const answer: Answer = (response) => {
    tell(response, 'ADDED', pod('1'));
  };
  await watching([answer], async (watch) => {
    expect(await watch.end(10)).toBeUndefined();
  });
});

test('does without an answer that does not come, and is ended by a cancellation', async () => {
  const cancelled = new AbortController();
  const never: Answer = () => {
    cancelled.abort();
  };
  await watching(
    [never],
    async (watch, told) => {
      expect(await watch.end(enough)).toBeUndefined();
      expect(told).toEqual([]);
    },
    cancelled.signal,
  );
  await watching([() => undefined], async (watch, told) => {
    expect(await watch.end(enough)).toBeUndefined();
    expect(told).toEqual(['no answer in time']);
  });
}, 15_000);
