import { describe, expect, test } from '@jest/globals';
import type { V1StatefulSet, V1VolumeMount } from '@kubernetes/client-node';
import { discover } from '../../../src/target/discover.ts';
import type { FakeCluster } from '../fake-cluster.ts';
import { claim, cluster, inputs, namespace, serverContainer, statefulSet } from '../objects.ts';
import { commandsFor } from '../../commands.ts';
import { thrownBy } from '../thrown.ts';

function find(from: FakeCluster, given: Readonly<Record<string, string>> = {}) {
  return discover(from, inputs(given));
}

function refusal(from: FakeCluster, given: Readonly<Record<string, string>> = {}) {
  return thrownBy(() => find(from, given));
}

function named(name: string): V1StatefulSet {
  const other = statefulSet();
  return { ...other, metadata: { ...other.metadata, name } };
}

function mounting(...volumeMounts: V1VolumeMount[]): V1StatefulSet {
  return statefulSet({ containers: [serverContainer({ volumeMounts })] });
}

describe('discovery', () => {
  test('takes everything from the StatefulSet that carries the label', async () => {
    const found = await find(cluster());
    expect(found).toMatchObject({
      namespace,
      name: 'postgresql',
      replicas: 1,
      podName: 'postgresql-0',
      dataDirectory: '/bitnami/postgresql/data',
      userId: 1001,
      fsGroup: 1001,
      secret: { name: 'postgresql', key: 'postgres-password' },
      volume: { claimName: 'data-postgresql-0', mountPath: '/bitnami/postgresql' },
    });
    expect(found.container.name).toBe('postgresql');
    expect(found.pod?.metadata?.name).toBe('postgresql-0');
    expect(found.volume.persistentVolume?.metadata?.name).toBe('pv-1');
    expect(found.applications).toHaveLength(4);
  });

  test('reads only', async () => {
    const from = cluster();
    await find(from);
    expect(from.writes).toEqual([]);
  });

  test('a namespace that does not exist is named with the cluster that was searched', async () => {
    const from = cluster();
    from.remove('namespaces', namespace);
    const error = await refusal(from);
    expect(error.code).toBe('namespace-not-found');
    expect(error.message).toContain(namespace);
    expect(error.message).toContain(from.address);
  });

  test('a volume that may not be read may be a new one: an administrator grants it', async () => {
    const error = await refusal(cluster().refuse('find', 'persistentvolumes', 403, 'persistentvolumes is forbidden'));
    expect(error.code).toBe('forbidden');
    expect(error.message).toContain('is forbidden');
    expect(error.remedy.text).toContain('may have made a new volume');
    expect(commandsFor('shell', error.remedy)).toBe(
      `kubectl patch clusterrole circleci-server-postgresql-precheck --type merge -p '{"rules":[{"apiGroups":[""],"resources":["persistentvolumes"],"resourceNames":["pv-1"],"verbs":["get"]}]}'`,
    );
  });

  test('a read that the API server refuses is no "not there"', async () => {
    const error = await refusal(cluster().refuse('find', 'namespaces', 403, 'namespaces is forbidden'));
    expect(error.code).toBe('forbidden');
  });

  test('a pod that is not there is undefined, and a replica count that is not said is 1', async () => {
    const stopped = statefulSet();
    delete stopped.spec?.replicas;
    const from = cluster(stopped);
    from.remove('pods', 'postgresql-0', namespace);
    const found = await find(from);
    expect(found.pod).toBeUndefined();
    expect(found.replicas).toBe(1);
  });
});

