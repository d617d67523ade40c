import { describe, expect, test } from '@jest/globals';
import type { V1SelfSubjectAccessReview } from '@kubernetes/client-node';
import { resources } from '../../../src/ports/cluster.ts';
import {
  canOnlyCheck,
  missingPermissions,
  needed,
  permissionName,
  permissions,
  permissionsFor,
  type Permission,
} from '../../../src/permissions/permissions.ts';
import type { ServerNames } from '../../../src/target/server-names.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { namespace } from '../objects.ts';

/** An API server that grants all but what `denied` says. */
function granting(
  denied: (verb: string, resource: string, subresource?: string, name?: string) => boolean,
): FakeCluster {
  const cluster = new FakeCluster();
  const create = cluster.create.bind(cluster);
  cluster.create = async (resource, object, options) => {
    const made = await create(resource, object, options);
    const {
      verb = '',
      resource: asked = '',
      subresource,
      name,
    } = (object as V1SelfSubjectAccessReview).spec.resourceAttributes ?? {};
    return { ...made, status: { allowed: !denied(verb, asked, subresource, name) } };
  };
  return cluster;
}

const names: ServerNames = {
  ...{ namespace, statefulSet: 'postgresql', secret: 'postgresql', claim: 'data-postgresql-0', volume: 'pv-1' },
  storageClass: 'standard',
  applications: [
    { resource: 'deployments', name: 'api' },
    { resource: 'deployments', name: 'frontend' },
    { resource: 'scaledobjects', name: 'frontend' },
  ],
};

