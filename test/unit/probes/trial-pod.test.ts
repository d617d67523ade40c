import { describe, expect, test } from '@jest/globals';
import type { V1PodSpec } from '@kubernetes/client-node';
import { obstacleToTrial, trialPod } from '../../../src/probes/trial-pod.ts';
import { newImage, serverContainer, statefulSet, target } from '../objects.ts';

/** The server, its pod template changed. */
async function serverWith(change: Partial<V1PodSpec>) {
  const set = statefulSet();
  const spec = set.spec?.template.spec;
  if (spec) Object.assign(spec, change);
  const found = await target();
  const container = change.containers?.[0] ?? found.container;
  return { ...found, statefulSet: set, container };
}

describe('the pod that tries how PostgreSQL 14 starts', () => {
  test("is the server's with the other image, on empty volumes", async () => {
    const pod = trialPod(await target(), newImage);
    const [container] = pod.spec?.containers ?? [];
    expect([container?.name, container?.image]).toEqual(['postgresql', newImage]);
    expect(container?.env).toContainEqual({ name: 'PGDATA', value: '/bitnami/postgresql/data' });
    expect(container?.volumeMounts).toContainEqual({ name: 'data', mountPath: '/bitnami/postgresql' });
    expect(pod.spec?.volumes).toEqual([
      { name: 'data', emptyDir: {} },
      { name: 'dshm', emptyDir: { medium: 'Memory' } },
    ]);
    expect(JSON.stringify(pod)).not.toContain('persistentVolumeClaim');
    expect(pod.spec?.securityContext).toEqual({ fsGroup: 1001 });
  });

  test.each<[Partial<V1PodSpec>, Partial<V1PodSpec> & { policy: string }]>([
    [{}, { imagePullSecrets: [], policy: 'IfNotPresent' }],
    [
      {
        ...{ imagePullSecrets: [{ name: 'mirror' }], serviceAccountName: 'postgresql' },
        containers: [serverContainer({ imagePullPolicy: 'Always' })],
      },
      { imagePullSecrets: [{ name: 'mirror' }], serviceAccountName: 'postgresql', policy: 'Always' },
    ],
  ])("pulls with what the StatefulSet's pod has, and mounts no token: %j", async (change, { policy, ...expected }) => {
    const { spec } = trialPod(await serverWith(change), newImage);
    expect(spec).toMatchObject({ ...expected, automountServiceAccountToken: false });
    expect(spec?.serviceAccountName).toBe(change.serviceAccountName);
    expect(spec?.containers[0]?.imagePullPolicy).toBe(policy);
  });

  test("has no label by which a Service or a controller takes it for the server's", async () => {
    const { statefulSet: set, ...rest } = await target();
    const { labels = {} } = trialPod({ ...rest, statefulSet: set }, newImage).metadata ?? {};
    for (const [name, value] of Object.entries(set.spec?.selector.matchLabels ?? {}))
      expect(labels[name]).not.toBe(value);
  });

  test('mounts no claim that the template names, and archives nothing', async () => {
    const given = await serverWith({
      containers: [serverContainer({ env: [{ name: 'POSTGRESQL_EXTRA_FLAGS', value: '-c work_mem=8MB' }] })],
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: 'data-postgresql-0' } },
        { name: 'more', persistentVolumeClaim: { claimName: 'more' } },
        { name: 'conf', configMap: { name: 'postgresql-configuration' } },
      ],
    });
    const pod = trialPod(given, newImage);
    expect(pod.spec?.volumes).toEqual([
      { name: 'data', emptyDir: {} },
      { name: 'more', emptyDir: {} },
      { name: 'conf', configMap: { name: 'postgresql-configuration' } },
    ]);
    expect(pod.spec?.containers[0]?.env).toEqual([
      { name: 'POSTGRESQL_EXTRA_FLAGS', value: '-c work_mem=8MB -c archive_mode=off -c archive_command=/bin/false' },
    ]);
  });

  test('runs no scripts for a new database', async () => {
    const volumeMounts = [
      { name: 'data', mountPath: '/bitnami/postgresql' },
      { name: 'scripts', mountPath: '/docker-entrypoint-initdb.d/' },
      { name: 'early', mountPath: '/docker-entrypoint-preinitdb.d' },
    ];
    const pod = trialPod(await serverWith({ containers: [serverContainer({ volumeMounts })] }), newImage);
    expect(pod.spec?.containers[0]?.volumeMounts).toEqual(volumeMounts.slice(0, 1));
  });
});

