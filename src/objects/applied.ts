import { applyPatch, type Operation } from 'rfc6902';
import type { PatchOperation } from '../ports/cluster.ts';

/**
 * An object as a JSON Patch leaves it; the object itself stays as it was. Tests are left out: they are about other times.
 * @throws Error when an operation does not apply
 */
export function applied<T extends object>(object: T, operations: readonly PatchOperation[]): T {
  const changed = structuredClone(object);
  const changes = operations.filter(({ op }) => op !== 'test') as Operation[];
  const failure = applyPatch(changed, changes).find((error) => error !== null);
  if (failure !== undefined) throw failure;
  return changed;
}
