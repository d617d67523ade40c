// Users of the cluster with exactly the rights of a mode, or with one less.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { manifests } from '../../src/permissions/permission-manifests.ts';
import { permissionsFor, type Mode, type Permission } from '../../src/permissions/permissions.ts';
import type { ServerNames } from '../../src/target/server-names.ts';
import { bench, kubectl, kubectlWith } from './bench.ts';

/** Names of the bench's server as it is now: another backup that was restored is another volume. */
export function namesOf(namespace: string): ServerNames {
  const claim = 'data-postgresql-0';
  const ofClaim = (field: string) => kubectl('-n', namespace, 'get', 'pvc', claim, '-o', `jsonpath={${field}}`);
  const kinds = ['deployments', 'statefulsets', 'cronjobs'] as const;
  return {
    ...{ namespace, statefulSet: 'postgresql', secret: 'postgresql', claim },
    volume: ofClaim('.spec.volumeName'),
    storageClass: ofClaim('.spec.storageClassName'),
    applications: kinds.flatMap((resource) =>
      kubectl('-n', namespace, 'get', resource, '-l', 'layer=application', '-o', 'jsonpath={.items[*].metadata.name}')
        .split(' ')
        .filter((name) => name !== '')
        .map((name) => ({ resource, name })),
    ),
  };
}

/** The path of a kubeconfig of a service account, which may do what it is granted. */
export function kubeconfigOf(namespace: string, name: string): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'user-')), 'kubeconfig');
  writeFileSync(file, bench('kubeconfig', '--namespace', namespace, '--name', name), { mode: 0o600 });
  return file;
}

/** The path of a kubeconfig of a user with the permissions of a mode that `keep` keeps: a precheck's, and an upgrade's own on top. */
export function limitedKubeconfig(
  namespace: string,
  name: string,
  mode: Mode,
  keep: (permission: Permission) => boolean = () => true,
): string {
  const subject = { kind: 'ServiceAccount', name, namespace } as const;
  for (const part of new Set<Mode>(['precheck', mode])) {
    const granted = permissionsFor(mode).filter((permission) => permission.mode === part && keep(permission));
    kubectlWith(manifests(granted, `${name}-${part}`, namesOf(namespace), subject).join('\n'), 'apply', '-f', '-');
  }
  return kubeconfigOf(namespace, name);
}
