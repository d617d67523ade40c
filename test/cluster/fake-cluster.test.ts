/** @jest-environment ./test/cluster/bench-environment.ts */
// The double of the API server that unit tests use, held to a real one: the same calls, and the same answers.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { V1ConfigMap } from '@kubernetes/client-node';
import { connectCluster } from '../../src/adapters/cluster.ts';
import { systemClock } from '../../src/adapters/clock.ts';
import { isRunError } from '../../src/common/errors.ts';
import type { Cluster, PatchOperation } from '../../src/ports/cluster.ts';
import { FakeCluster } from '../unit/fake-cluster.ts';
import { FakeLog } from '../unit/fake-runner.ts';
import { environment, kubectl } from './bench.ts';

jest.setTimeout(5 * 60_000);

const namespace = 'fake-cluster-test';
/** More than one page of a list (src/adapters/cluster.ts). */
const many = 501;

const real = connectCluster({
  kubeconfig: environment['KUBECONFIG'] ?? '',
  context: '',
  environmentKubeconfig: '',
  patience: 15_000,
  clock: systemClock,
  log: new FakeLog(),
  mask: () => undefined,
});

beforeAll(() => {
  kubectl('delete', 'namespace', namespace, '--ignore-not-found');
  kubectl('create', 'namespace', namespace);
});

afterAll(() => {
  kubectl('delete', 'namespace', namespace, '--wait=false');
});

const configMap = (name: string, data: Record<string, string>, labels = {}): V1ConfigMap => ({
  metadata: { name, labels },
  data,
});

const patch = (cluster: Cluster, ...operations: PatchOperation[]) =>
  cluster.patch('configmaps', 'one', namespace, operations);

/** What of an answer is the same in every cluster, or the error's code. */
async function answerOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return told(await call);
  } catch (error) {
    if (!isRunError(error)) throw error;
    return error.code;
  }
}

function told(object: unknown): unknown {
  if (Array.isArray(object)) return object.map(told);
  if (typeof object !== 'object' || object === null) return object;
  const { metadata = {}, data } = object as V1ConfigMap;
  const { name, namespace: place, labels, finalizers, deletionTimestamp } = metadata;
  return { name, place, labels, finalizers, isLeaving: deletionTimestamp !== undefined, data: short(data) };
}

const short = (data: V1ConfigMap['data']) =>
  data && Object.fromEntries(Object.entries(data).map(([name, text]) => [name, text.slice(0, 20)]));

const isOther = async (cluster: Cluster, before: V1ConfigMap | undefined, field: 'uid' | 'resourceVersion') =>
  (await cluster.find('configmaps', 'one', namespace))?.metadata?.[field] !== before?.metadata?.[field];

/** Labels of a pod, as a watch saw it at its beginning and at its end. */
async function watched(cluster: Cluster, isDeleted: boolean): Promise<unknown> {
  const spec = { containers: [{ name: 'a', image: 'none' }], schedulingGates: [{ name: 'test/never' }] };
  await cluster.create('pods', { metadata: { name: 'watched', labels: { at: 'begin' } }, spec }, { namespace });
  const watch = await cluster.watchPod(namespace, 'watched');
  await cluster.patch('pods', 'watched', namespace, [{ op: 'replace', path: '/metadata/labels/at', value: 'end' }]);
  if (isDeleted) await cluster.delete('pods', 'watched', namespace);
  const end = await watch.end(isDeleted ? 10_000 : 0);
  watch.close();
  await cluster.delete('pods', 'watched', namespace);
  return [end?.before.metadata?.labels, end?.last.metadata?.labels];
}

