import { resources, type UnleasedCluster } from '../ports/cluster.ts';
import { cleanupPermissions } from './cleanup-permissions.ts';
import type { Permission } from './permission.ts';
import { precheckPermissions } from './precheck-permissions.ts';
import type { ServerNames } from '../target/server-names.ts';
import { upgradePermissions } from './upgrade-permissions.ts';

export type { Permission } from './permission.ts';

/**
 * All that prechecks, upgrades and ways back ask of the API server, and why. The check
 * `permissions`, the manifests in docs/permissions.md and a test that compares the API
 * server's audit log come from this table.
 * Decision: docs/decisions/0012-rights.md
 */
export const permissions: readonly Permission[] = [...precheckPermissions, ...upgradePermissions];

export type Mode = Permission['mode'];

/** The service account that docs/permissions.md has for a mode; its own roles have the same name. */
export function accountName(mode: Mode): string {
  return `postgresql-${mode}`;
}

/** What a mode needs. */
export function permissionsFor(mode: Mode): readonly Permission[] {
  return {
    precheck: precheckPermissions,
    upgrade: permissions,
    cleanup: [...precheckPermissions, ...cleanupPermissions],
  }[mode];
}

/** A right that the API server would refuse. */
export interface MissingPermission extends Permission {
  /** The names for which it would; undefined where it is not a matter of names. */
  readonly lacks?: readonly string[];
}

/**
 * Asks the API server about each permission (SelfSubjectAccessReview); answers those it would refuse. Who has a right for all objects of
 * a resource has it for each: only where that is refused the names are asked for, one by one.
 * @throws ClusterError
 */
export async function missingPermissions(
  cluster: UnleasedCluster,
  names: ServerNames,
  mode: Mode,
): Promise<MissingPermission[]> {
  const answers = await Promise.all(
    permissionsFor(mode).map(async (permission): Promise<MissingPermission | undefined> => {
      const { resource, ifServed } = permission;
      const byName = permission.names?.(names);
      if (byName?.length === 0) return undefined;
      if (ifServed === true && !(await cluster.serves(resource))) return undefined;
      if (await isAllowed(cluster, names.namespace, permission)) return undefined;
      if (byName === undefined) return permission;
      const allowed = await Promise.all(byName.map((name) => isAllowed(cluster, names.namespace, permission, name)));
      const lacks = byName.filter((_, index) => allowed[index] !== true);
      return lacks.length === 0 ? undefined : { ...permission, lacks };
    }),
  );
  return answers.filter((missing) => missing !== undefined);
}

async function isAllowed(
  cluster: UnleasedCluster,
  namespace: string,
  { verb, resource, subresource, everywhere }: Permission,
  name?: string,
): Promise<boolean> {
  const { group, namespaced } = resources[resource];
  // A Role of the namespace grants to read the namespace itself, which the authorizer looks for in it.
  const isInNamespace = (namespaced && everywhere !== true) || resource === 'namespaces';
  const review = await cluster.create('selfsubjectaccessreviews', {
    spec: {
      resourceAttributes: {
        ...{ verb, group, resource },
        ...(subresource === undefined ? {} : { subresource }),
        ...(name === undefined ? {} : { name }),
        ...(isInNamespace ? { namespace } : {}),
      },
    },
  });
  return review.status?.allowed === true;
}

/** Whether it is the account that docs/permissions.md has for an upgrade. */
export function isUpgradeAccount({ namespace }: ServerNames, username: string): boolean {
  return username === `system:serviceaccount:${namespace}:${accountName('upgrade')}`;
}

/** Rights by which only an upgrade changes something: no precheck needs one of their kind for anything. */
const changes = upgradePermissions.filter(
  (row) =>
    !['get', 'list', 'watch'].includes(row.verb) &&
    precheckPermissions.every((p) => permissionName(p) !== permissionName(row)),
);

/**
 * Whether a user has none of the rights by which only an upgrade changes something. The account of docs/permissions.md for an upgrade is meant for
 * more, whatever it lacks.
 * @param username '' where it is not known
 */
export function canOnlyCheck(missing: readonly MissingPermission[], names: ServerNames, username: string): boolean {
  if (isUpgradeAccount(names, username)) return false;
  return changes.every((row) => {
    const asked = row.names?.(names);
    if (asked?.length === 0) return true;
    const refused = missing.find((one) => one.mode === row.mode && permissionName(one) === permissionName(row));
    return refused !== undefined && (refused.lacks === undefined || refused.lacks.length === asked?.length);
  });
}

/** Those without which a run is refused. */
export function needed<P extends Permission>(missing: readonly P[]): P[] {
  return missing.filter(({ informs }) => informs === undefined);
}

/** The kubeconfig's user, as the API server knows it. Everybody may ask (SelfSubjectReview, Kubernetes 1.28 and later). */
export async function askUser(cluster: UnleasedCluster): Promise<string> {
  const review = await cluster.create('selfsubjectreviews', {});
  return review.status?.userInfo?.username ?? '';
}

/** `create pods/exec`, for people. */
export function permissionName({ verb, resource, subresource }: Permission): string {
  const { group } = resources[resource];
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
}