describe('permissions', () => {
  test('an upgrade needs all that a precheck needs', () => {
    expect(permissionsFor('upgrade')).toEqual(expect.arrayContaining([...permissionsFor('precheck')]));
    expect(permissionsFor('precheck').length).toBeLessThan(permissionsFor('upgrade').length);
  });

  test('are listed once each', () => {
    const rows = permissions.map((row) => `${row.mode} ${permissionName(row)}`);
    expect(new Set(rows).size).toBe(rows.length);
  });

  test('are by name wherever Kubernetes can do that, but for names that are made during the run', () => {
    const byAll = permissions.filter(
      ({ verb, names, everywhere }) => /get|watch|patch|delete/.test(verb) && !names && !everywhere,
    );
    expect(byAll.map((row) => `${row.mode} ${permissionName(row)}`).sort()).toEqual([
      'upgrade delete volumesnapshots.snapshot.storage.k8s.io',
      'upgrade get persistentvolumeclaims',
      'upgrade get persistentvolumes',
      'upgrade get pods',
      'upgrade get pods/log',
      'upgrade get volumesnapshotcontents.snapshot.storage.k8s.io',
      'upgrade get volumesnapshots.snapshot.storage.k8s.io',
      'upgrade patch persistentvolumes',
      'upgrade patch volumesnapshotcontents.snapshot.storage.k8s.io',
    ]);
  });

  test('of a cleanup let it stop nothing and make no pod', () => {
    const writes = permissionsFor('cleanup').filter(({ verb, informs }) => !['get', 'list'].includes(verb) && !informs);
    expect([...new Set(writes.map(permissionName))].sort()).toEqual([
      'create leases.coordination.k8s.io',
      'create pods/exec',
      'create volumesnapshots.snapshot.storage.k8s.io',
      'delete configmaps',
      'delete jobs.batch',
      'delete persistentvolumeclaims',
      'delete pods',
      'delete volumesnapshots.snapshot.storage.k8s.io',
      'patch configmaps',
      'patch jobs.batch',
      'patch leases.coordination.k8s.io',
      'patch persistentvolumes',
      'patch statefulsets.apps',
      'patch volumesnapshotcontents.snapshot.storage.k8s.io',
      'patch volumesnapshots.snapshot.storage.k8s.io',
    ]);
    const deleted = writes.filter((row) => permissionName(row) === 'delete pods').flatMap((row) => row.names?.(names));
    expect(deleted).toEqual(['postgres-rehearsal-12', 'postgres-rehearsal-14']);
  });

  test('that no precheck can do without let it make no pod', () => {
    expect(
      needed(permissionsFor('precheck'))
        .filter(({ verb }) => verb !== 'get' && verb !== 'list')
        .map(permissionName),
    ).toEqual(['create pods/exec']);
  });

  test('that a Role grants by name are granted, and one name that it lacks is named', async () => {
    const byName = (lacking: string) =>
      granting((verb, resource, _subresource, name) => {
        const rows = permissions.filter((row) => row.verb === verb && row.resource === resource);
        return rows.every((row) => row.names !== undefined) && (name === undefined || name === lacking);
      });
    expect(await missingPermissions(byName(''), names, 'upgrade')).toEqual([]);
    const missing = await missingPermissions(byName('api'), names, 'upgrade');
    expect(missing.map((row) => [permissionName(row), row.lacks])).toEqual([
      ['get deployments.apps', ['api']],
      ['patch deployments.apps', ['api']],
    ]);
  });

  test('for objects of which there are none are not asked for', async () => {
    const cluster = granting((_verb, resource) => resource === 'deployments' || resource === 'persistentvolumes');
    const missing = await missingPermissions(cluster, { ...names, applications: [], volume: '' }, 'upgrade');
    expect(missing.map(permissionName)).toEqual([
      'list deployments.apps',
      'get persistentvolumes',
      'patch persistentvolumes',
    ]);
    expect(missing.map(({ mode }) => mode)).toEqual(['precheck', 'upgrade', 'upgrade']);
  });

  test('a precheck asks for no right to change anything of the user', () => {
    const writes = permissionsFor('precheck').filter((p) => !['get', 'list'].includes(p.verb));
    expect(writes.map(permissionName).sort()).toEqual([
      'create configmaps',
      'create jobs.batch',
      'create persistentvolumeclaims',
      'create pods',
      'create pods/exec',
      'create volumesnapshots.snapshot.storage.k8s.io',
      'delete pods',
    ]);
  });

  test.each([
    ['of all but what a precheck needs', true, () => false],
    ['of all but what a precheck needs, and pods of any name', true, (row) => permissionName(row) === 'delete pods'],
    ['of all that an upgrade reads besides', true, ({ verb }) => ['get', 'list', 'watch'].includes(verb)],
    [
      'of all but what a precheck needs, and one Deployment',
      false,
      ({ verb }, name) => verb === 'patch' && name === 'api',
    ],
    [
      'of all but what a precheck needs, and Leases',
      false,
      (row) => permissionName(row) === 'create leases.coordination.k8s.io',
    ],
  ] as const satisfies readonly [string, boolean, (row: Permission, name?: string) => boolean][])(
    'that are refused %s: whether the account can only check is %s',
    async (_what, expected, has) => {
      const cluster = granting((verb, resource, subresource, name) => {
        const isRow = (row: Permission) =>
          row.verb === verb && row.resource === resource && row.subresource === subresource;
        const isPrechecks = permissionsFor('precheck').some(
          (row) => isRow(row) && (row.names === undefined || (name !== undefined && row.names(names).includes(name))),
        );
        return !isPrechecks && !permissions.some((row) => isRow(row) && has(row, name));
      });
      const missing = await missingPermissions(cluster, names, 'upgrade');
      expect(canOnlyCheck(missing, names, 'jane')).toBe(expected);
      expect(canOnlyCheck(missing, names, `system:serviceaccount:${namespace}:postgresql-upgrade`)).toBe(false);
    },
  );

  test('that are all granted are no missing ones', async () => {
    expect(
      await missingPermissions(
        granting(() => false),
        names,
        'upgrade',
      ),
    ).toEqual([]);
  });

  test('that are refused come back by their names', async () => {
    const cluster = granting(
      (verb, resource, subresource) => (verb === 'patch' && resource === 'statefulsets') || subresource === 'exec',
    );
    const missing = await missingPermissions(cluster, names, 'upgrade');
    const exec = ['get pods/exec', 'create pods/exec'];
    expect(missing.map(permissionName)).toEqual([...exec, ...exec, 'patch statefulsets.apps']);
  });

  test('for an API that the cluster does not have are not asked for', async () => {
    const cluster = granting((_verb, resource) => resource === 'scaledobjects');
    expect((await missingPermissions(cluster, names, 'upgrade')).map(permissionName)).toEqual([
      'list scaledobjects.keda.sh',
      'get scaledobjects.keda.sh',
      'patch scaledobjects.keda.sh',
    ]);
    cluster.missing.add('scaledobjects');
    expect(await missingPermissions(cluster, names, 'upgrade')).toEqual([]);
  });

  test('an answer without a verdict is no grant', async () => {
    const cluster = new FakeCluster();
    cluster.create = (_resource, object) => Promise.resolve(object);
    expect(await missingPermissions(cluster, names, 'precheck')).toHaveLength(permissionsFor('precheck').length);
  });

  test('are asked for in the namespace only where the resource lies in one, and nothing is wanted of others', async () => {
    const cluster = new FakeCluster();
    await missingPermissions(cluster, names, 'upgrade');
    const asked = cluster.calls
      .filter((c) => c.method === 'create')
      .map((c) => (c.body as V1SelfSubjectAccessReview).spec.resourceAttributes);
    expect(asked).toHaveLength(permissions.filter((row) => row.names?.(names).length !== 0).length);
    for (const attributes of asked) {
      const { group, namespaced } = resources[attributes?.resource as keyof typeof resources];
      expect(attributes?.group).toBe(group);
      const elsewhere = ['applications', 'helmreleases', 'kustomizations'].includes(attributes?.resource ?? '');
      const isOwn = (namespaced && !elsewhere) || attributes?.resource === 'namespaces';
      expect(attributes?.namespace).toBe(isOwn ? namespace : undefined);
    }
  });
});
