import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { V1PodSpec } from '@kubernetes/client-node';
import { upgradeJob, type JobSettings } from '../../../src/objects/upgrade-job.ts';
import { probePod } from '../../../src/probes/probe.ts';
import { restoreTestPod } from '../../../src/probes/restore-test.ts';
import { password, serverContainer, statefulSet, target } from '../objects.ts';
import { server } from '../prechecks/facts.ts';

const settings: JobSettings = {
  image: 'registry.example.com/upgrade:12-14',
  imagePullSecret: 'regcred',
  resources: { requests: { cpu: '200m' }, limits: { cpu: '2' } },
  jobs: 2,
  transfer: 'clone',
  initdb: {
    superuser: 'postgres',
    encoding: 'UTF8',
    collate: 'en_US.UTF-8',
    ctype: 'en_US.UTF-8',
    postgres: { encoding: 'UTF8', collate: 'C', ctype: 'C' },
  },
  runId: 'https://github.example/owner/server/actions/runs/1/attempts/1',
};

const scripts = { 'upgrade.sh': 'echo', 'volume.sh': 'true' };

async function jobOf(podSpec: Partial<V1PodSpec> = {}, given: Partial<JobSettings> = {}) {
  const job = upgradeJob(await target(statefulSet(podSpec)), { ...settings, ...given }, 'upgrade', scripts);
  const spec = job.spec?.template.spec;
  const container = spec?.containers[0];
  if (spec === undefined || container === undefined) throw new Error('the Job has no pod');
  return { job, spec, container };
}

describe('the pod of the Job', () => {
  test.each(['upgrade', 'revert', 'rollback', 'boot'] as const)(
    'has no password, Secret or token for %s: pg_upgrade restores schemas there',
    async (command) => {
      const { spec } = upgradeJob(await target(), settings, command, scripts).spec?.template ?? {};
      const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
      expect(
        containers.flatMap(({ env = [], envFrom = [] }) => [...envFrom, ...env.filter((e) => e.valueFrom)]),
      ).toEqual([]);
      expect(spec?.volumes?.map((v) => Object.keys(v).find((kind) => kind !== 'name')).sort()).toEqual([
        'downwardAPI',
        'emptyDir',
        'persistentVolumeClaim',
      ]);
      expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
      expect(spec?.shareProcessNamespace ?? false).toBe(false);
      expect(JSON.stringify(spec)).not.toContain(password);
    },
  );

  test('passes Pod Security "restricted"', async () => {
    const { spec, container } = await jobOf();
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1001,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(spec.containers).toHaveLength(1);
    expect(spec.initContainers).toBeUndefined();
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    });
    expect([spec.hostNetwork, spec.hostPID, spec.hostIPC]).toEqual([undefined, undefined, undefined]);
    const kinds = (spec.volumes ?? []).flatMap((v) => Object.keys(v)).filter((key) => key !== 'name');
    expect(new Set(kinds)).toEqual(new Set(['persistentVolumeClaim', 'emptyDir', 'downwardAPI']));
  });

  test("runs as the server's user and group, not as one of its own", async () => {
    const { spec } = await jobOf({
      securityContext: { runAsGroup: 2000, fsGroup: 3000 },
      containers: [serverContainer({ securityContext: { runAsUser: 999 } })],
    });
    expect(spec.securityContext).toMatchObject({ runAsUser: 999, runAsGroup: 2000, supplementalGroups: [3000] });
  });

  test('has the fsGroup as one more group only: the kubelet changes no owners', async () => {
    const { spec } = await jobOf();
    expect(spec.securityContext?.fsGroup).toBeUndefined();
    expect(spec.securityContext?.supplementalGroups).toEqual([1001]);
    const without = await jobOf({ securityContext: {} });
    expect(without.spec.securityContext).not.toHaveProperty('supplementalGroups');
  });

  test('names its user in /etc/passwd', async () => {
    const { job, container } = await jobOf({
      securityContext: { runAsUser: 26 },
      containers: [serverContainer({ securityContext: {} })],
    });
    const annotations = job.spec?.template.metadata?.annotations ?? {};
    expect(Object.values(annotations).join('\n')).toContain('postgres:x:26:26:');
    expect(container.volumeMounts).toContainEqual(
      expect.objectContaining({ mountPath: '/etc/passwd', subPath: 'passwd', readOnly: true }),
    );
  });

  test('has no right in the cluster', async () => {
    const { spec } = await jobOf();
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(spec.serviceAccountName).toBeUndefined();
  });

  test('goes where the server may go', async () => {
    const placing: Partial<V1PodSpec> = {
      tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'data', effect: 'NoSchedule' }],
      nodeSelector: { pool: 'data' },
      priorityClassName: 'data-critical',
    };
    const { spec } = await jobOf(placing);
    expect(spec).toMatchObject(placing);
    const preferred = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution;
    expect(preferred?.[0]?.preference.matchFields?.[0]?.values).toEqual(['node-1']);
    expect(spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toBeUndefined();
  });

  test('asks for nothing that the server does not ask for', async () => {
    const { spec } = await jobOf();
    for (const field of ['tolerations', 'nodeSelector', 'priorityClassName']) expect(spec).not.toHaveProperty(field);
    const alone = upgradeJob(await target(statefulSet(), { pod: undefined }), settings, 'upgrade', scripts);
    expect(alone.spec?.template.spec).not.toHaveProperty('affinity');
  });

  test.each([
    ['regcred', [{ name: 'own' }], [{ name: 'own' }, { name: 'regcred' }]],
    ['regcred', [{ name: 'regcred' }], [{ name: 'regcred' }]],
    ['regcred', undefined, [{ name: 'regcred' }]],
    ['', [{ name: 'own' }], [{ name: 'own' }]],
    ['', undefined, []],
  ])('with pull secret %j beside those of the server %j pulls with %j', async (imagePullSecret, own, expected) => {
    const { spec } = await jobOf(own === undefined ? {} : { imagePullSecrets: own }, { imagePullSecret });
    expect(spec.imagePullSecrets).toEqual(expected);
  });

  test('keeps sidecars out and evictions away', async () => {
    const { job } = await jobOf();
    expect(job.spec?.template.metadata?.annotations).toMatchObject({
      'sidecar.istio.io/inject': 'false',
      'linkerd.io/inject': 'disabled',
      'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
      'karpenter.sh/do-not-disrupt': 'true',
    });
  });

  test('does not carry the labels by which a Service finds the server', async () => {
    const { job } = await jobOf();
    expect(job.spec?.template.metadata?.labels?.['app.kubernetes.io/name']).not.toBe('postgresql');
  });
});

