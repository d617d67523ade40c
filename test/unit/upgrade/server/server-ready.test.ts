import type { V1ContainerState } from '@kubernetes/client-node';
import { describe, expect, test } from '@jest/globals';
import { isReady } from '../../../../src/upgrade/server/server-ready.ts';
import { activate } from '../../../../src/upgrade/steps/activate.ts';
import { removeTraces } from '../../../../src/upgrade/steps/finish.ts';
import { awaitReady } from '../../../../src/upgrade/steps/ready.ts';
import { ClusterError } from '../../../../src/common/errors.ts';
import { fencingTokenLabel } from '../../../../src/objects/fencing-token.ts';
import { lookAgainAnnotation } from '../../../../src/objects/look-again.ts';
import { namespace, newImage } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { controlStatefulSet, setUp, type Setting } from '../context.ts';
import { live } from '../live.ts';

const running: V1ContainerState = { running: {} };
const podOf = ({ cluster }: Setting) => cluster.peek('pods', 'postgresql-0', namespace);
const asked = ({ state }: Setting) => state.statements.filter((statement) => statement.includes('listensTo')).length;

/** The kubelet reports this of PostgreSQL 14's container, and of its readiness nothing yet. */
function report({ cluster }: Setting, state: V1ContainerState, restartCount = 0): void {
  cluster.hooks.push(() => {
    const pod = cluster.look('pods', 'postgresql-0', namespace);
    if (pod?.spec?.containers[0]?.image !== newImage || pod.status?.containerStatuses !== undefined) return;
    const container = { name: 'postgresql', image: newImage, imageID: '', ready: false, restartCount, state };
    cluster.put('pods', { ...pod, status: { phase: 'Running', containerStatuses: [container] } });
  });
}

async function started(state: V1ContainerState = running, restarts = 0): Promise<Setting> {
  const setting = await setUp();
  controlStatefulSet(setting);
  report(setting, state, restarts);
  return setting;
}

describe('PostgreSQL 14 whose pod is not ready yet', () => {
  test('is asked as soon as its container runs', async () => {
    const setting = await started();
    await activate.run(setting.context);
    expect(setting.log.text).toContain('PostgreSQL 14.22 answers');
    expect(podOf(setting)?.status?.conditions).toBeUndefined();
  });

  test('is not asked before its container runs', async () => {
    const setting = await started({ waiting: { reason: 'PodInitializing' } });
    setting.clock.meanwhile = () => {
      expect(asked(setting)).toBe(0);
      const pod = podOf(setting);
      const [status] = pod?.status?.containerStatuses ?? [];
      if (pod !== undefined && status !== undefined)
        setting.cluster.put('pods', { ...pod, status: { containerStatuses: [{ ...status, state: running }] } });
    };
    await activate.run(setting.context);
    expect(asked(setting)).toBe(1);
    expect(setting.log.text).toContain('PodInitializing');
  });

  test('is asked again while it starts up', async () => {
    const setting = await started();
    const { state, clock } = setting;
    state.refuse = [{ statement: /listensTo/, message: 'the database system is starting up' }];
    clock.meanwhile = (elapsed) => (state.refuse = elapsed < 1000 ? state.refuse : []);
    await activate.run(setting.context);
    expect(asked(setting)).toBeGreaterThan(5);
    expect(setting.log.text).toContain('the database system is starting up');
  });

  test.each(['', 'localhost', '127.0.0.1, ::1'])(
    'is not taken for the server while only its own pod reaches it (listen_addresses: "%s")',
    async (addresses) => {
      const setting = await started();
      const { state, clock } = setting;
      state.listensTo = addresses;
      clock.meanwhile = (elapsed) => (state.listensTo = elapsed < 1000 ? state.listensTo : '*');
      await activate.run(setting.context);
      expect(asked(setting)).toBeGreaterThan(5);
      expect(setting.log.text).toContain('it does not listen to other pods yet');
    },
  );

  test('whose container was restarted twice ends it, with its log', async () => {
    const setting = await started(running, 2);
    setting.cluster.onLog = () => 'FATAL:  could not open file "global/pg_filenode.map"\n';
    const error = await thrownBy(() => activate.run(setting.context));
    expect(error.code).toBe('server-does-not-start');
    expect(error.message).toContain('pg_filenode.map');
    expect(asked(setting)).toBe(0);
  });

  test('of which somebody else has set the image ends it', async () => {
    const setting = await started({ waiting: { reason: 'ContainerCreating' } });
    const { cluster, clock } = setting;
    clock.meanwhile = () => {
      const path = '/spec/template/spec/containers/0/image';
      void cluster.patch('statefulsets', 'postgresql', namespace, [{ op: 'replace', path, value: 'another:image' }]);
    };
    expect((await thrownBy(() => activate.run(setting.context))).code).toBe('image-changed');
  });
});

