import { describe, expect, test } from '@jest/globals';
import type { V1ContainerState, V1ContainerStatus, V1PodStatus } from '@kubernetes/client-node';
import {
  anchorJob,
  anchorLifetime,
  anchorName,
  anchorNode,
  isAsleep,
  isOurAnchor,
} from '../../../src/objects/anchor.ts';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import { claim, inputs, job, statefulSet, target } from '../objects.ts';

const parts = {
  images: ['upgrade:12-14', 'server:14'],
  imagePullSecret: 'regcred',
  runId: 'run-1',
  lifetime: 5000,
} as const;

async function made(podSpec = {}) {
  const anchor = anchorJob(await target(statefulSet(podSpec)), 'node-1', parts);
  const { template } = anchor.spec ?? {};
  if (template?.spec === undefined) throw new Error('the Job has no pod');
  return { anchor, template, spec: template.spec };
}

function status(state: V1ContainerState): V1ContainerStatus {
  return { name: 'upgrade-image', image: '', imageID: '', ready: false, restartCount: 0, state };
}

describe('the anchor', () => {
  test("has the server's volume in a container alone that never starts", async () => {
    const { spec } = await made();
    const claims = spec.volumes?.flatMap((v) => v.persistentVolumeClaim?.claimName ?? []);
    expect(claims).toEqual(['data-postgresql-0']);
    const having = [...(spec.initContainers ?? []), ...spec.containers].filter((one) =>
      one.volumeMounts?.some(({ name }) => name === 'data'),
    );
    expect(having.map(({ name }) => name)).toEqual(['volume']);
    expect(having[0]?.volumeMounts).toContainEqual({
      name: 'data',
      mountPath: '/bitnami/postgresql',
      readOnly: true,
    });
  });

  test('only sleeps, in the images that the downtime needs, and would do nothing after that', async () => {
    const { spec } = await made();
    const inOrder = [...(spec.initContainers ?? []), ...spec.containers];
    expect(inOrder.map(({ image, command }) => [image, command])).toEqual([
      ['server:14', ['true']],
      ['upgrade:12-14', ['sleep', '5000']],
      ['upgrade:12-14', ['true']],
    ]);
  });

  test.each<[string, V1PodStatus, boolean]>([
    ['while it sleeps', { phase: 'Pending', initContainerStatuses: [status({ running: {} })] }, true],
    ['before it sleeps', { phase: 'Pending', initContainerStatuses: [status({ waiting: {} })] }, false],
    [
      'once it has slept',
      { phase: 'Running', initContainerStatuses: [status({ terminated: { exitCode: 0 } })] },
      false,
    ],
    ['when it was evicted', { phase: 'Failed', initContainerStatuses: [status({ running: {} })] }, false],
    ['while nothing is known of it', { phase: 'Pending' }, false],
  ])('is at work %s: %j', async (_when, now, is) => {
    const { spec } = await made();
    expect(isAsleep({ spec, status: now })).toBe(is);
  });

  test('passes Pod Security "restricted", has no token, and asks for next to nothing', async () => {
    const { spec } = await made();
    expect(spec).toMatchObject({ automountServiceAccountToken: false, terminationGracePeriodSeconds: 0 });
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const { securityContext, resources } of [...(spec.initContainers ?? []), ...spec.containers]) {
      expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
      expect(resources).toEqual({ requests: { cpu: '1m', memory: '8Mi' }, limits: { cpu: '50m', memory: '32Mi' } });
    }
  });

  test("runs on the node of the server's pod alone, and draws PostgreSQL's pod to it", async () => {
    const { spec } = await made({ tolerations: [{ key: 'dedicated', operator: 'Exists' }] });
    const { nodeAffinity, podAffinity } = spec.affinity ?? {};
    expect(nodeAffinity).toEqual({
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }] }],
      },
    });
    expect(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toBeUndefined();
    expect(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.[0]?.podAffinityTerm).toEqual({
      labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'postgresql' } },
      topologyKey: 'kubernetes.io/hostname',
    });
    expect(spec.tolerations).toEqual([{ key: 'dedicated', operator: 'Exists' }]);
  });

  test('carries none of the labels by which a Service or a controller finds the server', async () => {
    const { template, anchor } = await made();
    for (const labels of [template.metadata?.labels, anchor.metadata?.labels])
      expect(labels).toEqual({
        'app.kubernetes.io/managed-by': 'circleci-server-postgresql-upgrade',
        'app.kubernetes.io/name': anchorName,
      });
  });

  test('ends by itself, is never made again, and goes with its Job', async () => {
    const { anchor, spec } = await made();
    expect(anchor.spec).toMatchObject({ activeDeadlineSeconds: 5000, backoffLimit: 0, ttlSecondsAfterFinished: 60 });
    expect(spec.restartPolicy).toBe('Never');
  });

  test('lives longer than the longest downtime by the limits of the inputs', () => {
    const minutes = 5 + 0.5 + 5 + 10 + 30 + 10 + 120 + 10;
    expect(anchorLifetime(inputs())).toBe((minutes + 60) * 60);
    expect(anchorLifetime(inputs({ 'job-timeout': '6h' }))).toBe((minutes + 60 + 240) * 60);
  });

  test("is not taken for a Job at work on the volume, whose names begin with the upgrade Job's", () => {
    expect(anchorName.startsWith(jobName)).toBe(false);
  });

  test('is recognised by its containers, which nobody can change', async () => {
    const { anchor } = await made();
    expect(isOurAnchor(anchor)).toBe(true);
    expect(isOurAnchor(job(anchorName, 1))).toBe(false);
  });

  test('can be on no other node than the server, and on none beside a claim for one pod', async () => {
    expect(anchorNode(await target())).toBe('node-1');
    expect(anchorNode(await target(statefulSet(), { pod: undefined }))).toBeUndefined();
    const { volume } = await target();
    const spec = { ...claim().spec, accessModes: ['ReadWriteOncePod'] };
    const ofOnePod = { ...volume, claim: { ...volume.claim, spec } };
    expect(anchorNode(await target(statefulSet(), { volume: ofOnePod }))).toBeUndefined();
  });
});
