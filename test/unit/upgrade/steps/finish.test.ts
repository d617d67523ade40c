import { describe, expect, test } from '@jest/globals';
import type { V1ManagedFieldsEntry } from '@kubernetes/client-node';
import { answerError } from '../../../../src/adapters/api-error.ts';
import { fieldManager } from '../../../../src/common/field-manager.ts';
import { snapshotObject } from '../../../../src/objects/snapshot.ts';
import { jobName } from '../../../../src/objects/upgrade-job.ts';
import { lookAgainAnnotation } from '../../../../src/objects/look-again.ts';
import { finish, removeTraces } from '../../../../src/upgrade/steps/finish.ts';
import { claim, cluster, deployment, namespace, statefulSet } from '../../objects.ts';
import { fencingTokenLabel } from '../../../../src/objects/fencing-token.ts';
import { setUp, type Setting } from '../context.ts';

function entry(manager: string, operation = 'Update'): V1ManagedFieldsEntry {
  return { manager, operation, apiVersion: 'apps/v1' };
}

const helm = entry('helm', 'Apply');
const controller = entry('kube-controller-manager');
const ours = entry(fieldManager);

async function managedBy(...managedFields: V1ManagedFieldsEntry[]): Promise<Setting> {
  const postgresql = statefulSet();
  postgresql.metadata = { ...postgresql.metadata, managedFields };
  return await setUp(cluster(postgresql), {}, { applications: [] });
}

function left({ cluster: of }: Setting) {
  return of.peek('statefulsets', 'postgresql', namespace)?.metadata?.managedFields;
}