describe('the readiness probe of PostgreSQL 14', () => {
  /** The kubelet asks it at each change of the pod, from a time on. */
  async function probed(from: number): Promise<{ setting: Setting; nudges: string[] }> {
    const setting = await started();
    const { cluster, clock } = setting;
    await activate.run(setting.context);
    const nudges: string[] = [];
    cluster.hooks.push(({ method, resource, body }) => {
      if (method === 'patch' && resource === 'pods' && JSON.stringify(body).includes('look-again'))
        nudges.push(clock.now().toISOString());
    });
    const begun = clock.monotonic();
    clock.meanwhile = () => {
      const pod = podOf(setting);
      if (pod?.metadata?.annotations?.[lookAgainAnnotation] === undefined || clock.monotonic() - begun < from) return;
      cluster.put('pods', { ...pod, status: { ...pod.status, conditions: [{ type: 'Ready', status: 'True' }] } });
    };
    return { setting, nudges };
  }

  test('is asked again each second until the pod is ready, and no mark stays', async () => {
    const { setting, nudges } = await probed(3500);
    await awaitReady.run(setting.context);
    expect(nudges.length).toBeGreaterThanOrEqual(3);
    expect(nudges.length).toBeLessThanOrEqual(5);
    await removeTraces(setting.context);
    expect(podOf(setting)?.metadata?.annotations?.[lookAgainAnnotation]).toBeUndefined();
    expect(podOf(setting)?.metadata?.labels?.[fencingTokenLabel]).toBeUndefined();
  });

  test('is left to the kubelet where nobody may change the pod', async () => {
    const { setting } = await probed(0);
    const { cluster, clock, log } = setting;
    let refused = 0;
    cluster.hooks.push(({ method, resource }) => {
      if (method !== 'patch' || resource !== 'pods') return;
      refused++;
      throw new ClusterError('forbidden', 'pods "postgresql-0" is forbidden', '');
    });
    clock.meanwhile = (elapsed) => {
      const pod = podOf(setting);
      if (pod === undefined || elapsed < 5000) return;
      cluster.put('pods', { ...pod, status: { ...pod.status, conditions: [{ type: 'Ready', status: 'True' }] } });
    };
    await awaitReady.run(setting.context);
    expect(refused).toBe(1);
    expect(log.text).toContain('Could not ask the kubelet to look at the readiness probe again');
  });
});

test('PostgreSQL 14 that is ready counts, whatever it listens to; what it refuses then ends it at once', async () => {
  const setting = await setUp();
  controlStatefulSet(setting);
  setting.state.listensTo = 'localhost';
  await activate.run(setting.context);
  setting.clock.pauses.length = 0;
  setting.state.refuse = [{ statement: /listensTo/, message: 'password authentication failed' }];
  expect((await thrownBy(() => activate.run(setting.context))).message).toContain('password authentication failed');
  expect(setting.clock.pauses).toEqual([]);
});

test('the data is compared before the pod of PostgreSQL 14 is ready, and applications are restarted after it', async () => {
  const setting = await live();
  const { cluster, clock, log } = setting;
  report(setting, running);
  const seen: string[] = [];
  cluster.hooks.push(({ method, name, body }) => {
    const pod = podOf(setting);
    if (pod?.spec?.containers[0]?.image !== newImage) return;
    const isRestart = method === 'patch' && name === 'frontend' && JSON.stringify(body).includes('/spec/replicas');
    if (isRestart) seen.push(isReady(pod) ? 'restarted when ready' : 'restarted too early');
  });
  let comparedAt: boolean | undefined;
  clock.meanwhile = () => {
    const pod = podOf(setting);
    if (pod === undefined || isReady(pod) || !log.text.includes('to be ready: Running')) return;
    comparedAt = log.text.includes('The data is as measured before the upgrade');
    cluster.put('pods', { ...pod, status: { ...pod.status, conditions: [{ type: 'Ready', status: 'True' }] } });
  };
  await setting.begin();
  expect(comparedAt).toBe(true);
  expect(new Set(seen)).toEqual(new Set(['restarted when ready']));
});