describe('the Job', () => {
  test('is never repeated by Kubernetes and never ended by a deadline', async () => {
    const { job, spec } = await jobOf();
    expect(job.spec?.backoffLimit).toBe(0);
    expect(job.spec).not.toHaveProperty('activeDeadlineSeconds');
    expect(spec).not.toHaveProperty('activeDeadlineSeconds');
    expect(spec.restartPolicy).toBe('Never');
    expect(job.spec?.ttlSecondsAfterFinished).toBeGreaterThanOrEqual(3600);
  });

  test('holds no password and speaks of no Secret but the pull secrets', async () => {
    const { job, spec, container } = await jobOf();
    expect(JSON.stringify(job)).not.toContain(password);
    expect(container.env?.filter((e) => e.valueFrom !== undefined)).toEqual([]);
    expect(container.envFrom).toBeUndefined();
    expect(spec.volumes?.filter((v) => v.secret !== undefined)).toEqual([]);
    const rest = { ...spec, imagePullSecrets: [] };
    expect(JSON.stringify(rest).replace('imagePullSecrets', '')).not.toMatch(/secret|password/i);
  });

  test("mounts the volume once, at the server's own path: hard links do not cross mounts", async () => {
    const { spec, container } = await jobOf();
    const volumes = spec.volumes?.filter((v) => v.persistentVolumeClaim !== undefined);
    expect(volumes).toEqual([{ name: 'data', persistentVolumeClaim: { claimName: 'data-postgresql-0' } }]);
    expect(container.volumeMounts?.filter((m) => m.name === 'data')).toEqual([
      { name: 'data', mountPath: '/bitnami/postgresql' },
    ]);
  });

  test('runs the script with what the cluster needs', async () => {
    const { container } = await jobOf();
    expect(container.command?.at(-1)).toBe('upgrade');
    expect(Object.fromEntries((container.env ?? []).map((e) => [e.name, e.value]))).toMatchObject({
      MOUNT: '/bitnami/postgresql',
      DATA: '/bitnami/postgresql/data',
      FROM: '12',
      TO: '14',
      SUPERUSER: 'postgres',
      ENCODING: 'UTF8',
      LC_COLLATE_VALUE: 'en_US.UTF-8',
      POSTGRES_LC_COLLATE: 'C',
      JOBS: '2',
      TRANSFER: 'clone',
      SESSION_OPTIONS: expect.stringMatching(/^-c role=none .* -c constraint_exclusion=partition .* -c jit=off$/),
    });
    expect(container.resources).toEqual(settings.resources);
    expect(container.image).toBe(settings.image);
  });

  test('without a database postgres leaves its variables empty', async () => {
    const { container } = await jobOf({}, { initdb: { ...settings.initdb, postgres: undefined } });
    const postgres = (container.env ?? []).filter((e) => e.name.startsWith('POSTGRES_'));
    expect(postgres.map((e) => e.value)).toEqual(['', '', '']);
  });

  test('that takes it back is another one on the same volume', async () => {
    const forth = upgradeJob(await target(), settings, 'upgrade', scripts);
    const back = upgradeJob(await target(), settings, 'revert', scripts);
    expect(back.metadata?.name).not.toBe(forth.metadata?.name);
    expect(back.spec?.template.spec?.containers[0]?.command?.at(-1)).toBe('revert');
    expect(back.spec?.template.spec?.volumes).toEqual(forth.spec?.template.spec?.volumes);
  });

  test('has its scripts in its command, which nobody can change', async () => {
    const { container } = await jobOf();
    expect(container.command?.slice(-5)).toEqual(['upgrade.sh', 'echo', 'volume.sh', 'true', 'upgrade']);
  });
});

