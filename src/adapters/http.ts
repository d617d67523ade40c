import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { KubeConfig } from '@kubernetes/client-node';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
  /** Milliseconds without a byte after which the call is given up. */
  readonly idleLimit: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: number | undefined;
  /** The server's time, as its Date header has it. */
  readonly date: Date | undefined;
}

/**
 * One call to the API server, with the kubeconfig's credentials, certificates
 * and proxy. The library's own API classes are not used for it: they drop the
 * server's message from errors, drop fields they don't know from objects, and
 * a connection that breaks in a log stream ends the process.
 */
export async function callApiServer(config: KubeConfig, request: HttpRequest): Promise<HttpAnswer> {
  const server = config.getCurrentCluster()?.server ?? '';
  const url = new URL(server.replace(/\/$/, '') + request.path);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (request.body !== undefined) {
    headers['content-type'] = request.contentType ?? 'application/json';
    headers['content-length'] = String(Buffer.byteLength(request.body));
  }
  const options: https.RequestOptions = { method: request.method };
  await config.applyToHTTPSOptions(options);
  options.headers = { ...(options.headers as Record<string, string> | undefined), ...headers };
  return await new Promise((resolve, reject) => {
    const call = https.request(url, options, (answer) => {
      read(answer).then(
        (body) => {
          const retryAfter = Number(answer.headers['retry-after']);
          resolve({
            status: answer.statusCode ?? 0,
            body,
            retryAfter: Number.isFinite(retryAfter) ? retryAfter : undefined,
            date: dateOf(answer),
          });
        },
        (error: unknown) => {
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
    call.setTimeout(request.idleLimit, () =>
      call.destroy(new Error(`no answer within ${String(request.idleLimit / 1000)} s`)),
    );
    call.on('error', reject);
    call.end(request.body);
  });
}

function dateOf({ headers }: IncomingMessage): Date | undefined {
  const time = Date.parse(headers.date ?? '');
  return Number.isNaN(time) ? undefined : new Date(time);
}

async function read(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
