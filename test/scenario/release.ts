// A release of CircleCI Server as its objects stand in the API, as far as they matter here.
import type { ResourceName } from '../../src/ports/cluster.ts';
import type { ApiServer } from './api-server.ts';
import type { KubernetesObject } from './object-store.ts';

export const namespace = 'circleci-server';
export const image = 'cciserver.azurecr.io/server-postgres:12.22.3010-1111111';

/** Puts the release into the API; the password is in the Secret. */
export function install(api: ApiServer, password: string): void {
  const objects: [ResourceName, KubernetesObject][] = [
    ['namespaces', { metadata: { name: namespace, uid: 'uid-of-the-namespace' } }],
    ['statefulsets', statefulSet('postgresql')],
    [
      'pods',
      {
        metadata: { name: 'postgresql-0', namespace },
        spec: {
          nodeName: 'node-1',
          containers: [{ name: 'postgresql', image }],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim.name } }],
        },
        status: { phase: 'Running', podIP: '10.1.2.3', conditions: [{ type: 'Ready', status: 'True' }] },
      },
    ],
    [
      'persistentvolumeclaims',
      { metadata: { ...claim, namespace }, spec: { volumeName: 'pv-1', storageClassName }, status: { phase: 'Bound' } },
    ],
    ['persistentvolumes', { metadata: { name: 'pv-1' }, spec: { csi: { driver, volumeHandle: '1' } } }],
    ['secrets', secret({ 'postgres-password': password })],
    ['deployments', application('frontend', 2)],
    ['deployments', application('api-service', 1)],
    [
      'cronjobs',
      {
        metadata: { name: 'orb-cleanup', namespace, labels: applicationLabel },
        spec: { suspend: false, jobTemplate: { spec: { template: { spec: { containers: [] } } } } },
      },
    ],
    ['storageclasses', { metadata: { name: storageClassName }, provisioner: driver }],
    ['nodes', { metadata: { name: 'node-1' }, spec: {} }],
    ['volumesnapshotclasses', { metadata: { name: 'snapshots' }, driver, deletionPolicy: 'Delete' }],
  ];
  for (const [resource, object] of objects) api.objects.put(resource, object);
}

const claim = { name: 'data-postgresql-0' };
const storageClassName = 'standard';
const driver = 'disk.csi.example.com';
const applicationLabel = { layer: 'application', 'helm.sh/chart': 'circleci-server-4.9.3' };

export function secret(values: Readonly<Record<string, string>>): KubernetesObject {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, btoa(value)]));
  return { metadata: { name: 'postgresql', namespace }, data };
}

export function application(name: string, replicas: number): KubernetesObject {
  return {
    metadata: { name, namespace, labels: applicationLabel },
    spec: { replicas, selector: { matchLabels: { app: name } } },
  };
}

/** Bitnami's PostgreSQL. */
export function statefulSet(name: string, { image: used = image, mounts = [dataMount] } = {}): KubernetesObject {
  const container = {
    name: 'postgresql',
    image: used,
    env: [
      { name: 'PGDATA', value: '/bitnami/postgresql/data' },
      {
        name: 'POSTGRES_PASSWORD',
        valueFrom: { secretKeyRef: { name: 'postgresql', key: 'postgres-password' } },
      },
    ],
    volumeMounts: mounts,
  };
  return {
    metadata: { name, namespace, labels: { 'app.kubernetes.io/name': 'postgresql' } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { 'app.kubernetes.io/name': 'postgresql' } },
      template: { spec: { securityContext: { fsGroup: 1001 }, containers: [container] } },
      volumeClaimTemplates: [...new Set(mounts.map((m) => m.name))].map((volume) => ({ metadata: { name: volume } })),
    },
  };
}

export const dataMount = { name: 'data', mountPath: '/bitnami/postgresql' };

/** The log of a probe pod, as the API gives it: each line with its time. */
export function probeLog(role: string): string {
  if (role === 'restore-test') {
    // The roles, and the four databases that take connections.
    return logged([...[0, 1, 2, 3, 4].map((number) => `took\t${String(number)}\t100\t150`), 'end']);
  }
  const locale = 'UTF8 en_US.UTF-8 en_US.UTF-8';
  const lines = [
    ...(role === 'upgrade'
      ? ['old-version\tpostgres (PostgreSQL) 12.22', 'pg_upgrade\tpg_upgrade (PostgreSQL) 14.22']
      : []),
    'new-version\tpostgres (PostgreSQL) 14.22',
    `initdb\t${locale}\tok`,
    'extension\tplpgsql\t1.0',
    'extension\tuuid-ossp\t1.1',
    'end',
  ];
  return logged(lines);
}

function logged(lines: readonly string[]): string {
  return lines.map((line) => `2026-01-01T00:00:00.000000000Z ${line}\n`).join('');
}
