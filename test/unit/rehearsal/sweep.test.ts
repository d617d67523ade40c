// A copy whose StorageClass retains volumes: a volume that comes after its claim is deleted stays in the storage, and no name leads to it.
import { describe, expect, test } from '@jest/globals';
import { rehearsalClaim, rehearsalName } from '../../../src/objects/rehearsal.ts';
import { sweep } from '../../../src/rehearsal/sweep.ts';
import { namespace } from '../objects.ts';
import { setUp } from '../upgrade/context.ts';

const selectedNode = 'volume.kubernetes.io/selected-node';
const provisioner = 'volume.kubernetes.io/storage-provisioner';

interface Storage {
  readonly annotations?: Record<string, string>;
  readonly reclaimPolicy?: string;
  readonly volumeBindingMode?: string;
  /** Milliseconds after which the volume is there. */
  readonly takes?: number;
}

/** A claim whose volume is being made. */
async function making({ annotations = {}, takes = Infinity, ...storageClass }: Storage, waits = true) {
  const setting = await setUp(undefined, { 'snapshot-timeout': '60s' });
  const { cluster, clock, context } = setting;
  const mark = { runId: 'https://github.example/o/r/actions/runs/1/attempts/1', begunAt: clock.now() };
  const name = rehearsalName(context.target);
  const wanted = rehearsalClaim(context.target, { kind: 'VolumeSnapshot', name }, mark);
  const metadata = { ...wanted.metadata, annotations: { ...wanted.metadata?.annotations, ...annotations } };
  const storageClassName = 'fast';
  cluster.put('persistentvolumeclaims', { ...wanted, metadata, spec: { ...wanted.spec, storageClassName } });
  const uid = cluster.peek('persistentvolumeclaims', name, namespace)?.metadata?.uid ?? '';
  const volume = `pvc-${uid}`;
  const ofClass = { metadata: { name: storageClassName }, provisioner: 'csi.example.com' };
  cluster.put('storageclasses', { ...ofClass, ...storageClass });
  cluster.hooks.push(() => {
    const claim = cluster.look('persistentvolumeclaims', name, namespace);
    const made = cluster.look('persistentvolumes', volume);
    if (claim === undefined && made?.spec?.persistentVolumeReclaimPolicy === 'Delete')
      cluster.remove('persistentvolumes', volume);
    if (claim === undefined || made !== undefined || clock.monotonic() < takes) return;
    const claimRef = { name, namespace, uid };
    cluster
      .put('persistentvolumes', {
        metadata: { name: volume },
        spec: { persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete', claimRef },
      })
      .put('persistentvolumeclaims', { ...claim, spec: { ...claim.spec, volumeName: volume } });
  });
  cluster.calls.length = 0;
  const swept = await sweep({ ...context, cluster }, { waits });
  return { ...setting, swept, volume, waited: clock.monotonic() };
}

describe('the volume of a copy whose class retains it', () => {
  test.each([
    ['for a pod', { annotations: { [selectedNode]: 'node-1' }, volumeBindingMode: 'WaitForFirstConsumer' }],
    ['at once', { annotations: { [provisioner]: 'csi.example.com' }, volumeBindingMode: 'Immediate' }],
  ])('and makes it %s is waited for, and goes with its claim', async (_when, storage) => {
    const { cluster, swept, volume } = await making({ ...storage, reclaimPolicy: 'Retain', takes: 5000 });
    expect(swept).toEqual({ removed: [expect.stringContaining('persistentvolumeclaims/')], late: undefined });
    await cluster.version();
    expect(cluster.peek('persistentvolumes', volume)).toBeUndefined();
  });

  test('and never makes it is told, with its name', async () => {
    const { swept, volume, log } = await making({ annotations: { [selectedNode]: 'node-1' }, reclaimPolicy: 'Retain' });
    expect(swept.removed).toHaveLength(1);
    expect([swept.late?.what, swept.late?.remedy]).toEqual([
      expect.stringContaining(volume),
      expect.stringContaining(`kubectl patch persistentvolume ${volume}`),
    ]);
    expect(JSON.stringify(log.annotations)).toContain('Timed out after 60 s waiting for the volume of');
  });

  test.each([
    ['that waits for a pod which never came', { volumeBindingMode: 'WaitForFirstConsumer', reclaimPolicy: 'Retain' }],
    ['that Kubernetes deletes with its claim', { annotations: { [selectedNode]: 'node-1' }, reclaimPolicy: 'Delete' }],
  ])('is not waited for %s', async (_which, storage) => {
    const { swept, waited } = await making(storage);
    expect([swept.removed.length, swept.late]).toEqual([1, undefined]);
    expect(waited).toBe(0);
  });

  test('stays with its claim where nobody may wait: only the name of the claim leads to it', async () => {
    const storage = { annotations: { [selectedNode]: 'node-1' }, reclaimPolicy: 'Retain' };
    const { cluster, swept, waited } = await making(storage, false);
    expect([swept.removed, waited]).toEqual([[], 0]);
    expect(swept.late?.what).toContain('PersistentVolumeClaim data-postgresql-0-rehearsal stays for now');
    expect(cluster.peek('persistentvolumeclaims', 'data-postgresql-0-rehearsal', namespace)).toBeDefined();
  });
});
