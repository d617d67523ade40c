import { describe, expect, test } from '@jest/globals';
import type { V1SelfSubjectAccessReview } from '@kubernetes/client-node';
import { resources } from '../../../src/ports/cluster.ts';
import { missingPermissions, permissionName, permissions, permissionsFor } from '../../../src/target/permissions.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { namespace } from '../objects.ts';

/** An API server that grants all but what `denied` says. */
function granting(denied: (verb: string, resource: string, subresource?: string) => boolean): FakeCluster {
  const cluster = new FakeCluster();
  const create = cluster.create.bind(cluster);
  cluster.create = async (resource, object, options) => {
    const made = await create(resource, object, options);
    const {
      verb = '',
      resource: asked = '',
      subresource,
    } = (object as V1SelfSubjectAccessReview).spec.resourceAttributes ?? {};
    return { ...made, status: { allowed: !denied(verb, asked, subresource) } };
  };
  return cluster;
}

describe('permissions', () => {
  test('an upgrade needs all that a precheck needs', () => {
    expect(permissionsFor('upgrade')).toEqual(expect.arrayContaining([...permissionsFor('precheck')]));
    expect(permissionsFor('precheck').length).toBeLessThan(permissionsFor('upgrade').length);
  });

  test('are listed once each', () => {
    const names = permissions.map(permissionName);
    expect(new Set(names).size).toBe(names.length);
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

  test('that are all granted are no missing ones', async () => {
    expect(
      await missingPermissions(
        granting(() => false),
        namespace,
        'upgrade',
      ),
    ).toEqual([]);
  });

  test('that are refused come back by their names', async () => {
    const cluster = granting(
      (verb, resource, subresource) => (verb === 'patch' && resource === 'statefulsets') || subresource === 'exec',
    );
    const missing = await missingPermissions(cluster, namespace, 'upgrade');
    expect(missing.map(permissionName)).toEqual(['get pods/exec', 'create pods/exec', 'patch statefulsets.apps']);
  });

  test('for an API that the cluster does not have are not asked for', async () => {
    const cluster = granting((_verb, resource) => resource === 'scaledobjects');
    expect((await missingPermissions(cluster, namespace, 'upgrade')).map(permissionName)).toEqual([
      'list scaledobjects.keda.sh',
      'get scaledobjects.keda.sh',
      'patch scaledobjects.keda.sh',
    ]);
    cluster.missing.add('scaledobjects');
    expect(await missingPermissions(cluster, namespace, 'upgrade')).toEqual([]);
  });

  test('an answer without a verdict is no grant', async () => {
    const cluster = new FakeCluster();
    cluster.create = (_resource, object) => Promise.resolve(object);
    expect(await missingPermissions(cluster, namespace, 'precheck')).toHaveLength(permissionsFor('precheck').length);
  });

  test('are asked for in the namespace only where the resource lies in one, and nothing is wanted of others', async () => {
    const cluster = new FakeCluster();
    await missingPermissions(cluster, namespace, 'upgrade');
    const asked = cluster.calls
      .filter((c) => c.method === 'create')
      .map((c) => (c.body as V1SelfSubjectAccessReview).spec.resourceAttributes);
    expect(asked).toHaveLength(permissions.length);
    for (const attributes of asked) {
      const { group, namespaced } = resources[attributes?.resource as keyof typeof resources];
      expect(attributes?.group).toBe(group);
      const elsewhere = ['applications', 'helmreleases', 'kustomizations'].includes(attributes?.resource ?? '');
      const isOwn = (namespaced && !elsewhere) || attributes?.resource === 'namespaces';
      expect(attributes?.namespace).toBe(isOwn ? namespace : undefined);
    }
  });
});
