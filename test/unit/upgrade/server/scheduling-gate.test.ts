import { describe, expect, test } from '@jest/globals';
import { gateAndStop, ungateAndStart } from '../../../../src/upgrade/server/scheduling-gate.ts';
import { schedulingGate } from '../../../../src/objects/scheduling-gate.ts';
import { cluster, namespace, newImage, oldImage, serverContainer, serverPod, statefulSet } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp } from '../context.ts';

const gatesPath = '/spec/template/spec/schedulingGates';
const uid = { op: 'test', path: '/metadata/uid', value: 'uid-of-statefulset' };
const ours = { name: schedulingGate };
const other = { name: 'example.com/other' };

function gated(...gates: { name: string }[]) {
  return cluster(statefulSet({ schedulingGates: gates }, { replicas: 0 }));
}

async function patchOf(act: typeof gateAndStop, from: ReturnType<typeof cluster>) {
  const setting = await setUp(from);
  await act(setting.context);
  return setting.cluster.patchesOf('statefulsets', 'postgresql');
}

const start = (image: string) => (context: Parameters<typeof gateAndStop>[0]) => ungateAndStart(context, image);

describe('the scheduling gate', () => {
  test('goes up with the scale to 0 in one patch: alone it would roll the pod', async () => {
    expect(await patchOf(gateAndStop, cluster())).toEqual([
      [uid, { op: 'add', path: '/spec/replicas', value: 0 }, { op: 'add', path: gatesPath, value: [ours] }],
    ]);
  });

  test('that is up stays as it is', async () => {
    expect(await patchOf(gateAndStop, gated(other, ours))).toEqual([
      [uid, { op: 'add', path: '/spec/replicas', value: 0 }],
    ]);
  });

  test('goes up beside the gates of others', async () => {
    const operations = await patchOf(gateAndStop, gated(other));
    expect(operations[0]).toContainEqual({ op: 'add', path: gatesPath, value: [other, ours] });
  });

  test('that the API server drops in silence ends the upgrade', async () => {
    const setting = await setUp();
    const patch = setting.cluster.patch.bind(setting.cluster);
    setting.cluster.patch = (resource, name, of, operations) =>
      patch(
        resource,
        name,
        of,
        operations.filter((o) => o.path !== gatesPath),
      );
    const error = await thrownBy(() => gateAndStop(setting.context));
    expect(error.code).toBe('gate-dropped');
    expect(error.remedy.text).toContain('1.27');
  });

  test('is not put on another StatefulSet of that name', async () => {
    const setting = await setUp();
    setting.cluster.hooks.push((call) => {
      const now = statefulSet();
      if (call.method === 'patch')
        setting.cluster.put('statefulsets', { ...now, metadata: { ...now.metadata, uid: 'another' } });
    });
    await expect(gateAndStop(setting.context)).rejects.toMatchObject({ code: 'invalid' });
    expect(setting.cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.replicas).toBe(1);
  });

  test('a StatefulSet that is gone is told', async () => {
    const setting = await setUp();
    setting.cluster.remove('statefulsets', 'postgresql', namespace);
    for (const act of [gateAndStop, start(newImage)]) {
      const error = await thrownBy(() => act(setting.context));
      expect(error.code).toBe('statefulset-gone');
      expect(error.message).toContain('postgresql');
    }
  });
});

describe('removing the scheduling gate', () => {
  const image = { op: 'replace', path: '/spec/template/spec/containers/0/image', value: newImage };
  const replicas = { op: 'add', path: '/spec/replicas', value: 1 };

  test('sets image, gates and replicas in one patch', async () => {
    expect(await patchOf(start(newImage), gated(ours))).toEqual([
      [uid, image, { op: 'add', path: gatesPath, value: [] }, replicas],
    ]);
  });

  test('keeps the gates of others', async () => {
    expect(await patchOf(start(newImage), gated(other, ours))).toEqual([
      [uid, image, { op: 'add', path: gatesPath, value: [other] }, replicas],
    ]);
  });

  test('changes only what is not so yet', async () => {
    expect(await patchOf(start(oldImage), cluster())).toEqual([[uid, replicas]]);
  });

  test("finds the server's container among others", async () => {
    const sidecar = { name: 'metrics', image: 'exporter:1' };
    const from = cluster(statefulSet({ containers: [sidecar, serverContainer()] }));
    const [operations] = await patchOf(start(newImage), from);
    expect(operations).toContainEqual({ ...image, path: '/spec/template/spec/containers/1/image' });
    expect(from.peek('statefulsets', 'postgresql', namespace)?.spec?.template.spec?.containers).toMatchObject([
      sidecar,
      { name: 'postgresql', image: newImage },
    ]);
  });

  test('brings back the replicas of the journal, not those of now', async () => {
    const setting = await setUp(gated(ours), {}, { replicas: 0 });
    await ungateAndStart(setting.context, oldImage);
    expect(setting.cluster.patchesOf('statefulsets', 'postgresql')[0]).toContainEqual({ ...replicas, value: 0 });
  });

  test('removes a pod that somebody made meanwhile: it keeps its gate', async () => {
    const setting = await setUp(gated(ours));
    const pod = serverPod();
    setting.cluster.put('pods', { ...pod, spec: { containers: [], schedulingGates: [ours] } });
    await ungateAndStart(setting.context, newImage);
    expect(setting.cluster.writes).toEqual(['patch statefulsets/postgresql', 'delete pods/postgresql-0']);
    expect(setting.log.text).toContain('somebody else scaled PostgreSQL up');
  });

  test('leaves a pod without our gate alone', async () => {
    const setting = await setUp(gated(ours));
    await ungateAndStart(setting.context, newImage);
    expect(setting.cluster.peek('pods', 'postgresql-0', namespace)).toBeDefined();
  });

  test('up and down again leaves the StatefulSet as it was', async () => {
    const setting = await setUp();
    const specOf = () => setting.cluster.peek('statefulsets', 'postgresql', namespace)?.spec;
    const before = specOf();
    await gateAndStop(setting.context);
    await ungateAndStart(setting.context, oldImage);
    expect(specOf()).toEqual(before);
  });
});
