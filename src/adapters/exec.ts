import type { IncomingMessage } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { Exec, type KubeConfig, type V1Status } from '@kubernetes/client-node';
import { WebSocketHandler } from '@kubernetes/client-node/dist/web-socket-handler.js';
import WebSocket from 'ws';
import type { ClusterError } from '../errors.ts';
import type { ExecResult } from '../ports/cluster.ts';
import { answerError, connectionError } from './api-error.ts';

export interface ExecRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly stdin: string;
  /** Milliseconds until it is given up; the command itself may go on. */
  readonly limit: number;
}

/**
 * Runs a command in a container and waits for its end.
 * @param address where the cluster is, for errors
 * @throws ClusterError when the connection is refused, breaks or lasts too long
 */
export async function execInPod(config: KubeConfig, address: string, request: ExecRequest): Promise<ExecResult> {
  const stdout = collector();
  const stderr = collector();
  let timer: NodeJS.Timeout | undefined;
  try {
    const status = await new Promise<V1Status>((resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no end within ${String(request.limit / 1000)} s`));
      }, request.limit);
      const { namespace, pod, container, command } = request;
      const stdin = request.stdin === '' ? null : openInput(request.stdin);
      new Exec(config, new WebSocketHandler(config, openSocket))
        .exec(namespace, pod, container, [...command], stdout.stream, stderr.stream, stdin, false, resolve)
        .then((socket) => {
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
  } catch (error) {
    throw execError(`run a command in pod ${request.pod}`, address, error);
  } finally {
    clearTimeout(timer);
  }
}

/** What the API server answered in place of opening the connection. */
class RefusedError extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`HTTP ${String(status)}`);
  }
}

/** A socket that keeps what the API server said when it refused; by itself it would only tell the HTTP status. */
function openSocket(uri: string, protocols: string[], options: WebSocket.ClientOptions): WebSocket {
  const socket = new WebSocket(uri, protocols, options);
  socket.on('unexpected-response', (_request, answer: IncomingMessage) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('close', () => {
      socket.emit('error', new RefusedError(answer.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
    });
  });
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
function execError(doing: string, address: string, thrown: unknown): ClusterError {
  const { error = thrown, message } = thrown as { error?: unknown; message?: string };
  if (error instanceof RefusedError) return answerError(doing, error.status, error.body);
  return connectionError(doing, address, error instanceof Error ? error : new Error(message ?? String(thrown)));
}
