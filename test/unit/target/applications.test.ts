import { describe, expect, test } from '@jest/globals';
import { findApplications, workloadName } from '../../../src/target/applications.ts';
import { cluster, deployment, namespace, statefulSet } from '../objects.ts';

const layer = 'layer=application';

describe('the applications', () => {
  test('are all workloads with the label, with what has to be brought back, in a fixed order', async () => {
    const redis = statefulSet({}, { replicas: 2, selector: { matchLabels: { app: 'redis' } } });
    const from = cluster().put('statefulsets', {
      ...redis,
      metadata: { name: 'redis', namespace, labels: { layer: 'application' } },
    });
    expect(await findApplications(from, namespace, layer, 'postgresql')).toEqual([
      { resource: 'cronjobs', name: 'nightly', suspended: false },
      { resource: 'cronjobs', name: 'paused', suspended: true },
      { resource: 'deployments', name: 'frontend', replicas: 3, podSelector: { matchLabels: { app: 'frontend' } } },
      { resource: 'deployments', name: 'insights', replicas: 0, podSelector: { matchLabels: { app: 'insights' } } },
      { resource: 'statefulsets', name: 'redis', replicas: 2, podSelector: { matchLabels: { app: 'redis' } } },
    ]);
  });

  test("never hold PostgreSQL's own StatefulSet, whatever its label", async () => {
    const own = statefulSet();
    own.metadata = { ...own.metadata, labels: { layer: 'application' } };
    const found = await findApplications(cluster(own), namespace, layer, 'postgresql');
    expect(found.map(workloadName)).not.toContain('statefulsets/postgresql');
  });

  test('without the label, or of another namespace, stay out', async () => {
    const from = cluster().put(
      'deployments',
      deployment('nginx', 1, { metadata: { name: 'nginx', namespace, labels: { layer: 'edge' } } }),
      deployment('other', 1, { metadata: { name: 'other', namespace: 'other', labels: { layer: 'application' } } }),
    );
    const names = (await findApplications(from, namespace, layer, 'postgresql')).map(workloadName);
    expect(names).not.toContain('deployments/nginx');
    expect(names).not.toContain('deployments/other');
  });

  test('that say no replica count have one', async () => {
    const silent = deployment('silent', 1);
    delete silent.spec?.replicas;
    const found = await findApplications(cluster().put('deployments', silent), namespace, layer, 'postgresql');
    expect(found).toContainEqual(expect.objectContaining({ name: 'silent', replicas: 1 }));
  });

  test('that may not be listed are no "none"', async () => {
    const from = cluster().refuse('list', 'deployments', 403, 'deployments.apps is forbidden');
    await expect(findApplications(from, namespace, layer, 'postgresql')).rejects.toMatchObject({ code: 'forbidden' });
  });
});
