// The table of permissions, for tests that hold calls to it.
import { permissions as table, type Permission } from '../src/permissions/permissions.ts';
import type { ServerNames } from '../src/target/server-names.ts';

export interface ApiCall {
  readonly verb: string;
  readonly resource: string;
  readonly subresource?: string | undefined;
  /** '' or undefined where the call names no object. */
  readonly name?: string | undefined;
}

/** Whether a row grants the call, to the object that it names. */
export function isGranted(call: ApiCall, names: ServerNames, rows: readonly Permission[] = table): boolean {
  return rows.some(
    (row) =>
      row.verb === call.verb &&
      row.resource === call.resource &&
      row.subresource === call.subresource &&
      (row.names?.(names).includes(call.name ?? '') ?? true),
  );
}

/** The calls of a fake of the port Cluster, as RBAC sees them; each that no row grants, for people. */
export function ungranted(
  calls: readonly { readonly method: string; readonly resource: string; readonly name: string }[],
  names: ServerNames,
  rows: readonly Permission[] = table,
): string[] {
  const verbs: Readonly<Record<string, string>> = {
    ...{ find: 'get', list: 'list', create: 'create', patch: 'patch', delete: 'delete' },
    ...{ podLog: 'get', watchPod: 'watch', exec: 'create' },
  };
  const subresources: Readonly<Record<string, string>> = { podLog: 'log', exec: 'exec' };
  return calls.flatMap(({ method, resource, name }) => {
    const verb = verbs[method];
    if (verb === undefined) return [];
    const subresource = subresources[method];
    const isUnnamed = method === 'list' || method === 'create';
    const call = { verb, resource, subresource, name: isUnnamed ? undefined : name };
    return isGranted(call, names, rows) ? [] : [`${method} ${resource} ${name}`];
  });
}