describe('what keeps it from being tried', () => {
  test('is nothing for a server as the chart makes it', async () => {
    expect(obstacleToTrial(await target(), 'off')).toBeUndefined();
  });

  test.each(['on', 'always'])('is an archive that would get its WAL (archive_mode %s)', async (mode) => {
    expect(obstacleToTrial(await target(), mode)).toContain('must not get into the archive');
  });

  test.each([
    ['REPMGR_PARTNER_NODES', 'pg-0,pg-1'],
    ['PATRONI_SCOPE', 'main'],
    ['POSTGRESQL_REPLICATION_MODE', 'slave'],
  ])('is a member of a cluster of servers (%s)', async (name, value) => {
    const container = { ...serverContainer(), env: [{ name, value }] };
    expect(obstacleToTrial(await serverWith({ containers: [container] }), 'off')).toContain(name);
  });

  test('is no primary that says so', async () => {
    const container = { ...serverContainer(), env: [{ name: 'POSTGRESQL_REPLICATION_MODE', value: 'master' }] };
    expect(obstacleToTrial(await serverWith({ containers: [container] }), 'off')).toBeUndefined();
  });

  test.each<[string, Partial<V1PodSpec>]>([
    ['restore', { initContainers: [{ name: 'restore' }] }],
    ['shared', { volumes: [{ name: 'shared', nfs: { server: 'nfs', path: '/' } }] }],
    ['host', { volumes: [{ name: 'host', hostPath: { path: '/srv' } }] }],
  ])('is what may reach further than the pod: %s', async (name, change) => {
    expect(obstacleToTrial(await serverWith(change), 'off')).toContain(name);
  });
});

describe("with TLS by Bitnami's chart, whose init container copies the certificate", () => {
  const certificates = { name: 'postgresql-certificates', mountPath: '/opt/bitnami/postgresql/certs', readOnly: true };
  const copyCerts = {
    name: 'copy-certs',
    image: 'os-shell',
    volumeMounts: [
      { name: 'raw-certificates', mountPath: '/tmp/certs' },
      { name: certificates.name, mountPath: certificates.mountPath },
    ],
  };
  const withTls = (init = [copyCerts], env = [{ name: 'POSTGRESQL_ENABLE_TLS', value: 'yes' }]) =>
    serverWith({
      initContainers: init,
      containers: [serverContainer({ env, volumeMounts: [certificates] })],
      volumes: [
        { name: 'raw-certificates', secret: { secretName: 'postgresql-crt' } },
        { name: certificates.name, emptyDir: {} },
      ],
    });

  test('it is tried without TLS, without the init container and without the key', async () => {
    const server = await withTls();
    expect(obstacleToTrial(server, 'off')).toBeUndefined();
    const { spec } = trialPod(server, newImage);
    expect(spec?.initContainers).toBeUndefined();
    expect(JSON.stringify(spec)).not.toContain('postgresql-crt');
    expect(spec?.volumes).toContainEqual({ name: certificates.name, emptyDir: {} });
    const { env } = spec?.containers[0] ?? {};
    expect(env).toContainEqual({ name: 'POSTGRESQL_ENABLE_TLS', value: 'no' });
    expect(env?.find(({ name }) => name === 'POSTGRESQL_EXTRA_FLAGS')?.value).toMatch(/ -c ssl=off$/);
  });

  test.each([
    ['beside another init container', [copyCerts, { ...copyCerts, name: 'more' }], undefined],
    ['where the image is not told of TLS', [copyCerts], []],
  ])('%s it is not known what it does', async (_where, init, env) => {
    expect(obstacleToTrial(await withTls(init, env), 'off')).toContain('init container');
  });
});
