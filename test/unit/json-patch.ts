import { isDeepStrictEqual } from 'node:util';
import type { PatchOperation } from '../../src/ports/cluster.ts';
import { copy } from './copy.ts';

type Container = Record<string, unknown> | unknown[];

/** The object after a JSON Patch (RFC 6902), or undefined when an operation does not apply: then none of them does. */
export function applyPatch<T>(object: T, operations: readonly PatchOperation[]): T | undefined {
  const changed = copy(object);
  return operations.every((operation) => apply(changed, operation)) ? changed : undefined;
}

function apply(root: unknown, operation: PatchOperation): boolean {
  const names = operation.path
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = names.pop() ?? '';
  let parent = root;
  for (const name of names) parent = isContainer(parent) ? childOf(parent, name) : undefined;
  if (!isContainer(parent)) return false;
  const exists = childOf(parent, last) !== undefined;
  switch (operation.op) {
    case 'test':
      return isDeepStrictEqual(childOf(parent, last), operation.value);
    case 'add':
      return add(parent, last, copy(operation.value));
    case 'replace':
      // The API server takes it for "add" where nothing is there; held by test/cluster/fake-cluster.test.ts.
      if (exists || !Array.isArray(parent)) Reflect.set(parent, last, copy(operation.value));
      return exists || !Array.isArray(parent);
    case 'remove':
      if (exists && Array.isArray(parent)) parent.splice(Number(last), 1);
      else if (exists) Reflect.deleteProperty(parent, last);
      return exists;
  }
}

function add(parent: Container, name: string, value: unknown): boolean {
  if (!Array.isArray(parent)) {
    parent[name] = value;
    return true;
  }
  const index = name === '-' ? parent.length : Number(name);
  if (!Number.isInteger(index) || index < 0 || index > parent.length) return false;
  parent.splice(index, 0, value);
  return true;
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

function childOf(container: Container, name: string): unknown {
  return Object.hasOwn(container, name) ? (container as Record<string, unknown>)[name] : undefined;
}
