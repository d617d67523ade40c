import { asKept, expectFitting, expectMutable, fieldOf, isLetGo, selects, type Stored } from './api-server-rules.ts';
import type { AnyCluster } from './any-cluster.ts';
import type { V1Pod } from '@kubernetes/client-node';
import { isDeepStrictEqual } from 'node:util';
import { answerError } from '../../src/adapters/api-error.ts';
import {
  type DeleteOptions,
  type ExecResult,
  type ListOptions,
  type PatchOperation,
  type PodEnd,
  type PodWatch,
  type ResourceName,
  type ResourceTypes,
  resources,
} from '../../src/ports/cluster.ts';
import { copy } from './copy.ts';
import { frozen, unfrozen } from './frozen.ts';
import { applyPatch } from './json-patch.ts';

/** One call as it came in, before anything was done about it. */
export interface Call {
  readonly method:
    'version' | 'serves' | 'find' | 'list' | 'create' | 'patch' | 'delete' | 'podLog' | 'watchPod' | 'exec';
  readonly resource: ResourceName;
  readonly name: string;
  readonly namespace: string | undefined;
  /** What is created, or the operations of a patch. */
  readonly body?: unknown;
  readonly options?: unknown;
}

/** Runs before each call; what it throws is the API server's answer, what it puts or removes is what the call finds. */
export type Hook = (call: Call) => void;

/** The API server in memory: objects, JSON Patch, dry runs, and the answers of commands and logs. */
export class FakeCluster implements AnyCluster {
  declare readonly access: never;
  readonly address = 'https://cluster.example:6443 (context test)';
  weaknesses: readonly string[] = [];
  readonly calls: Call[] = [];
  readonly hooks: Hook[] = [];
  /** Answers commands in pods. */
  onExec: (command: readonly string[], stdin: string) => ExecResult = () => ({ exitCode: 0, stdout: '', stderr: '' });
  /** Answers reads of logs. */
  onLog: (pod: string, sinceTime: string | undefined) => string = () => '';
  /** The API server's time. */
  time: () => Date = () => new Date(Date.UTC(2026, 0, 2, 3, 4, 5));
  /** Resources that this API server does not have. */
  readonly missing = new Set<ResourceName>();
  /** By resource, then by namespace and name. */
  private readonly objects = new Map<ResourceName, Map<string, Stored>>();
  /** Who watches a pod, by its namespace and name. */
  private readonly watches = new Map<string, (last: V1Pod) => void>();
  private serial = 0;
  private versions = 0;

  /** Puts an object there, or in the place of the one of its name. */
  put<R extends ResourceName>(resource: R, ...objects: ResourceTypes[R][]): this {
    for (const object of objects as Stored[]) {
      const { name = '', namespace } = object.metadata ?? {};
      const uid = object.metadata?.uid ?? `uid-${String(++this.serial)}`;
      const at = key(resource, name, namespace);
      const before = this.of(resource).get(at);
      const now: Stored = asKept({ ...unfrozen(object), metadata: { ...unfrozen(object.metadata), uid } });
      // What changes nothing makes no new version.
      const version = { resourceVersion: before?.metadata?.resourceVersion ?? '' };
      const same = isDeepStrictEqual(before, { ...now, metadata: { ...now.metadata, ...version } });
      const resourceVersion = same ? version.resourceVersion : `v${String(++this.versions)}`;
      this.of(resource).set(at, frozen({ ...now, metadata: { ...now.metadata, resourceVersion } }));
    }
    return this;
  }

  /** Looks without a call; what it hands out is the test's. */
  peek<R extends ResourceName>(resource: R, name: string, namespace?: string): ResourceTypes[R] | undefined {
    return copy(this.look(resource, name, namespace));
  }

  /** All of a resource, without a call. */
  all<R extends ResourceName>(resource: R): ResourceTypes[R][] {
    return copy(this.lookAtAll(resource));
  }