/** Calls in their order, each of which goes by what those before it left. */
const calls: readonly (readonly [string, (cluster: Cluster) => Promise<unknown>])[] = [
  ['find: nothing there', (c) => c.find('configmaps', 'one', namespace)],
  ['watch: a pod until it is deleted', (c) => watched(c, true)],
  ['watch: a pod that stays', (c) => watched(c, false)],
  ['patch: nothing there', (c) => patch(c, { op: 'add', path: '/data/a', value: '2' })],
  ['delete: nothing there', (c) => c.delete('configmaps', 'one', namespace)],
  ['create, dry run', (c) => c.create('configmaps', configMap('one', { a: '1' }), { namespace, dryRun: true })],
  ['find: a dry run keeps nothing', (c) => c.find('configmaps', 'one', namespace)],
  ['create', (c) => c.create('configmaps', configMap('one', { a: '1' }, { team: 'x' }), { namespace })],
  ['create: it is there already', (c) => c.create('configmaps', configMap('one', { b: '1' }), { namespace })],
  ['find', (c) => c.find('configmaps', 'one', namespace)],
  [
    'patch, with a test that holds',
    (c) => patch(c, { op: 'test', path: '/data/a', value: '1' }, { op: 'add', path: '/data/a', value: '2' }),
  ],
  [
    'patch, with a test that fails: nothing is changed',
    (c) => patch(c, { op: 'add', path: '/data/b', value: '1' }, { op: 'test', path: '/data/a', value: '1' }),
  ],
  ['find: as it was', (c) => c.find('configmaps', 'one', namespace)],
  ['patch: removes what is not there', (c) => patch(c, { op: 'remove', path: '/data/z' })],
  ['patch: replaces what is not there', (c) => patch(c, { op: 'replace', path: '/data/z', value: '1' })],
  ['patch: adds below what is not there', (c) => patch(c, { op: 'add', path: '/binaryData/z', value: '1' })],
  ['patch: tests another uid', (c) => patch(c, { op: 'test', path: '/metadata/uid', value: 'none' })],
  [
    'patch: a name with a slash',
    (c) =>
      patch(c, { op: 'add', path: '/metadata/labels/example.com~1x', value: 'y' }, { op: 'remove', path: '/data/a' }),
  ],
  [
    'a patch that changes nothing makes no new version',
    async (c) => {
      const before = await c.find('configmaps', 'one', namespace);
      await patch(c, { op: 'replace', path: '/metadata/labels/team', value: 'x' });
      return isOther(c, before, 'resourceVersion');
    },
  ],
  [
    'a patch that changes something makes one, of the same object',
    async (c) => {
      const before = await c.find('configmaps', 'one', namespace);
      await patch(c, { op: 'replace', path: '/metadata/labels/team', value: 'y' });
      return [await isOther(c, before, 'resourceVersion'), await isOther(c, before, 'uid')];
    },
  ],
  ['list: by a label', (c) => c.list('configmaps', { namespace, labelSelector: 'team=y' })],
  ['list: by a label that nothing has', (c) => c.list('configmaps', { namespace, labelSelector: 'team=z' })],
  ['list: by its name', (c) => c.list('configmaps', { namespace, fieldSelector: 'metadata.name=one' })],
  ['list: metadata only', (c) => c.list('configmaps', { namespace, labelSelector: 'team', metadataOnly: true })],
  [
    'delete: another uid',
    (c) => c.delete('configmaps', 'one', namespace, { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } }),
  ],
  [
    'delete: an older version',
    (c) => c.delete('configmaps', 'one', namespace, { preconditions: { resourceVersion: '1' } }),
  ],
  ['find: it is still there', (c) => c.find('configmaps', 'one', namespace)],
  [
    'immutable: its content can not be changed',
    async (c) => {
      await patch(c, { op: 'add', path: '/immutable', value: true });
      return patch(c, { op: 'add', path: '/data', value: { c: '3' } });
    },
  ],
  ['immutable: nor can it be made mutable', (c) => patch(c, { op: 'remove', path: '/immutable' })],
  ['immutable: its labels can', (c) => patch(c, { op: 'replace', path: '/metadata/labels/team', value: 'z' })],
  [
    'delete: a finalizer keeps it',
    async (c) => {
      await patch(c, { op: 'add', path: '/metadata/finalizers', value: ['example.com/stay'] });
      await c.delete('configmaps', 'one', namespace);
      return c.find('configmaps', 'one', namespace);
    },
  ],
  [
    'patch: without its last finalizer it goes',
    (c) => patch(c, { op: 'add', path: '/metadata/finalizers', value: [] }),
  ],
  ['find: it has gone', (c) => c.find('configmaps', 'one', namespace)],
  [
    'create: the same name is another object',
    async (c) => {
      const made = await c.create('configmaps', configMap('one', {}), { namespace });
      const { uid, resourceVersion } = made.metadata ?? {};
      await c.delete('configmaps', 'one', namespace, { preconditions: { uid, resourceVersion } });
      return (await c.create('configmaps', configMap('one', {}), { namespace })).metadata?.uid === uid;
    },
  ],
  [
    'create: more than a ConfigMap holds',
    (c) => c.create('configmaps', configMap('large', { a: 'x'.repeat(1_048_577) }), { namespace }),
  ],
  ['create: a name that is none', (c) => c.create('configmaps', configMap('Not A Name', {}), { namespace })],
  [
    'list: more than a page, each once',
    async (c) => {
      const names = Array.from({ length: many }, (_, i) => `many-${String(i).padStart(4, '0')}`);
      await Promise.all(
        names.map((name) => c.create('configmaps', configMap(name, {}, { many: 'yes' }), { namespace })),
      );
      const listed = await c.list('configmaps', { namespace, labelSelector: 'many=yes' });
      return listed.map(({ metadata }) => metadata?.name).sort();
    },
  ],
];

test('the double answers as the API server does', async () => {
  const fake = new FakeCluster();
  const [ofReal, ofFake]: [unknown[], unknown[]] = [[], []];
  for (const [title, call] of calls) {
    ofReal.push([title, await answerOf(call(real))]);
    ofFake.push([title, await answerOf(call(fake))]);
  }
  expect(ofFake).toEqual(ofReal);
  // Each kind of answer was among them.
  const codes = new Set(ofReal.map((entry) => (entry as unknown[])[1]).filter((answer) => typeof answer === 'string'));
  expect([...codes].sort()).toEqual(expect.arrayContaining(['conflict', 'invalid', 'not-found']));
});
