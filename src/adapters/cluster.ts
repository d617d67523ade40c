import { ClusterError } from '../common/errors.ts';
import { fieldManager } from '../common/field-manager.ts';
import type { Clock } from '../ports/clock.ts';
import {
  resources,
  type Cluster,
  type DeleteOptions,
  type ExecResult,
  type ListOptions,
  type PatchOperation,
  type PodWatch,
  type ResourceName,
  type ResourceTypes,
} from '../ports/cluster.ts';
import type { Log } from '../ports/runner.ts';
import { wrongWith, wrongWithDiscovery, wrongWithObject, wrongWithPage } from './answer-shape.ts';
import { foreignAnswerError, strangeAnswerError } from './api-error.ts';
import { Connection } from './connection.ts';
import { Credentials, type Mask } from './credentials.ts';
import { execInPod } from './exec.ts';
import type { HttpRequest } from './http.ts';
import { loadKubeconfig } from './kubeconfig.ts';
import { watchPod } from './pod-watch.ts';

const pageSize = 500;
/** An answer of this type has nothing of the objects but their metadata; no other one will do. */
const metadataList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
/** Milliseconds. A log is for people: nothing waits long for it. */
const logLimits = { limit: 10_000, patience: 5000 };

export interface ClusterOptions {
  readonly kubeconfig: string;
  readonly context: string;
  readonly environmentKubeconfig: string;
  /** Milliseconds for which an API server that has answered before may be away. */
  readonly patience: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Is told each secret of the credentials as soon as it is known, and what it is, for people. */
  readonly mask: Mask;
}

/**
 * Connects to the cluster of a kubeconfig; nothing is called yet.
 * @throws ConfigurationError when there is no usable kubeconfig
 */
export function connectCluster(options: ClusterOptions): Cluster {
  const { kubeconfig, context, environmentKubeconfig, mask, log } = options;
  const credentials = new Credentials(() => loadKubeconfig(kubeconfig, context, environmentKubeconfig), mask, log);
  return new ApiServer(new Connection(credentials, options.clock, options.log, options.patience));
}

class ApiServer implements Cluster {
  constructor(
    private readonly connection: Connection,
    private readonly signal?: AbortSignal,
  ) {}

  get address(): string {
    return this.connection.address;
  }

  get weaknesses(): readonly string[] {
    return this.connection.weaknesses;
  }

  interruptedBy(signal: AbortSignal): Cluster {
    return new ApiServer(this.connection, signal);
  }

  async version(): Promise<string> {
    const doing = "read the API server's version";
    const answer = await this.request<{ gitVersion: string }>(doing, { method: 'GET', path: '/version' }, (said) =>
      typeof (said as { gitVersion?: unknown }).gitVersion === 'string' ? undefined : 'an object without gitVersion',
    );
    return answer.gitVersion;
  }

  async serves(resource: ResourceName): Promise<boolean> {
    const { group, version } = resources[resource];
    try {
      const { resources: served } = await this.request<{ resources: { name: string }[] }>(
        `look for ${resource}`,
        {
          method: 'GET',
          path: group === '' ? `/api/${version}` : `/apis/${group}/${version}`,
        },
        wrongWithDiscovery,
      );
      return served.some(({ name }) => name === resource);
    } catch (error) {
      if (error instanceof ClusterError && (error.code === 'not-served' || error.code === 'not-found')) return false;
      throw error;
    }
  }

  async now(): Promise<Date> {
    if (this.connection.time === undefined) await this.version();
    const { time } = this.connection;
    if (time !== undefined) return time;
    throw new ClusterError(
      'no-date',
      `The answers from ${this.address} have no Date header, so the API server's time is unknown.`,
      'Check the proxy between the runner and the API server: it may remove that header.',
    );
  }

  async find<R extends ResourceName>(
    resource: R,
    name: string,
    namespace?: string,
  ): Promise<ResourceTypes[R] | undefined> {
    try {
      return await this.request<ResourceTypes[R]>(
        `read ${kindOf(resource)} ${name}`,
        {
          method: 'GET',
          path: pathOf(resource, namespace, name),
        },
        (answer) => wrongWithObject(resource, answer),
      );
    } catch (error) {
      if (error instanceof ClusterError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  async list<R extends ResourceName>(resource: R, options: ListOptions = {}): Promise<ResourceTypes[R][]> {
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
          ...(options.metadataOnly === true ? { accept: metadataList } : {}),
        },
        wrongWithPage,
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
    });
  }

  async delete(resource: ResourceName, name: string, namespace: string, options: DeleteOptions = {}): Promise<void> {
    try {
      await this.request(`delete ${kindOf(resource)} ${name}`, {
        method: 'DELETE',
        path: pathOf(resource, namespace, name),
        body: JSON.stringify({
          propagationPolicy: options.foreground === true ? 'Foreground' : 'Background',
          preconditions: options.preconditions,
        }),
      });
    } catch (error) {
      if (!(error instanceof ClusterError && error.code === 'not-found')) throw error;
    }
  }

  async podLog(namespace: string, pod: string, container: string, sinceTime?: string): Promise<string> {
    const query = new URLSearchParams({ container, timestamps: 'true' });
    if (sinceTime !== undefined) query.set('sinceTime', sinceTime);
    const path = `${pathOf('pods', namespace, pod)}/log?${query.toString()}`;
    const { limit, patience } = logLimits;
    const { signal } = this;
    const doing = `read the log of pod ${pod}`;
    return (await this.connection.call(doing, { method: 'GET', path, limit }, { patience, signal })).body;
  }

  async watchPod(namespace: string, name: string): Promise<PodWatch> {
    const doing = `watch pod ${name}`;
    const { connection, signal } = this;
    const path = pathOf('pods', namespace);
    const told = (reason: string) => {
      connection.debug(`Can't ${doing}: ${reason}`);
    };
    return await connection.outlast(doing, (config) => watchPod(config, { path, name, signal, told }), {
      ...{ kind: 'request', isRepeatable: false, passing: () => false, signal },
    });
  }

  async exec(
    namespace: string,
    pod: string,
    container: string,
    command: readonly string[],
    stdin: string,
    timeout: number,
  ): Promise<ExecResult> {
    const { signal } = this;
    const request = { namespace, pod, container, command, stdin, limit: timeout, signal };
    return await this.connection.outlast(
      `run a command in pod ${pod}`,
      (config) => execInPod(config, request),
      // Whether a command may run a second time, only its caller knows. 500 is what the kubelet's refusals come as.
      { kind: 'command', isRepeatable: false, passing: (status) => status > 500, signal },
    );
  }

  /** @param wrong what is wrong with an object that was answered; undefined where it is as it is to be */
  private async request<T>(
    doing: string,
    request: HttpRequest,
    wrong: (answer: unknown) => string | undefined = () => undefined,
  ): Promise<T> {
    const { body } = await this.connection.call(doing, request, { signal: this.signal });
    let answer: unknown;
    try {
      answer = JSON.parse(body);
    } catch {
      throw foreignAnswerError(doing, this.address, body, this.connection.redact);
    }
    const what = wrongWith(answer) ?? wrong(answer);
    if (what !== undefined) throw strangeAnswerError(doing, this.address, what);
    return answer as T;
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