  /** As `peek`, but frozen: for whoever looks at each call, since copies would take most of a test's time. */
  look<R extends ResourceName>(resource: R, name: string, namespace?: string): ResourceTypes[R] | undefined {
    return this.of(resource).get(key(resource, name, namespace)) as ResourceTypes[R] | undefined;
  }

  /** As `all`, but frozen. */
  lookAtAll<R extends ResourceName>(resource: R): ResourceTypes[R][] {
    return [...this.of(resource).values()] as ResourceTypes[R][];
  }

  remove(resource: ResourceName, name: string, namespace?: string): void {
    const at = key(resource, name, namespace);
    const last = this.of(resource).get(at);
    this.of(resource).delete(at);
    if (resource === 'pods' && last !== undefined) this.watches.get(at)?.(last as V1Pod);
  }

  /** The API server answers these calls with an error. */
  refuse(method: Call['method'], resource: ResourceName, status: number, message: string, name?: string): this {
    this.hooks.push((call) => {
      if (call.method === method && call.resource === resource && (name === undefined || call.name === name))
        throw answerError(`${method} ${resource}`, status, JSON.stringify({ message }));
    });
    return this;
  }

  /** `create jobs/name`, in the order in which they came; reads left out. */
  get writes(): string[] {
    return this.calls
      .filter((c) => ['create', 'patch', 'delete'].includes(c.method))
      .map((c) => `${c.method} ${c.resource}/${c.name}`);
  }

  patchesOf(resource: ResourceName, name: string): PatchOperation[][] {
    return this.calls
      .filter((c) => c.method === 'patch' && c.resource === resource && c.name === name)
      .map((c) => c.body as PatchOperation[]);
  }

  interruptedBy(): this {
    return this;
  }

  dryRun<R extends ResourceName>(resource: R, object: ResourceTypes[R], namespace: string): Promise<ResourceTypes[R]> {
    return this.create(resource, object, { namespace, dryRun: true });
  }

  async version(): Promise<string> {
    await this.called({ method: 'version', resource: 'namespaces', name: '', namespace: undefined });
    return 'v1.34.0';
  }

  async serves(resource: ResourceName): Promise<boolean> {
    await this.called({ method: 'serves', resource, name: '', namespace: undefined });
    return !this.missing.has(resource);
  }

  now(): Promise<Date> {
    return Promise.resolve(this.time());
  }

  async find<R extends ResourceName>(
    resource: R,
    name: string,
    namespace?: string,
  ): Promise<ResourceTypes[R] | undefined> {
    await this.called({ method: 'find', resource, name, namespace });
    return this.look(resource, name, namespace);
  }

  async list<R extends ResourceName>(resource: R, options: ListOptions = {}): Promise<ResourceTypes[R][]> {
    await this.called({ method: 'list', resource, name: '', namespace: options.namespace, options });
    if (this.missing.has(resource)) throw answerError(`list ${resource}`, 404, '404 page not found\n');
    const found = [...this.of(resource).values()]
      .filter((object) => options.namespace === undefined || object.metadata?.namespace === options.namespace)
      .filter((object) => selects(options.labelSelector, (label) => object.metadata?.labels?.[label]))
      .filter((object) => selects(options.fieldSelector, (path) => fieldOf(object, path)));
    const seen = options.metadataOnly === true ? found.map(({ metadata }) => ({ metadata })) : found;
    return seen as ResourceTypes[R][];
  }

  async create<R extends ResourceName>(
    resource: R,
    object: ResourceTypes[R],
    options: { namespace?: string; dryRun?: boolean } = {},
  ): Promise<ResourceTypes[R]> {
    const metadata: { name?: string; generateName?: string } = object.metadata ?? {};
    const name = metadata.name ?? `${metadata.generateName ?? ''}${String(++this.serial)}`;
    await this.called({ method: 'create', resource, name, namespace: options.namespace, body: object, options });
    if (resource === 'selfsubjectaccessreviews') return { ...object, status: { allowed: true } };
    const namespace = resources[resource].namespaced ? options.namespace : undefined;
    if (this.look(resource, name, namespace) !== undefined)
      throw answerError(`create ${resource} ${name}`, 409, JSON.stringify({ message: `"${name}" already exists` }));
    const named = { ...metadata, name, ...(namespace === undefined ? {} : { namespace }) };
    expectFitting(name, object);
    const made = asKept({ ...object, metadata: named }) as ResourceTypes[R];
    if (options.dryRun === true) return made;
    this.put(resource, made);
    return this.look(resource, name, namespace) ?? made;
  }

