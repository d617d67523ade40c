import { describe, expect, test } from '@jest/globals';
import type { V1ContainerState, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { disruptionOf, isSilent, podProgress } from '../../../src/job/follow-pod.ts';

function progress(state: V1ContainerState | undefined, status: Partial<V1PodStatus> = {}) {
  const of = { name: 'pg-upgrade', image: '', imageID: '', ready: false, restartCount: 0 };
  const sidecar = { ...of, name: 'sidecar', state: { terminated: { exitCode: 9 } } };
  const pod: V1Pod = {
    status: { ...status, ...(state === undefined ? {} : { containerStatuses: [sidecar, { ...of, state }] }) },
  };
  return podProgress(pod, 'pg-upgrade');
}

describe('the progress of a pod', () => {
  test('that has no status yet: it waits', () => {
    expect(podProgress({}, 'pg-upgrade')).toEqual({ state: 'waiting', reason: 'Pending' });
  });

  test('that can not be scheduled: it waits, and says why', () => {
    const message = '0/3 nodes are available: 3 node(s) had volume node affinity conflict.';
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];
    expect(progress(undefined, { phase: 'Pending', conditions })).toEqual({
      state: 'waiting',
      reason: `Unschedulable: ${message}`,
    });
  });

  test.each(['ContainerCreating', 'PodInitializing'])('in %s: it waits', (reason) => {
    expect(progress({ waiting: { reason } }, { phase: 'Pending' })).toEqual({ state: 'waiting', reason });
  });

  test.each([
    'ErrImagePull',
    'ImagePullBackOff',
    'InvalidImageName',
    'CreateContainerConfigError',
    'CreateContainerError',
    'ErrImageNeverPull',
  ])('in %s: it is stuck, and says why', (reason) => {
    expect(progress({ waiting: { reason, message: 'pull access denied' } }, { phase: 'Pending' })).toEqual({
      state: 'stuck',
      reason: `${reason}: pull access denied`,
    });
  });

  test('that runs', () => {
    expect(progress({ running: {} }, { phase: 'Running' })).toEqual({ state: 'running' });
  });

  test('that ended well, with its message', () => {
    expect(
      progress({ terminated: { exitCode: 0, reason: 'Completed', message: '{}' } }, { phase: 'Succeeded' }),
    ).toEqual({
      state: 'ended',
      exitCode: 0,
      reason: 'Completed',
      terminationMessage: '{}',
      container: 'pg-upgrade',
    });
  });

  describe('whose init container', () => {
    function initialising(state: V1ContainerState, status: Partial<V1PodStatus> = { phase: 'Pending' }) {
      const first = { name: 'dump', image: '', imageID: '', ready: false, restartCount: 0, state };
      return progress({ waiting: { reason: 'PodInitializing' } }, { ...status, initContainerStatuses: [first] });
    }

    test('runs: it waits for that', () => {
      expect(initialising({ running: {} })).toEqual({ state: 'waiting', reason: 'container dump runs' });
    });

    test('has ended well: it waits for the next one', () => {
      expect(initialising({ terminated: { exitCode: 0 } })).toEqual({ state: 'waiting', reason: 'PodInitializing' });
    });

    test('can not be run: it is stuck, and says why', () => {
      const waiting = { reason: 'ImagePullBackOff', message: 'pull access denied' };
      expect(initialising({ waiting })).toEqual({ state: 'stuck', reason: 'ImagePullBackOff: pull access denied' });
    });

    test('failed: that is its end, and whose', () => {
      expect(initialising({ terminated: { exitCode: 137, reason: 'OOMKilled' } }, { phase: 'Failed' })).toEqual({
        state: 'ended',
        exitCode: 137,
        reason: 'OOMKilled',
        terminationMessage: undefined,
        container: 'dump',
      });
    });
  });

  test('that was killed, without a message', () => {
    expect(progress({ terminated: { exitCode: 137, reason: 'OOMKilled' } }, { phase: 'Failed' })).toEqual({
      state: 'ended',
      exitCode: 137,
      reason: 'OOMKilled',
      terminationMessage: undefined,
      container: 'pg-upgrade',
    });
  });

  test('that was evicted: it has ended, though no container says so', () => {
    expect(progress({ running: {} }, { phase: 'Failed', reason: 'Evicted', message: 'low on memory' })).toEqual({
      state: 'ended',
      exitCode: -1,
      reason: 'Evicted: low on memory',
      terminationMessage: undefined,
      container: 'pg-upgrade',
    });
  });

  test('is that of the container asked for, not of another one', () => {
    expect(progress({ running: {} }).state).toBe('running');
  });
});

/** As the node controller leaves a pod whose node has stopped reporting: it takes the readiness away, and nothing else. */
function podOnDeadNode(state: V1ContainerState, containersReady = 'True'): V1Pod {
  const status = { name: 'pg-upgrade', image: '', imageID: '', ready: true, restartCount: 0, state };
  const conditions = [
    { type: 'Ready', status: 'False' },
    { type: 'ContainersReady', status: containersReady },
  ];
  return { spec: { nodeName: 'node-b', containers: [] }, status: { conditions, containerStatuses: [status] } };
}

describe('a node that has stopped reporting', () => {
  test('is seen on the pod that ran there', () => {
    expect(isSilent(podOnDeadNode({ running: {} }), 'pg-upgrade')).toBe(true);
  });

  test('is not suspected while the containers start, or once they have ended', () => {
    expect(isSilent(podOnDeadNode({ waiting: { reason: 'ContainerCreating' } }, 'False'), 'pg-upgrade')).toBe(false);
    expect(isSilent(podOnDeadNode({ running: {} }, 'False'), 'pg-upgrade')).toBe(false);
    expect(isSilent(podOnDeadNode({ terminated: { exitCode: 0 } }), 'pg-upgrade')).toBe(false);
    expect(isSilent({ status: { phase: 'Pending' } }, 'pg-upgrade')).toBe(false);
  });
});

describe('the disruption of a pod', () => {
  const evicted = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' };

  test('is told with its node', () => {
    const conditions = [{ ...evicted, message: 'Eviction API: evicting' }];
    expect(disruptionOf({ spec: { nodeName: 'node-b', containers: [] }, status: { conditions } })).toBe(
      'node node-b, EvictionByEvictionAPI: Eviction API: evicting',
    );
  });

  test('is none where nobody disrupted it', () => {
    expect(disruptionOf({ status: { conditions: [{ ...evicted, status: 'False' }] } })).toBeUndefined();
    expect(disruptionOf({})).toBeUndefined();
  });
});