describe('the StatefulSet', () => {
  test('that the input names is taken, whatever its labels', async () => {
    const other = named('database');
    const from = cluster().put('statefulsets', { ...other, metadata: { ...other.metadata, labels: {} } });
    from.put('persistentvolumeclaims', claim('data-database-0'));
    const found = await find(from, { statefulset: 'database' });
    expect([found.name, found.podName, found.volume.claimName]).toEqual(['database', 'database-0', 'data-database-0']);
  });

  test('that the input names and that is not there ends the run', async () => {
    const error = await refusal(cluster(), { statefulset: 'database' });
    expect(error.code).toBe('statefulset-not-found');
    expect(error.message).toContain('"database"');
  });

  test('is named by hand when several carry the label', async () => {
    const error = await refusal(cluster().put('statefulsets', named('postgresql-copy')));
    expect(error.code).toBe('statefulset-ambiguous');
    expect(error.message).toContain('postgresql, postgresql-copy');
    expect(error.remedy.text).toContain('"statefulset"');
  });

  test('may be outside of the cluster, and then there is nothing to upgrade', async () => {
    const from = cluster();
    from.remove('statefulsets', 'postgresql', namespace);
    const error = await refusal(from);
    expect(error.code).toBe('statefulset-not-found');
    expect(error.remedy.text).toContain('outside of the cluster');
  });
});

describe('the claim', () => {
  test('comes from what the pod mounts, never from a label', async () => {
    const forgotten = claim('old-copy');
    forgotten.metadata = { ...forgotten.metadata, labels: { 'app.kubernetes.io/name': 'postgresql' } };
    const found = await find(cluster().put('persistentvolumeclaims', forgotten));
    expect(found.volume.claimName).toBe('data-postgresql-0');
  });

  test('may exist already instead of coming from a template', async () => {
    const existing = statefulSet(
      { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'kept' } }] },
      { volumeClaimTemplates: [] },
    );
    const found = await find(cluster(existing).put('persistentvolumeclaims', claim('kept')));
    expect(found.volume.claimName).toBe('kept');
  });

  test('for something else than the data is left alone', async () => {
    const withBackups = mounting(
      { name: 'data', mountPath: '/bitnami/postgresql' },
      { name: 'backups', mountPath: '/backups' },
    );
    withBackups.spec?.volumeClaimTemplates?.push({ metadata: { name: 'backups' } });
    expect((await find(cluster(withBackups))).volume.claimName).toBe('data-postgresql-0');
  });

  const split = mounting(
    { name: 'data', mountPath: '/bitnami/postgresql' },
    { name: 'wal', mountPath: '/bitnami/postgresql/data/pg_wal' },
  );
  split.spec?.volumeClaimTemplates?.push({ metadata: { name: 'wal' } });

  test('is named by hand when two can hold the data', async () => {
    const error = await refusal(cluster(split));
    expect(error.code).toBe('pvc-ambiguous');
    expect(error.message).toContain('data-postgresql-0 at /bitnami/postgresql');
    expect(error.message).toContain('wal-postgresql-0 at /bitnami/postgresql/data/pg_wal');
    expect(error.remedy.text).toContain('"pvc-name"');
  });

  test('that the input names is taken', async () => {
    const found = await find(cluster(split), { 'pvc-name': 'data-postgresql-0' });
    expect(found.volume.mountPath).toBe('/bitnami/postgresql');
  });

  test('that the input names has to be mounted', async () => {
    const error = await refusal(cluster(), { 'pvc-name': 'other' });
    expect(error.code).toBe('pvc-not-mounted');
    expect(error.message).toContain('"other"');
    expect(error.message).toContain('data-postgresql-0 at /bitnami/postgresql');
  });

  test('that holds the data must be among the mounts', async () => {
    const error = await refusal(cluster(mounting({ name: 'data', mountPath: '/somewhere' })));
    expect(error.code).toBe('pvc-not-found');
    expect(error.message).toContain('data-postgresql-0 at /somewhere');
  });

  test('of a directory with a longer name is not taken for its parent', async () => {
    const error = await refusal(cluster(mounting({ name: 'data', mountPath: '/bitnami/postgresql-old' })));
    expect(error.code).toBe('pvc-not-found');
  });

  test('that was deleted ends the run', async () => {
    const from = cluster();
    from.remove('persistentvolumeclaims', 'data-postgresql-0', namespace);
    const error = await refusal(from);
    expect(error.code).toBe('pvc-not-found');
    expect(error.message).toContain('data-postgresql-0');
    expect(error.remedy.text).toContain('deleted');
  });

  test('that is not bound has no volume yet', async () => {
    const from = cluster().put('persistentvolumeclaims', { ...claim(), spec: {} });
    expect((await find(from)).volume.persistentVolume).toBeUndefined();
  });
});