  async patch<R extends ResourceName>(
    resource: R,
    name: string,
    namespace: string,
    operations: readonly PatchOperation[],
  ): Promise<ResourceTypes[R]> {
    await this.called({ method: 'patch', resource, name, namespace, body: operations });
    const now = this.look(resource, name, namespace);
    if (now === undefined)
      throw answerError(`change ${resource} ${name}`, 404, JSON.stringify({ message: `"${name}" not found` }));
    expectMutable(name, now, operations);
    const changed = applyPatch(now, operations);
    if (changed === undefined)
      throw answerError(`change ${resource} ${name}`, 422, JSON.stringify({ message: 'the patch does not apply' }));
    expectFitting(name, changed);
    this.put(resource, changed);
    const stored = this.look(resource, name, namespace) ?? changed;
    if (isLetGo(changed)) this.remove(resource, name, namespace);
    return stored;
  }

  async delete(
    resource: ResourceName,
    name: string,
    namespace: string,
    { preconditions }: DeleteOptions = {},
  ): Promise<void> {
    await this.called({ method: 'delete', resource, name, namespace, options: { preconditions } });
    const { metadata = {} } = this.of(resource).get(key(resource, name, namespace)) ?? {};
    for (const field of ['uid', 'resourceVersion'] as const)
      if (
        preconditions?.[field] !== undefined &&
        metadata[field] !== undefined &&
        preconditions[field] !== metadata[field]
      )
        throw answerError(`delete ${resource} ${name}`, 409, JSON.stringify({ message: `another ${field}` }));
    const now: Stored | undefined = this.of(resource).get(key(resource, name, namespace));
    if (now === undefined || (now.metadata?.finalizers ?? []).length === 0) this.remove(resource, name, namespace);
    else this.put(resource, { ...now, metadata: { ...now.metadata, deletionTimestamp: this.time() } });
  }

  async podLog(namespace: string, pod: string, container: string, sinceTime?: string): Promise<string> {
    await this.called({ method: 'podLog', resource: 'pods', name: pod, namespace, options: { container, sinceTime } });
    return this.onLog(pod, sinceTime);
  }

  async watchPod(namespace: string, name: string): Promise<PodWatch> {
    await this.called({ method: 'watchPod', resource: 'pods', name, namespace });
    const at = key('pods', name, namespace);
    const before = this.look('pods', name, namespace);
    let seen: PodEnd | undefined;
    this.watches.set(at, (last) => {
      seen ??= { before: before ?? last, last };
    });
    return { end: () => Promise.resolve(seen), close: () => this.watches.delete(at) };
  }

  async exec(
    namespace: string,
    pod: string,
    container: string,
    command: readonly string[],
    stdin: string,
    timeout: number,
  ): Promise<ExecResult> {
    await this.called({
      method: 'exec',
      resource: 'pods',
      name: pod,
      namespace,
      body: command,
      options: { container, timeout },
    });
    return this.onExec(command, stdin);
  }

  private of(resource: ResourceName): Map<string, Stored> {
    let found = this.objects.get(resource);
    if (found === undefined) this.objects.set(resource, (found = new Map<string, Stored>()));
    return found;
  }

  private async called(call: Call): Promise<void> {
    this.calls.push(unfrozen(call));
    // As an answer from the network does, it comes later.
    await Promise.resolve();
    for (const hook of this.hooks) hook(call);
  }
}

function key(resource: ResourceName, name: string, namespace: string | undefined): string {
  return resources[resource].namespaced ? `${namespace ?? ''}/${name}` : name;
}
