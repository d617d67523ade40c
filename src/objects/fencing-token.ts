import { ClusterError } from '../common/errors.ts';
import type { PatchOperation } from '../ports/cluster.ts';

/**
 * Label that says under which holding of the Lease an object was last claimed.
 * A label, because the controllers copy the annotations of Deployments and
 * StatefulSets to ReplicaSets and ControllerRevisions, where they would stay.
 */
export const epochLabel = 'circleci-server-postgresql-upgrade/epoch';

const labelsPath = '/metadata/labels';
const epochPath = `${labelsPath}/${epochLabel.replaceAll('/', '~1')}`;

type Labelled = { metadata?: { labels?: Record<string, string> } } | undefined;

/** Undefined for an object that no run has claimed. */
export function epochOf(object: Labelled): string | undefined {
  return object?.metadata?.labels?.[epochLabel];
}

/** Makes a patch one that the API server refuses (422) once another run has claimed the object. */
export function expectEpoch(epoch: string): PatchOperation {
  return { op: 'test', path: epochPath, value: epoch };
}

/** Claims an object; `object` is how it was read. */
export function setEpoch(object: Labelled, epoch: string): PatchOperation[] {
  const add: PatchOperation = { op: 'add', path: epochPath, value: epoch };
  return object?.metadata?.labels === undefined ? [{ op: 'add', path: labelsPath, value: {} }, add] : [add];
}

/** Gives an object back that carries an epoch; for any other one there is nothing to do. */
export function dropEpoch(object: Labelled): PatchOperation[] {
  return epochOf(object) === undefined ? [] : [{ op: 'remove', path: epochPath }];
}

/** The API server refused a patch; of its `test` operations one may not have been true. */
export function isTestFailure(error: unknown): boolean {
  return error instanceof ClusterError && error.code === 'invalid';
}
