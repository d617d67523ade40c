// Decision: docs/decisions/0013-api-client.md
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { KubeConfig } from '@kubernetes/client-node';
import { isClosed, withReusedConnections } from './reused-connections.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly contentType?: string;
  /** Of the answer; JSON where nothing is said. */
  readonly accept?: string;
  readonly body?: string;
  /** Milliseconds until the whole answer has to be there. */
  readonly limit?: number;
  /** Ends the call. */
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Seconds. */
  readonly retryAfter: number | undefined;
  /** The server's time, as its Date header has it. */
  readonly date: Date | undefined;
}

/** A call that never got its answer, or not all of it. */
export class NoAnswerError extends Error {
  /** What the kubeconfig names and this machine does not have, where that is the reason. */
  readonly missing: MissingHere | undefined;

  constructor(
    cause: unknown,
    /** Whether the request, or a part of it, may have come through. */
    readonly wasSent: boolean,
    /** Whether it was sent on a connection of an earlier call that the other side had closed. */
    readonly isStale = false,
  ) {
    super(reasonOf(cause));
    this.missing = missingOf(cause);
  }
}

export interface MissingHere {
  readonly kind: 'program' | 'file';
  readonly name: string;
}

/** Nothing on the network is "no such file or directory". */
function missingOf(cause: unknown): MissingHere | undefined {
  const { code, path = '', syscall = '' } = (cause ?? {}) as NodeJS.ErrnoException;
  if (code !== 'ENOENT') return undefined;
  return { kind: syscall.startsWith('spawn') ? 'program' : 'file', name: path };
}

/** Milliseconds for the name, the connection and TLS. */
export const connectLimit = 10_000;
/** Milliseconds without a byte. */
const idleLimit = 30_000;
const wholeLimit = 120_000;
/** Milliseconds for a program of the kubeconfig to bring credentials. */
const credentialsLimit = 60_000;

/**
 * One call to the API server, with the kubeconfig's credentials, certificates
 * and proxy. The library's own API classes are not used for it: they drop the
 * server's message from errors, drop fields they don't know from objects, and
 * a connection that breaks in a log stream ends the process.
 *
 * Calls share connections, but for creations: whether a creation came through must be known as exactly as possible, and the
 * other side may close an idle connection at the moment at which a call is sent on it. Any other call is then sent once more.
 * @throws NoAnswerError
 */
export async function callApiServer(config: KubeConfig, request: HttpRequest): Promise<HttpAnswer> {
  const isRepeatable = request.method !== 'POST';
  const options = await optionsOf(config, request);
  const { agent } = options;
  try {
    return await send(config, request, isRepeatable ? { ...options, agent: withReusedConnections(agent) } : options);
  } catch (error) {
    if (!isRepeatable || !(error instanceof NoAnswerError) || !error.isStale) throw error;
    return await send(config, request, options);
  }
}

async function optionsOf(config: KubeConfig, request: HttpRequest): Promise<https.RequestOptions> {
  const headers: Record<string, string> = { accept: request.accept ?? 'application/json' };
  if (request.body !== undefined) {
    headers['content-type'] = request.contentType ?? 'application/json';
    headers['content-length'] = String(Buffer.byteLength(request.body));
  }
  const options: https.RequestOptions = { method: request.method, ...(await connectionOptions(config)) };
  options.headers = { ...(options.headers as Record<string, string> | undefined), ...headers };
  return options;
}

/** @throws NoAnswerError */
async function send(config: KubeConfig, request: HttpRequest, given: https.RequestOptions): Promise<HttpAnswer> {
  const server = config.getCurrentCluster()?.server ?? '';
  const url = new URL(server.replace(/\/$/, '') + request.path);
  const limit = request.limit ?? wholeLimit;
  const over = AbortSignal.timeout(limit);
  const signal = request.signal === undefined ? over : AbortSignal.any([over, request.signal]);
  /** `mayBeStale`: it went over a connection of an earlier call, and no byte of an answer has come. */
  const state = { wasSent: false, mayBeStale: false };
  try {
    return await new Promise((resolve, reject) => {
      const call = https.request(url, { ...given, signal }, (answer) => {
        state.mayBeStale = false;
        read(answer).then((body) => {
          resolve(answerOf(answer, body));
        }, reject);
      });
      const connecting = setTimeout(
        () => call.destroy(new Error(`no connection within ${inSeconds(connectLimit)}`)),
        connectLimit,
      );
      const connected = () => {
        state.wasSent = true;
        clearTimeout(connecting);
      };
      call.on('socket', (socket) => {
        state.mayBeStale = call.reusedSocket;
        if (call.reusedSocket) connected();
        else socket.once('secureConnect', connected);
      });
      call.on('close', () => {
        clearTimeout(connecting);
      });
      call.setTimeout(idleLimit, () => call.destroy(new Error(`no answer within ${inSeconds(idleLimit)}`)));
      call.on('error', reject);
      call.end(request.body);
    });
  } catch (error) {
    const failure = over.aborted ? new Error(`no whole answer within ${inSeconds(limit)}`) : error;
    throw new NoAnswerError(failure, state.wasSent, state.mayBeStale && isClosed(failure));
  }
}

/**
 * Credentials, certificates and the agent that knows the proxy.
 * @throws NoAnswerError when the kubeconfig's program does not bring the credentials
 */
export async function connectionOptions(config: KubeConfig): Promise<https.RequestOptions> {
  const options: https.RequestOptions = {};
  let timer: NodeJS.Timeout | undefined;
  try {
    await Promise.race([
      config.applyToHTTPSOptions(options),
      new Promise((_resolve, reject) => {
        timer = setTimeout(() => {
          reject(new Error(`the kubeconfig's program brought no credentials within ${inSeconds(credentialsLimit)}`));
        }, credentialsLimit);
      }),
    ]);
  } catch (error) {
    throw new NoAnswerError(error, false);
  } finally {
    clearTimeout(timer);
  }
  return options;
}

function answerOf({ statusCode, headers }: IncomingMessage, body: string): HttpAnswer {
  const retryAfter = Number(headers['retry-after']);
  const time = Date.parse(headers.date ?? '');
  return {
    status: statusCode ?? 0,
    body,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : undefined,
    date: Number.isNaN(time) ? undefined : new Date(time),
  };
}

async function read(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Where a name has several addresses, Node gives the reasons of all of them and no message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

function inSeconds(milliseconds: number): string {
  return `${String(milliseconds / 1000)} s`;
}