describe('traces of ownership', () => {
  test.each([
    [
      [helm, ours, controller],
      [helm, controller],
    ],
    [
      [ours, helm, ours, controller, ours],
      [helm, controller],
    ],
    [[helm, ours], [helm]],
    [
      [helm, controller],
      [helm, controller],
    ],
  ])('of %j leave %j', async (before, after) => {
    const setting = await managedBy(...before);
    await removeTraces(setting.context);
    expect(left(setting)).toEqual(after);
    expect(setting.context.results.warnings).toEqual([]);
  });

  test('go from a claim too that was made anew for another volume', async () => {
    const { metadata, ...rest } = claim();
    const labels = { app: 'postgresql', [fencingTokenLabel]: '7' };
    const setting = await setUp();
    setting.cluster.put('persistentvolumeclaims', {
      ...rest,
      metadata: { ...metadata, labels, managedFields: [ours] },
    });
    const { namespace: of = '', name = '' } = metadata ?? {};
    const renewed = { metadata: { name, namespace: of, labels: {}, annotations: {} }, spec: { volumeName: 'pv-2' } };
    await setting.context.journal.note('exchange', { claim: renewed, volume: 'pv-2', former: 'pv-1' });
    await removeTraces(setting.context);
    const now = setting.cluster.peek('persistentvolumeclaims', 'data-postgresql-0', namespace)?.metadata;
    expect([now?.labels, now?.managedFields]).toEqual([{ app: 'postgresql' }, []]);
  });

  test('are removed from the last to the first, each only if it is still there', async () => {
    const setting = await managedBy(ours, helm, ours);
    await removeTraces(setting.context);
    expect(setting.cluster.patchesOf('statefulsets', 'postgresql')).toEqual([
      [
        { op: 'test', path: '/metadata/managedFields/2/manager', value: fieldManager },
        { op: 'remove', path: '/metadata/managedFields/2' },
        { op: 'test', path: '/metadata/managedFields/0/manager', value: fieldManager },
        { op: 'remove', path: '/metadata/managedFields/0' },
      ],
    ]);
  });

  test('of an object without any are none, and nothing is written', async () => {
    const setting = await setUp();
    await removeTraces(setting.context);
    expect(setting.cluster.writes).toEqual([]);
  });

  test('go from every object that was changed', async () => {
    const setting = await setUp();
    const metadata = { name: 'frontend', namespace, managedFields: [ours, helm] };
    setting.cluster.put('deployments', deployment('frontend', 3, { metadata }));
    await removeTraces(setting.context);
    expect(setting.cluster.peek('deployments', 'frontend', namespace)?.metadata?.managedFields).toEqual([helm]);
  });

  test('whose indexes moved meanwhile are read again', async () => {
    const setting = await managedBy(helm, ours, controller);
    let moved = false;
    setting.cluster.hooks.push((call) => {
      if (call.method !== 'patch' || moved) return;
      moved = true;
      const now = statefulSet();
      setting.cluster.put('statefulsets', {
        ...now,
        metadata: { ...now.metadata, managedFields: [controller, helm, controller, ours] },
      });
    });
    await removeTraces(setting.context);
    expect(left(setting)).toEqual([controller, helm, controller]);
    expect(setting.context.results.warnings).toEqual([]);
  });

  test("go from the content of the backup's snapshot, with what made it be looked at again", async () => {
    const { cluster, context } = await setUp();
    const snapshot = snapshotObject(context.target, 'before-upgrade', '20260102030405', 'csi-class');
    const { name } = snapshot.metadata;
    const labels = { [fencingTokenLabel]: '7', theirs: 'stays' };
    const annotations = { [lookAgainAnnotation]: '2026-01-02T03:04:06.000Z', theirs: 'stays' };
    cluster
      .put('volumesnapshots', { ...snapshot, status: { boundVolumeSnapshotContentName: 'content' } })
      .put('volumesnapshotcontents', {
        metadata: { name: 'content', labels, annotations, ...{ managedFields: [ours, controller] } },
        spec: { deletionPolicy: 'Retain', volumeSnapshotRef: { name, namespace } },
      });
    await context.journal.note('backup', name);
    await removeTraces(context);
    const now = cluster.peek('volumesnapshotcontents', 'content');
    expect(now?.metadata).toMatchObject({
      ...{ labels: { theirs: 'stays' }, annotations: { theirs: 'stays' }, managedFields: [controller] },
    });
    expect(now?.spec.deletionPolicy).toBe('Retain');
  });

  test('stay on the content of another snapshot, and where snapshots can not be read', async () => {
    const { cluster, context } = await setUp();
    const snapshot = snapshotObject(context.target, 'before-upgrade', '20260102030405', 'csi-class');
    const labels = { [fencingTokenLabel]: '7' };
    cluster
      .put('volumesnapshots', { ...snapshot, status: { boundVolumeSnapshotContentName: 'content' } })
      .put('volumesnapshotcontents', {
        metadata: { name: 'content', labels },
        spec: { deletionPolicy: 'Retain', volumeSnapshotRef: { name: 'another', namespace } },
      });
    await context.journal.note('backup', snapshot.metadata.name);
    await removeTraces(context);
    expect(cluster.peek('volumesnapshotcontents', 'content')?.metadata.labels).toEqual(labels);
    cluster.refuse('find', 'volumesnapshots', 403, 'forbidden');
    await removeTraces(context);
    expect(context.results.warnings).toEqual([]);
  });

  test('that can not be removed are a warning, and stop nothing', async () => {
    const setting = await managedBy(helm, ours);
    setting.cluster.refuse('patch', 'statefulsets', 403, 'admission webhook denied the request');
    await removeTraces(setting.context);
    expect(setting.context.results.warnings).toHaveLength(1);
    expect(setting.context.results.warnings[0]).toContain('statefulsets/postgresql');
    expect(setting.context.results.warnings[0]).toContain('admission webhook denied');
    expect(setting.cluster.patchesOf('statefulsets', 'postgresql').length).toBeLessThanOrEqual(5);
  });
});

describe('the end of an upgrade', () => {
  test('keeps the Job as a log', async () => {
    const setting = await managedBy(helm, ours);
    setting.cluster.put('jobs', { metadata: { name: jobName, namespace } });
    await finish.run(setting.context);
    expect(setting.cluster.peek('jobs', jobName, namespace)).toBeDefined();
    expect(left(setting)).toEqual([helm]);
  });

  test('a trace that stays is a warning', async () => {
    const setting = await managedBy(ours);
    setting.cluster.hooks.push((call) => {
      if (call.method === 'find' && call.resource === 'statefulsets') throw answerError('read', 500, '');
    });
    await finish.run(setting.context);
    expect(setting.context.results.warnings[0]).toContain('statefulsets/postgresql');
  });
});
