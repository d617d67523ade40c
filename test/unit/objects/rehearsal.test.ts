import type { V1Job } from '@kubernetes/client-node';
import { describe, expect, test } from '@jest/globals';
import { jobSettings } from '../../../src/objects/job-settings.ts';
import {
  asGuest,
  isOfRehearsal,
  rehearsalClaim,
  rehearsalJob,
  rehearsalName,
  rehearsalSnapshot,
} from '../../../src/objects/rehearsal.ts';
import { upgradeJob } from '../../../src/objects/upgrade-job.ts';
import { inputs, persistentVolume, statefulSet, target } from '../objects.ts';
import { databases, server } from '../prechecks/facts.ts';

const mark = { runId: 'https://github.example/o/r/actions/runs/1/attempts/1', begunAt: new Date(Date.UTC(2026, 0, 2)) };
const placed = { mark, followsServer: true };
const settings = { ...jobSettings(inputs(), server, databases), runId: 'run-1' };
const scripts = { 'upgrade.sh': 'echo upgrade', 'volume.sh': 'echo volume' };

/** Without names and labels, the priority, the preferred node and what it requests. */
function bare(job: V1Job) {
  const { spec } = job;
  const { affinity, priorityClassName, volumes = [], containers, ...pod } = spec?.template.spec ?? { containers: [] };
  const same = containers.map((one) => ({ ...one, resources: { ...one.resources, requests: undefined } }));
  const claims = volumes.map((volume) => ({ ...volume, persistentVolumeClaim: undefined }));
  const { annotations = {} } = spec?.template.metadata ?? {};
  const own = Object.entries(annotations).filter(([name]) => !name.startsWith('circleci-server-postgresql-upgrade/'));
  const guest = { affinity, priorityClassName };
  return {
    guest,
    job: {
      ...spec,
      template: { annotations: Object.fromEntries(own), spec: { ...pod, volumes: claims, containers: same } },
    },
  };
}

describe('the Job of a rehearsal', () => {
  test.each(['boot', 'upgrade'] as const)('is the %s Job of the upgrade but for names', async (command) => {
    const found = await target();
    const attached = command === 'upgrade' ? { node: undefined } : undefined;
    const own = rehearsalJob(found, settings, scripts, command, placed);
    expect(bare(own).job).toEqual(bare(upgradeJob(found, settings, command, scripts, attached)).job);
  });

  test('has the copy, and no other volume of the server', async () => {
    const found = await target();
    const { volumes = [] } = rehearsalJob(found, settings, scripts, 'upgrade', placed).spec?.template.spec ?? {};
    expect(volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [])).toEqual([
      rehearsalName(found),
    ]);
  });

  test('puts no pod off its node, and prefers another node than the server has', async () => {
    const found = await target(statefulSet({ priorityClassName: 'highest' }));
    const { guest } = bare(rehearsalJob(found, settings, scripts, 'upgrade', placed));
    expect(guest.priorityClassName).toBeUndefined();
    expect(guest.affinity).toEqual({
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 100,
            preference: { matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['node-1'] }] },
          },
        ],
      },
    });
  });
});

describe('beside the server on one node, a pod of a rehearsal', () => {
  const limits = { cpu: '4', memory: '2Gi' };
  test.each([
    ['less than the server', { requests: { cpu: '50m', memory: '64Mi' } }, { cpu: '50m', memory: '64Mi' }],
    [
      'its own, if the server requests more',
      { requests: { cpu: '2', memory: '4Gi' } },
      { cpu: '200m', memory: '512Mi' },
    ],
    [
      'as much as the limits of a server that has no others',
      { limits: { cpu: '150m', memory: '100Mi' } },
      { cpu: '150m', memory: '100Mi' },
    ],
    ['next to nothing, if the server requests nothing', undefined, { cpu: '1m', memory: '1Mi' }],
  ])('requests %s', async (_what, resources, expected) => {
    const found = await target();
    const container = { ...found.container, ...(resources === undefined ? {} : { resources }) };
    const pod = { ...found.pod, spec: { ...found.pod?.spec, containers: [container] } };
    const own = { name: 'pg-upgrade', resources: { requests: { cpu: '200m', memory: '512Mi' }, limits } };
    const [guest] = asGuest({ ...found, pod, container }, { containers: [own] }, true).containers;
    expect(guest?.resources).toEqual({ requests: expected, limits });
  });

  test('requests nothing where neither it nor the server has a limit', async () => {
    const own = { name: 'postgresql', resources: { requests: { cpu: '100m', memory: '128Mi' } } };
    expect(asGuest(await target(), { containers: [own] }, true).containers[0]?.resources).toEqual({ requests: {} });
  });
});

describe('a copy', () => {
  async function affinityOf(term: object, followsServer: boolean) {
    const found = await target();
    const required = { nodeSelectorTerms: [term] };
    const bound = persistentVolume();
    const volume = { ...bound, spec: { ...bound.spec, nodeAffinity: { required } } };
    const there = { ...found, volume: { ...found.volume, persistentVolume: volume } };
    const { spec } = rehearsalJob(there, settings, scripts, 'boot', { mark, followsServer }).spec?.template ?? {};
    return { required, affinity: spec?.affinity?.nodeAffinity };
  }
  const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [expect.objectContaining({ weight: 100 })] };
  const zone = { matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a'] }] };

  test.each([
    ['zone', zone],
    ['node', { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-1'] }] }],
  ])(
    'that is made where the volume of the server is has its pods in that %s, on another node if one can be chosen',
    async (_where, term) => {
      const { affinity, required } = await affinityOf(term, true);
      expect(affinity).toEqual({ ...preferred, requiredDuringSchedulingIgnoredDuringExecution: required });
    },
  );

  test('that is made before its pods has them where it is', async () => {
    expect((await affinityOf(zone, false)).affinity).toEqual(preferred);
  });
});

describe('what a rehearsal makes', () => {
  test('says whose it is, which run made it, and when', async () => {
    const found = await target();
    for (const { metadata } of [
      rehearsalSnapshot(found, 'csi-class', mark),
      rehearsalClaim(found, { kind: 'VolumeSnapshot', name: rehearsalName(found) }, mark),
      rehearsalJob(found, settings, scripts, 'boot', placed),
    ]) {
      expect(metadata?.labels).toMatchObject({
        'app.kubernetes.io/managed-by': 'circleci-server-postgresql-upgrade',
        'circleci-server-postgresql-upgrade/rehearsal': '20260102000000',
      });
      expect(metadata?.annotations).toMatchObject({ 'circleci-server-postgresql-upgrade/run': mark.runId });
    }
  });

  test('is known by more than its label, which anybody can set', async () => {
    const found = await target();
    const of = isOfRehearsal(found);
    const claim = rehearsalClaim(found, { kind: 'VolumeSnapshot', name: rehearsalName(found) }, mark);
    const snapshot = rehearsalSnapshot(found, 'csi-class', mark);
    expect([of.claim(claim), of.snapshot(snapshot)]).toEqual([true, true]);
    const dataSource = { kind: 'VolumeSnapshot', name: 'another' };
    expect(of.claim({ ...claim, spec: { ...claim.spec, dataSource } })).toBe(false);
    const source = { persistentVolumeClaimName: 'another' };
    expect(of.snapshot({ ...snapshot, spec: { source } })).toBe(false);
    expect(of.job(rehearsalJob(found, settings, scripts, 'boot', placed))).toBe(true);
    expect(of.job(upgradeJob(found, settings, 'boot', scripts))).toBe(false);
  });
});
