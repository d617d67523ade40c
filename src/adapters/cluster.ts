import type { KubeConfig } from '@kubernetes/client-node';
import { ClusterError, describe } from '../errors.ts';
import { fieldManager } from '../field-manager.ts';
import type { Clock } from '../ports/clock.ts';
import {
  resources,
  type Cluster,
  type ExecResult,
  type PatchOperation,
  type Preconditions,
  type ResourceName,
  type ResourceTypes,
} from '../ports/cluster.ts';
import type { Log } from '../ports/runner.ts';
import { answerError, connectionError, foreignAnswerError } from './api-error.ts';
import { execInPod } from './exec.ts';
import { callApiServer, type HttpAnswer, type HttpRequest } from './http.ts';
import { loadKubeconfig } from './kubeconfig.ts';

const idleLimit = 30_000;
const pageSize = 500;
/** How often a read is tried, with pauses that double from half a second: about 15 s in all. */
const readAttempts = 6;

export interface ClusterOptions {
  readonly kubeconfig: string;
  readonly context: string;
  readonly environmentKubeconfig: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Connects to the cluster of a kubeconfig; nothing is called yet.
 * @throws ConfigurationError when there is no usable kubeconfig
 */
export function connectCluster(options: ClusterOptions): Cluster {
  return new ApiServer(
    loadKubeconfig(options.kubeconfig, options.context, options.environmentKubeconfig),
    options.clock,
    options.log,
  );
}

class ApiServer implements Cluster {
  readonly address: string;

  /** A server that never answered is most likely a wrong address: then nothing is tried twice. */
  private reached = false;

  /** What the server's clock showed in its last answer, and ours when that came. */
  private told: { readonly date: Date; readonly at: number } | undefined;

  constructor(
    private readonly config: KubeConfig,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.address = `${config.getCurrentCluster()?.server ?? '?'} (context ${config.getCurrentContext()})`;
  }

  async version(): Promise<string> {
    const doing = "read the API server's version";
    const answer = await this.request<{ gitVersion: string }>(doing, { method: 'GET', path: '/version', idleLimit });
    return answer.gitVersion;
  }

  async now(): Promise<Date> {
    if (this.told === undefined) await this.version();
    if (this.told === undefined) {
      throw new ClusterError(
        'no-date',
        `${this.address} does not say what time it is: its answers have no Date header.`,
        'Look at the proxy between the runner and the API server.',
      );
    }
    return new Date(this.told.date.getTime() + this.clock.monotonic() - this.told.at);
  }

