import { describe, expect, test } from '@jest/globals';
import { permissionsFor, type Permission } from '../../src/permissions/permissions.ts';
import { user } from './api-server.ts';
import { dataMount, namespace, secret, statefulSet } from './release.ts';
import { Scenario } from './scenario.ts';

const inNamespace = 'in the namespace "circleci-server"';

describe('a permission that discovery needs is missing', () => {
  const needed: [verb: Permission['verb'], resource: Permission['resource'], message: string][] = [
    [
      'get',
      'namespaces',
      `namespaces "${namespace}" is forbidden: User "${user}" cannot get resource "namespaces" in API group "" ${inNamespace}`,
    ],
    [
      'list',
      'statefulsets',
      `statefulsets.apps is forbidden: User "${user}" cannot list resource "statefulsets" in API group "apps" ${inNamespace}`,
    ],
    [
      'get',
      'persistentvolumeclaims',
      `persistentvolumeclaims "data-postgresql-0" is forbidden: User "${user}" cannot get resource "persistentvolumeclaims" in API group "" ${inNamespace}`,
    ],
    [
      'get',
      'pods',
      `pods "postgresql-0" is forbidden: User "${user}" cannot get resource "pods" in API group "" ${inNamespace}`,
    ],
    [
      'list',
      'deployments',
      `deployments.apps is forbidden: User "${user}" cannot list resource "deployments" in API group "apps" ${inNamespace}`,
    ],
    [
      'list',
      'cronjobs',
      `cronjobs.batch is forbidden: User "${user}" cannot list resource "cronjobs" in API group "batch" ${inNamespace}`,
    ],
    [
      'get',
      'persistentvolumes',
      `persistentvolumes "pv-1" is forbidden: User "${user}" cannot get resource "persistentvolumes" in API group "" at the cluster scope`,
    ],
    [
      'get',
      'secrets',
      `secrets "postgresql" is forbidden: User "${user}" cannot get resource "secrets" in API group "" ${inNamespace}`,
    ],
  ];

  test.concurrent.each(needed)(
    '%s %s: the run ends with the words of the API server',
    async (verb, resource, message) => {
      await using scenario = await Scenario.begin();
      scenario.api.granted = permissionsFor('precheck').filter(
        (p) => p.verb !== verb || p.resource !== resource || p.subresource !== undefined,
      );
      const end = await scenario.run();
      expect(end.exitCode).toBe(1);
      expect(end.errors).toEqual([expect.stringContaining(`${message} (HTTP 403).`)]);
      expect(end.report?.error?.code).toBe('forbidden');
      expect(end.report?.phases).toEqual([expect.objectContaining({ id: 'discover', outcome: 'failed' })]);
      expect(end.groups).toEqual(['Find the server']);
      expect(scenario.api.writes).toEqual([]);
      expect(scenario.api.calls.some((c) => c.path.endsWith('/exec'))).toBe(false);
    },
  );
});

describe('what is not there, or there twice, ends the run with its name', () => {
  interface Case {
    readonly title: string;
    readonly arrange: (scenario: Scenario) => void;
    readonly code: string;
    readonly says: string[];
  }
  const missing = (resource: Permission['resource'], name: string) => (scenario: Scenario) => {
    scenario.api.objects.remove({ resource, namespace, name });
  };
  const twoMounts = [dataMount, { name: 'old-data', mountPath: '/bitnami/postgresql/data' }];
  const cases: Case[] = [
    {
      title: 'no namespace',
      arrange: missing('namespaces', namespace),
      code: 'namespace-not-found',
      says: ['"circleci-server"', '(context production)'],
    },
    {
      title: 'no StatefulSet',
      arrange: missing('statefulsets', 'postgresql'),
      code: 'statefulset-not-found',
      says: ['app.kubernetes.io/name=postgresql'],
    },
    {
      title: 'two StatefulSets',
      arrange: ({ api }) => api.objects.put('statefulsets', statefulSet('postgresql-copy')),
      code: 'statefulset-ambiguous',
      says: ['postgresql, postgresql-copy', 'Set "statefulset"'],
    },
    {
      title: 'two volumes that could be it',
      arrange: ({ api }) => api.objects.put('statefulsets', statefulSet('postgresql', { mounts: twoMounts })),
      code: 'pvc-ambiguous',
      says: [
        'data-postgresql-0 at /bitnami/postgresql',
        'old-data-postgresql-0 at /bitnami/postgresql/data',
        'Set "pvc-name"',
      ],
    },
    {
      title: 'no claim',
      arrange: missing('persistentvolumeclaims', 'data-postgresql-0'),
      code: 'pvc-not-found',
      says: ['"data-postgresql-0"'],
    },
    {
      title: 'no Secret',
      arrange: missing('secrets', 'postgresql'),
      code: 'secret-not-found',
      says: ['Secret "postgresql"', 'Set "secret-name"'],
    },
    {
      title: 'no such key in the Secret',
      arrange: ({ api, postgresql }) =>
        api.objects.put(
          'secrets',
          secret({ 'admin-password': postgresql.password, 'replication-password': postgresql.password }),
        ),
      code: 'secret-key-not-found',
      says: ['"postgres-password"; its keys: admin-password, replication-password'],
    },
  ];

  test.concurrent.each(cases)('$title', async ({ arrange, code, says }) => {
    await using scenario = await Scenario.begin();
    arrange(scenario);
    const end = await scenario.run({ mode: 'upgrade', confirm: namespace });
    expect(end.exitCode).toBe(1);
    expect(end.errors).toHaveLength(1);
    for (const part of says) expect(end.errors[0]).toContain(part);
    expect(end.report?.error?.code).toBe(code);
    expect(end.outputs['verdict']).toBe('failed');
    expect(scenario.api.writes).toEqual([]);
  });

  test.concurrent('the inputs choose among several', async () => {
    await using scenario = await Scenario.begin();
    scenario.api.objects.put('statefulsets', statefulSet('postgresql-copy'));
    scenario.api.objects.put('statefulsets', statefulSet('postgresql', { mounts: twoMounts }));
    scenario.api.objects.put('secrets', secret({ 'admin-password': scenario.postgresql.password }));
    const end = await scenario.run({
      statefulset: 'postgresql',
      'pvc-name': 'data-postgresql-0',
      'secret-key': 'admin-password',
    });
    expect(end.errors).toEqual([]);
    expect(end.exitCode).toBe(0);
  });
});