describe('the scripts as they are', () => {
  const filesOf = (folder: string) => {
    const directory = path.resolve(import.meta.dirname, '../../..', folder);
    const names = readdirSync(directory).filter((name) => /\.(sh|pl|awk)$/.test(name));
    return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(directory, name), 'utf8')]));
  };

  const commandsOf = async () => {
    const {
      'probe.sh': probe = '',
      'restore-test.sh': script = '',
      'confine.pl': confine = '',
    } = filesOf('src/probes');
    const { 'literals.awk': literals = '' } = filesOf('src/job');
    const podTarget = { ...(await target()), pod: { status: { podIP: '10.0.0.1' } } };
    const ofJob = upgradeJob(podTarget, settings, 'upgrade', filesOf('src/job')).spec?.template.spec;
    const libraries = { load: [], preload: [] };
    const ofProbe = probePod(podTarget, 'upgrade', 'image:1', '', [], libraries, probe).spec;
    const ofRestoreTest = restoreTestPod(
      podTarget,
      settings,
      server,
      'postgres',
      [],
      { script, confine, literals },
      {},
      1000,
    ).spec;
    return [ofJob, ofProbe, ofRestoreTest].flatMap((spec) => [
      ...(spec?.initContainers ?? []),
      ...(spec?.containers ?? []),
    ]);
  };

  // https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container: `$(NAME)` of the container's variables, and `$$`.
  test('have nothing that Kubernetes replaces in a command', async () => {
    const containers = await commandsOf();
    expect(containers).toHaveLength(4);
    for (const { command = [], env = [] } of containers) {
      const text = [...command, ...env.map(({ value }) => value)].join('\n');
      expect(text.length).toBeGreaterThan(1000);
      expect(text).not.toContain('$$');
      expect(env.map(({ name }) => name).filter((name) => text.includes(`$(${name})`))).toEqual([]);
    }
  });

  // MAX_ARG_STRLEN of Linux: 128 KiB with the end of the string.
  test('are short enough for a command', async () => {
    for (const { command = [] } of await commandsOf())
      expect(Math.max(...command.map((text) => Buffer.byteLength(text)))).toBeLessThan(100 * 1024);
  });
});

describe('the pod of a probe', () => {
  test('has no volume of the server, no password, and ends quickly', async () => {
    const libraries = { load: ['$libdir/hstore', 'legacy'], preload: ['pgaudit'] };
    const locales = ['UTF8 C C', 'UTF8 en_US en_US'];
    const pod = probePod(await target(), 'upgrade', 'image:1', 'regcred', locales, libraries, 'script');
    expect(pod.spec?.volumes?.filter((v) => v.persistentVolumeClaim ?? v.secret)).toEqual([]);
    expect(pod.spec?.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1001 });
    expect(pod.spec?.terminationGracePeriodSeconds).toBe(0);
    expect(pod.metadata?.generateName).toContain('upgrade');
    const { env = [], command } = pod.spec?.containers[0] ?? { env: [] };
    expect(command).toEqual(['sh', '-c', 'script']);
    expect(env).toContainEqual({ name: 'LOCALES', value: 'UTF8 C C\nUTF8 en_US en_US' });
    expect(env).toContainEqual({ name: 'LIBRARIES', value: '$libdir/hstore\nlegacy' });
    expect(env).toContainEqual({ name: 'PRELOADS', value: 'pgaudit' });
    expect(env).toContainEqual({ name: 'ROLE', value: 'upgrade' });
  });
});