  async find<R extends ResourceName>(
    resource: R,
    name: string,
    namespace?: string,
  ): Promise<ResourceTypes[R] | undefined> {
    try {
      return await this.request<ResourceTypes[R]>(`read ${kindOf(resource)} ${name}`, {
        method: 'GET',
        path: pathOf(resource, namespace, name),
        idleLimit,
      });
    } catch (error) {
      if (error instanceof ClusterError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  async list<R extends ResourceName>(
    resource: R,
    options: { namespace?: string; labelSelector?: string; fieldSelector?: string } = {},
  ): Promise<ResourceTypes[R][]> {
    const items: ResourceTypes[R][] = [];
    let next = '';
    do {
      const query = new URLSearchParams({ limit: String(pageSize) });
      if (options.labelSelector !== undefined) query.set('labelSelector', options.labelSelector);
      if (options.fieldSelector !== undefined) query.set('fieldSelector', options.fieldSelector);
      if (next !== '') query.set('continue', next);
      const page = await this.request<{ items: ResourceTypes[R][]; metadata: { continue?: string } }>(
        `list ${resource}`,
        {
          method: 'GET',
          path: `${pathOf(resource, options.namespace)}?${query.toString()}`,
          idleLimit,
        },
      );
      items.push(...page.items);
      next = page.metadata.continue ?? '';
    } while (next !== '');
    return items;
  }

  async create<R extends ResourceName>(
    resource: R,
    object: ResourceTypes[R],
    options: { namespace?: string; dryRun?: boolean } = {},
  ): Promise<ResourceTypes[R]> {
    const query = new URLSearchParams({ fieldManager });
    if (options.dryRun === true) query.set('dryRun', 'All');
    const { group, version, kind } = resources[resource];
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return await this.request<ResourceTypes[R]>(`create ${kind}${nameOf(object)}`, {
      method: 'POST',
      path: `${pathOf(resource, options.namespace)}?${query.toString()}`,
      body: JSON.stringify({ apiVersion, kind, ...object }),
      idleLimit,
    });
  }

  async patch<R extends ResourceName>(
    resource: R,
    name: string,
    namespace: string,
    operations: readonly PatchOperation[],
    options: { subresource?: string } = {},
  ): Promise<ResourceTypes[R]> {
    const subresource = options.subresource === undefined ? '' : `/${options.subresource}`;
    return await this.request<ResourceTypes[R]>(`change ${kindOf(resource)} ${name}`, {
      method: 'PATCH',
      path: `${pathOf(resource, namespace, name)}${subresource}?${new URLSearchParams({ fieldManager }).toString()}`,
      contentType: 'application/json-patch+json',
      body: JSON.stringify(operations),
      idleLimit,
    });
  }

  async delete(
    resource: ResourceName,
    name: string,
    namespace: string,
    options: { foreground?: boolean; preconditions?: Preconditions } = {},
  ): Promise<void> {
    try {
      await this.request(`delete ${kindOf(resource)} ${name}`, {
        method: 'DELETE',
        path: pathOf(resource, namespace, name),
        body: JSON.stringify({
          propagationPolicy: options.foreground === true ? 'Foreground' : 'Background',
          preconditions: options.preconditions,
        }),
        idleLimit,
      });
    } catch (error) {
      if (!(error instanceof ClusterError && error.code === 'not-found')) throw error;
    }
  }

  async podLog(namespace: string, pod: string, container: string, sinceTime?: string): Promise<string> {
    const query = new URLSearchParams({ container, timestamps: 'true' });
    if (sinceTime !== undefined) query.set('sinceTime', sinceTime);
    const path = `${pathOf('pods', namespace, pod)}/log?${query.toString()}`;
    return (await this.call(`read the log of pod ${pod}`, { method: 'GET', path, idleLimit })).body;
  }

  async exec(
    namespace: string,
    pod: string,
    container: string,
    command: readonly string[],
    stdin: string,
    timeout: number,
  ): Promise<ExecResult> {
    return await execInPod(this.config, this.address, { namespace, pod, container, command, stdin, limit: timeout });
  }

  private async request<T>(doing: string, request: HttpRequest): Promise<T> {
    const { body } = await this.call(doing, request);
    try {
      return JSON.parse(body) as T;
    } catch {
      throw foreignAnswerError(doing, this.address, body);
    }
  }

  /** Tries reads again when the server is away or overloaded; a write is tried again only when the server said that it did nothing (429). */
  private async call(doing: string, request: HttpRequest): Promise<HttpAnswer> {
    for (let attempt = 1; ; attempt++) {
      const last = attempt === readAttempts;
      const isRead = request.method === 'GET';
      let reason: string;
      let pause = 250 * 2 ** attempt;
      try {
        const answer = await callApiServer(this.config, request);
        this.reached = true;
        if (answer.date !== undefined) this.told = { date: answer.date, at: this.clock.monotonic() };
        if (answer.status >= 200 && answer.status < 300) return answer;
        const transient = answer.status === 429 || (isRead && answer.status >= 500);
        if (!transient || last) throw answerError(doing, answer.status, answer.body);
        reason = `HTTP ${String(answer.status)}`;
        if (answer.retryAfter !== undefined) pause = Math.max(pause, Math.min(answer.retryAfter, 10) * 1000);
      } catch (error) {
        if (error instanceof ClusterError) throw error;
        if (!isRead || !this.reached || last) throw connectionError(doing, this.address, error);
        reason = describe(error);
      }
      this.log.info(`Can't ${doing} (${reason}); trying again in ${String(pause / 1000)} s`);
      await this.clock.sleep(pause);
    }
  }
}

function pathOf(resource: ResourceName, namespace?: string, name?: string): string {
  const { group, version, namespaced } = resources[resource];
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${resource}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

function kindOf(resource: ResourceName): string {
  return resources[resource].kind;
}

function nameOf(object: object): string {
  const name = (object as { metadata?: { name?: string } }).metadata?.name;
  return name === undefined ? '' : ` ${name}`;
}
