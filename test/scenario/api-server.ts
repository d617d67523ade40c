import https from 'node:https';
import { ServerResponse, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { resources, type PatchOperation } from '../../src/ports/cluster.ts';
import type { Permission } from '../../src/permissions/permissions.ts';
import { applyPatch } from '../unit/json-patch.ts';
import type { Certificates } from './certificates.ts';
import { serveExecution, type Program } from './exec-channel.ts';
import type { ServedCluster } from './served-cluster.ts';
import { ObjectStore, placeOf, qualifiedName, type KubernetesObject, type Place } from './object-store.ts';

export const user = 'system:serviceaccount:ci:upgrader';

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Answers instead of the API server; `proceed` lets it answer after all. */
export type Fault = (response: ServerResponse, proceed: () => void) => void;

type Grant = Pick<Permission, 'verb' | 'resource' | 'subresource'>;

/**
 * A small Kubernetes API in memory, over HTTPS: objects, lists in pages, access
 * reviews, dry runs, logs and exec. It notes every call and answers as a test
 * tells it to.
 */
export class ApiServer {
  readonly calls: Call[] = [];
  readonly objects = new ObjectStore();
  /** The only token that is accepted; those before it have expired. */
  token = 'eyJhbGciOiJSUzI1NiJ9.dGhlLXRva2Vu.c2lnbmF0dXJl';
  /** How many connections were opened, with or without a call. */
  connected = 0;
  /** What RBAC grants; undefined for everything. */
  granted: readonly Grant[] | undefined;
  /** What runs in the containers. */
  program: Program = () => 'broken';
  /** Has the objects and runs the commands instead, where there is one. */
  served: ServedCluster | undefined;
  /** Status and log of a pod that is made. */
  podStatus: (pod: KubernetesObject) => unknown = () => ({ phase: 'Pending' });
  podLog: (pod: KubernetesObject) => string = () => '';

  private readonly faults: { method: string; path: RegExp; fault: Fault; times: number }[] = [];
  private readonly waiting: { line: string; resolve: () => void }[] = [];
  private readonly connections = new Set<Duplex>();
  private readonly webSockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('v5.channel.k8s.io') ? 'v5.channel.k8s.io' : false),
  });
  private readonly server: https.Server;

  private constructor(certificates: Certificates) {
    this.server = https.createServer(
      {
        cert: certificates.server.certificate,
        key: certificates.server.key,
        ca: certificates.authority,
        requestCert: true,
        rejectUnauthorized: false,
      },
      (request, response) => {
        void this.serve(request, response);
      },
    );
    this.server.on('upgrade', (request, socket, head) => {
      this.serveExec(request, socket, head);
    });
    this.server.on('connection', (socket) => {
      this.connected++;
      this.connections.add(socket);
      socket.on('close', () => this.connections.delete(socket));
    });
  }

  static async start(certificates: Certificates): Promise<ApiServer> {
    const api = new ApiServer(certificates);
    await new Promise<void>((resolve) => api.server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get address(): string {
    return `https://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.connections) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Puts a fault in the place of the next answers to a call. */
  answer(method: string, path: RegExp, fault: Fault, times = Infinity): void {
    this.faults.push({ method, path, fault, times });
  }

  /** `GET /version`, one line each, in the order of the alphabet, since independent calls come in any order. */
  get lines(): string[] {
    return this.calls.map(({ method, path }) => `${method} ${path}`).sort();
  }

  /** Calls that could have changed something; access reviews and dry runs can't. */
  get writes(): string[] {
    return this.calls
      .filter(({ method, path, query }) => {
        const harmless = method === 'POST' && (/\/selfsubject(access)?reviews$/.test(path) || query.has('dryRun'));
        return method !== 'GET' && !harmless;
      })
      .map(({ method, path }) => `${method} ${path}`);
  }

  /** Resolves once a call with this method and this beginning of its path has come. */
  async received(line: string): Promise<void> {
    if (this.calls.some(({ method, path }) => `${method} ${path}`.startsWith(line))) return;
    await new Promise<void>((resolve) => this.waiting.push({ line, resolve }));
  }

  private note(request: IncomingMessage): Call {
    const url = new URL(request.url ?? '', this.address);
    const call = { method: request.method ?? '', path: url.pathname, query: url.searchParams };
    this.calls.push(call);
    for (const { line, resolve } of this.waiting) if (`${call.method} ${call.path}`.startsWith(line)) resolve();
    return call;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = this.note(request);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length === 0 ? undefined : (JSON.parse(Buffer.concat(chunks).toString()) as KubernetesObject);
    this.faultOr(call, response, () => {
      void this.answerTo(request, call, body, response);
    });
  }

  private async answerTo(
    request: IncomingMessage,
    call: Call,
    body: KubernetesObject | undefined,
    response: ServerResponse,
  ): Promise<void> {
    const [status, content] = await this.decide(request, call, body);
    if (typeof content === 'string') response.writeHead(status, { 'content-type': 'text/plain' }).end(content);
    else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
  }

  private serveExec(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const call = this.note(request);
    const response = new ServerResponse(request);
    response.assignSocket(socket as Socket);
    response.setHeader('connection', 'close');
    this.faultOr(call, response, () => {
      const place = placeOf(call.path);
      const refusal = this.refusal(request, call, place);
      if (refusal !== undefined || place === undefined) {
        const [status, content] = refusal ?? notServed();
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
        return;
      }
      this.webSockets.handleUpgrade(request, socket, head, (channel) => {
        serveExecution(channel, call.query, this.served?.programIn(place, call.query) ?? this.program);
      });
    });
  }

  private faultOr({ method, path }: Call, response: ServerResponse, proceed: () => void): void {
    const found = this.faults.find((f) => f.times > 0 && f.method === method && f.path.test(path));
    if (found === undefined) {
      proceed();
      return;
    }
    found.times--;
    found.fault(response, proceed);
  }

  private decide(
    request: IncomingMessage,
    call: Call,
    body: KubernetesObject | undefined,
  ): [number, unknown] | Promise<[number, unknown]> {
    const place = placeOf(call.path);
    const refusal = this.refusal(request, call, place);
    if (refusal !== undefined) return refusal;
    if (call.path === '/version') return [200, { major: '1', minor: '34', gitVersion: 'v1.34.2' }];
    if (place === undefined) return notServed();
    if (place.resource === 'selfsubjectaccessreviews' && body !== undefined) return [201, this.review(body)];
    if (place.resource === 'selfsubjectreviews') return [201, { status: { userInfo: { username: user } } }];
    if (this.served !== undefined) return this.served.answer(place, call, body);
    if (call.method === 'POST' && body !== undefined) return [201, this.create(place, call, body)];
    if (call.method === 'GET' && place.name === '') {
      const { items, ...rest } = this.objects.list(place, call.query);
      return [200, { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '1', ...rest }, items }];
    }
    const object = this.objects.get(place);
    if (object === undefined) return statusOf(404, 'NotFound', `${qualifiedName(place)} "${place.name}" not found`);
    if (place.subresource === 'log') return [200, this.podLog(object)];
    if (call.method === 'DELETE') this.objects.remove(place);
    if (call.method !== 'PATCH') return [200, object];
    const changed = applyPatch(object, body as unknown as readonly PatchOperation[]);
    if (changed === undefined)
      return statusOf(422, 'Invalid', 'the server rejected our request due to an error in our request');
    return [200, this.objects.put(place.resource, changed)];
  }

  private create(place: Place, call: Call, body: KubernetesObject): KubernetesObject {
    const created = this.objects.create(place, body);
    if (call.query.get('dryRun') === 'All') return created;
    const whole = place.resource === 'pods' ? { ...created, status: this.podStatus(created) } : created;
    return this.objects.put(place.resource, whole);
  }

  private review(body: KubernetesObject): object {
    const { resourceAttributes } = body['spec'] as { resourceAttributes: Grant & { name?: string } };
    return { ...body, status: { allowed: this.allows(resourceAttributes) } };
  }

  private refusal(request: IncomingMessage, call: Call, place: Place | undefined): [number, unknown] | undefined {
    const known =
      request.headers.authorization === `Bearer ${this.token}` || hasCertificate(request.socket as TLSSocket);
    if (!known) return statusOf(401, 'Unauthorized', 'Unauthorized');
    if (place === undefined || ['selfsubjectaccessreviews', 'selfsubjectreviews'].includes(place.resource))
      return undefined;
    const { resource, name, namespace, subresource } = place;
    const verb = verbOf(call.method, name);
    if (this.allows({ verb, resource, ...(subresource === '' ? {} : { subresource }) })) return undefined;
    const scope = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
    const asked = `cannot ${verb} resource "${resource}${subresource === '' ? '' : `/${subresource}`}" in API group "${resources[resource].group}" ${scope}`;
    const what = `${qualifiedName(place)}${name === '' ? '' : ` "${name}"`}`;
    return statusOf(403, 'Forbidden', `${what} is forbidden: User "${user}" ${asked}`);
  }

  private allows({ verb, resource, subresource }: Grant): boolean {
    return (
      this.granted?.some((g) => g.verb === verb && g.resource === resource && g.subresource === subresource) ?? true
    );
  }
}

/** A resumed session is told as authorized even if it was begun without a certificate. */
function hasCertificate(socket: TLSSocket): boolean {
  return socket.authorized && Object.keys(socket.getPeerCertificate()).length > 0;
}

function verbOf(method: string, name: string): Grant['verb'] {
  if (method === 'GET') return name === '' ? 'list' : 'get';
  return method === 'POST' ? 'create' : method === 'PATCH' ? 'patch' : 'delete';
}

export function statusOf(code: number, reason: string, message: string): [number, object] {
  return [code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }];
}

function notServed(): [number, object] {
  return statusOf(404, 'NotFound', 'the server could not find the requested resource');
}
