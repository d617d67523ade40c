// What an API server does with objects beside keeping them; test/cluster/fake-cluster.test.ts holds it to a real one.
import { answerError } from '../../src/adapters/api-error.ts';
import type { PatchOperation } from '../../src/ports/cluster.ts';
import { copy } from './copy.ts';

export type Stored = {
  metadata?: {
    name?: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    finalizers?: string[];
    deletionTimestamp?: Date | string;
  };
} & object;

/** A name is that of a DNS subdomain (RFC 1123), and a ConfigMap holds 1 MiB. */
export function expectFitting(name: string, object: object): void {
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name))
    throw answerError(`change ${name}`, 422, JSON.stringify({ message: `metadata.name: Invalid value: "${name}"` }));
  const data = 'data' in object && typeof object.data === 'object' ? Object.values(object.data ?? {}) : [];
  const bytes = data.reduce<number>((sum, text) => sum + (typeof text === 'string' ? Buffer.byteLength(text) : 0), 0);
  const message = `ConfigMap "${name}" is invalid: Too long: must have at most 1048576 bytes`;
  if (bytes > 1_048_576) throw answerError(`change configmaps ${name}`, 422, JSON.stringify({ message }));
}

/** An object that is to go does so with its last finalizer. */
export function isLetGo({ metadata }: Stored): boolean {
  return metadata?.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;
}

/** As the API server does: nobody changes the content of an immutable ConfigMap, and nobody makes it mutable again. */
export function expectMutable(name: string, now: object, operations: readonly PatchOperation[]): void {
  if (!('immutable' in now && now.immutable === true)) return;
  if (operations.every(({ op, path }) => op === 'test' || !/^\/(data|immutable)\b/.test(path))) return;
  const message = `ConfigMap "${name}" is invalid: data: Forbidden: field is immutable when \`immutable\` is set`;
  throw answerError(`change configmaps ${name}`, 422, JSON.stringify({ message }));
}

/** As the API server does, for which an empty list is none. */
function withoutEmptyGates<T extends object>(object: T): T {
  const { spec } =
    (object as { spec?: { template?: { spec?: { schedulingGates?: unknown[] } } } }).spec?.template ?? {};
  if (spec?.schedulingGates?.length !== 0) return object;
  const changed = copy(object);
  delete (changed as { spec?: { template?: { spec?: { schedulingGates?: unknown[] } } } }).spec?.template?.spec
    ?.schedulingGates;
  return changed;
}

/** As the API server keeps an object: an empty map or list of these is none. */
export function asKept<T extends { metadata?: object }>(object: T): T {
  const maps = ['labels', 'annotations', 'finalizers'];
  const isKept = ([name, value]: [string, unknown]) =>
    !(maps.includes(name) && (value === undefined || Object.keys(value as object).length === 0));
  const metadata = Object.fromEntries(Object.entries(object.metadata ?? {}).filter(isKept));
  return { ...withoutEmptyGates(object), metadata };
}

/** Equalities joined by commas, which is all that is asked here. */
export function selects(selector: string | undefined, valueOf: (name: string) => unknown): boolean {
  return (selector ?? '')
    .split(',')
    .filter((term) => term !== '')
    .every((term) => {
      const [name = '', value] = term.split('=');
      // Without a value it asks whether there is one at all.
      return value === undefined ? valueOf(name) !== undefined : valueOf(name) === value;
    });
}

export function fieldOf(object: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], object);
}
