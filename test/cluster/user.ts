// Users of the cluster with exactly the rights of a mode, or with one less.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { resources } from '../../src/ports/cluster.ts';
import { isGrantedInNamespace } from '../../src/target/permission-manifests.ts';
import { permissionsFor, type Mode, type Permission } from '../../src/target/permissions.ts';
import { bench } from './bench.ts';

/** The path of a kubeconfig of a user with the permissions of a mode that `keep` keeps. */
export function limitedKubeconfig(
  namespace: string,
  name: string,
  mode: Mode,
  keep: (permission: Permission) => boolean = () => true,
): string {
  const granted = permissionsFor(mode).filter(keep);
  const objects = [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name, namespace },
      rules: granted.filter(isGrantedInNamespace).map(rule),
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules: granted.filter((p) => !isGrantedInNamespace(p)).map(rule),
    },
  ];
  const directory = mkdtempSync(path.join(tmpdir(), 'user-'));
  const roles = path.join(directory, 'roles.yaml');
  writeFileSync(roles, objects.map((o) => JSON.stringify(o)).join('\n---\n'));
  const kubeconfig = path.join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, bench('kubeconfig', '--namespace', namespace, '--role', roles, '--name', name), {
    mode: 0o600,
  });
  return kubeconfig;
}

function rule({ verb, resource, subresource }: Permission) {
  return {
    apiGroups: [resources[resource].group],
    resources: [subresource === undefined ? resource : `${resource}/${subresource}`],
    verbs: [verb],
  };
}
