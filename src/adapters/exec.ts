import type { IncomingMessage } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { Exec, type KubeConfig, type V1Status } from '@kubernetes/client-node';
import { WebSocketHandler } from '@kubernetes/client-node/dist/web-socket-handler.js';
import WebSocket from 'ws';
import { ClusterError } from '../common/errors.ts';
import type { ExecResult } from '../ports/cluster.ts';
import { RefusedError } from './connection.ts';
import { connectLimit, NoAnswerError } from './http.ts';
import { watchLife } from './keepalive.ts';
import { withReusedConnections } from './reused-connections.ts';

export interface ExecRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly stdin: string;
  /** Milliseconds until it is given up; the command itself may go on. */
  readonly limit: number;
  /** Gives it up; the command itself may go on. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a command in a container and waits for its end.
 * @throws RefusedError when the connection is refused, NoAnswerError when it breaks or dies, ClusterError when it lasts too long
 */
export async function execInPod(config: KubeConfig, request: ExecRequest): Promise<ExecResult> {
  const { namespace, pod, container, command, signal } = request;
  const [stdout, stderr] = [collector(), collector()];
  const stdin = request.stdin === '' ? null : openInput(request.stdin);
  const opened: WebSocket[] = [];
  let isOpen = false;
  let stop: () => void = () => undefined;
  try {
    const status = await new Promise<V1Status>((resolve, reject) => {
      const timer = setTimeout(
        () => {
          reject(noEnd(request));
        },
        Math.min(request.limit, longestTimer),
      );
      const abort = () => {
        reject(new Error('given up'));
      };
      if (signal?.aborted === true) abort();
      signal?.addEventListener('abort', abort);
      stop = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const open = (uri: string, protocols: string[], options: WebSocket.ClientOptions) => {
        const socket = openSocket(uri, protocols, options);
        opened.push(socket);
        return socket;
      };
      new Exec(config, new WebSocketHandler(config, open))
        .exec(namespace, pod, container, [...command], stdout.stream, stderr.stream, stdin, false, resolve)
        .then((socket) => {
          isOpen = true;
          watchLife(socket, reject);
          // The library leaves a connection that breaks later without an answer.
          socket.onclose = ({ code, reason }) => {
            reject(new Error(`the connection closed before the command ended (${String(code)} ${reason})`));
          };
          socket.onerror = ({ message }) => {
            reject(new Error(message));
          };
        }, reject);
    });
    return { exitCode: exitCodeOf(status), stdout: stdout.text(), stderr: stderr.text() };
  } catch (thrown) {
    throw failureOf(thrown, isOpen);
  } finally {
    stop();
    for (const socket of opened) socket.terminate();
  }
}

/** Milliseconds; a timer that is to last longer ends at once. */
const longestTimer = 2 ** 31 - 1;

function noEnd({ pod, limit }: ExecRequest): ClusterError {
  return new ClusterError(
    'no-end',
    `A command in pod ${pod} did not end within ${String(limit / 1000)} s.`,
    'Look at pg_stat_activity on the server: the command may still run.',
  );
}

/** A socket that keeps what the API server said when it refused; by itself it would only tell the HTTP status. */
function openSocket(uri: string, protocols: string[], options: WebSocket.ClientOptions): WebSocket {
  const socket = new WebSocket(uri, protocols, {
    ...options,
    agent: withReusedConnections(options.agent),
    handshakeTimeout: connectLimit,
  });
  socket.on('unexpected-response', (_request, answer: IncomingMessage) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('close', () => {
      socket.emit('error', new RefusedError(answer.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
    });
  });
  // A socket that is given up before it is open tells it by an error that nobody waits for any more.
  socket.on('error', () => undefined);
  return socket;
}

function collector(): { stream: Writable; text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
}

/** Input that never ends: where the API server can't close it alone, the library closes the whole connection at its end. */
function openInput(text: string): Readable {
  const stream = new Readable({ read: () => undefined });
  stream.push(Buffer.from(text));
  return stream;
}

/** The kubelet answers a Status: success, or a cause ExitCode with the code as its message. */
function exitCodeOf(status: V1Status): number {
  if (status.status === 'Success') return 0;
  const code = status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  if (code === undefined) throw new Error(status.message ?? 'the command could not be started');
  return Number(code);
}

/** Errors of a socket come as events, which are no Error objects and hold one. */
function failureOf(thrown: unknown, isOpen: boolean): Error {
  const { error = thrown, message } = thrown as { error?: unknown; message?: string };
  if (error instanceof RefusedError || error instanceof ClusterError || error instanceof NoAnswerError) return error;
  return new NoAnswerError(error instanceof Error ? error : new Error(message ?? String(thrown)), isOpen);
}
