import { ClusterError } from '../common/errors.ts';
import type { PatchOperation } from '../ports/cluster.ts';

/**
 * Label that says under which holding of the Lease an object was last claimed.
 * A label, because the controllers copy the annotations of Deployments and
 * StatefulSets to ReplicaSets and ControllerRevisions, where they would stay.
 */
export const fencingTokenLabel = 'circleci-server-postgresql-upgrade/fencing-token';

const labelsPath = '/metadata/labels';
const tokenPath = `${labelsPath}/${fencingTokenLabel.replaceAll('/', '~1')}`;

type Labelled = { metadata?: { labels?: Record<string, string> } } | undefined;

/** Undefined for an object that no run has claimed. */
export function fencingTokenOf(object: Labelled): string | undefined {
  return object?.metadata?.labels?.[fencingTokenLabel];
}

/** Makes a patch one that the API server refuses (422) once another run has claimed the object. */
export function expectToken(token: string): PatchOperation {
  return { op: 'test', path: tokenPath, value: token };
}

/** Claims an object; `object` is how it was read. */
export function setToken(object: Labelled, token: string): PatchOperation[] {
  const add: PatchOperation = { op: 'add', path: tokenPath, value: token };
  return object?.metadata?.labels === undefined ? [{ op: 'add', path: labelsPath, value: {} }, add] : [add];
}

/** Gives an object back that carries a token; for any other one there is nothing to do. */
export function dropToken(object: Labelled): PatchOperation[] {
  return fencingTokenOf(object) === undefined ? [] : [{ op: 'remove', path: tokenPath }];
}

/** The API server refused a patch; of its `test` operations one may not have been true. */
export function isTestFailure(error: unknown): boolean {
  return error instanceof ClusterError && error.code === 'invalid';
}