describe('the data directory', () => {
  test('is where PGDATA says', async () => {
    const elsewhere = statefulSet({
      containers: [
        serverContainer({
          env: [{ name: 'PGDATA', value: '/var/lib/postgresql/pgdata' }],
          volumeMounts: [{ name: 'data', mountPath: '/var/lib/postgresql' }],
        }),
      ],
    });
    const found = await find(cluster(elsewhere), { 'secret-name': 'postgresql' });
    expect(found.dataDirectory).toBe('/var/lib/postgresql/pgdata');
    expect(found.volume.mountPath).toBe('/var/lib/postgresql');
  });

  test("is Bitnami's when PGDATA is not set", async () => {
    const silent = statefulSet({ containers: [serverContainer({ env: [] })] });
    const found = await find(cluster(silent), { 'secret-name': 'postgresql' });
    expect(found.dataDirectory).toBe('/bitnami/postgresql/data');
  });
});

describe('the user', () => {
  test.each([
    ['of the container', { runAsUser: 999 }, { runAsUser: 1001 }, 999],
    ['of the pod', {}, { runAsUser: 26 }, 26],
    ["of Bitnami's image", {}, {}, 1001],
    ['root, if it says so', { runAsUser: 0 }, { runAsUser: 1001 }, 0],
  ])('is that %s', async (_what, ofContainer, ofPod, expected) => {
    const from = cluster(
      statefulSet({ securityContext: ofPod, containers: [serverContainer({ securityContext: ofContainer })] }),
    );
    const found = await find(from);
    expect(found.userId).toBe(expected);
    expect(found.fsGroup).toBeUndefined();
  });
});

describe('the Secret', () => {
  const reference = (name: string, key: string) => ({ valueFrom: { secretKeyRef: { name, key } } });

  test("prefers the superuser's variable to that of the application's user", async () => {
    const env = [
      { name: 'POSTGRES_PASSWORD', ...reference('postgresql', 'password') },
      { name: 'POSTGRES_POSTGRES_PASSWORD', ...reference('postgresql', 'postgres-password') },
    ];
    const found = await find(cluster(statefulSet({ containers: [serverContainer({ env })] })));
    expect(found.secret).toEqual({ name: 'postgresql', key: 'postgres-password' });
  });

  test.each([
    [{ 'secret-name': 'mine' }, { name: 'mine', key: 'postgres-password' }],
    [
      { 'secret-name': 'mine', 'secret-key': 'root' },
      { name: 'mine', key: 'root' },
    ],
    [{ 'secret-key': 'root' }, { name: 'from-env', key: 'root' }],
    [{ 'secret-name': 'from-env' }, { name: 'from-env', key: 'key-of-env' }],
    [{}, { name: 'from-env', key: 'key-of-env' }],
  ])('with %j is %j', async (given, expected) => {
    const env = [{ name: 'POSTGRESQL_PASSWORD', ...reference('from-env', 'key-of-env') }];
    const from = cluster(statefulSet({ containers: [serverContainer({ env })] }));
    expect((await find(from, given)).secret).toEqual(expected);
  });

  test('is asked for when the StatefulSet names none', async () => {
    const env = [{ name: 'POSTGRES_PASSWORD', value: 'written into the manifest' }];
    const error = await refusal(cluster(statefulSet({ containers: [serverContainer({ env })] })));
    expect(error.code).toBe('secret-not-found');
    expect(error.remedy.text).toContain('"secret-name"');
    expect(error.message).not.toContain('written into the manifest');
  });
});
