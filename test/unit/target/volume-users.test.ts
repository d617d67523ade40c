import { describe, expect, test } from '@jest/globals';
import type { V1Pod, V1PodSpec, V1PodStatus } from '@kubernetes/client-node';
import { onlyNamesClaim, volumeUsers } from '../../../src/target/volume-users.ts';
import { cluster, namespace, target } from '../objects.ts';

function user(name: string, phase: string, claimName = 'data-postgresql-0'): V1Pod {
  return {
    metadata: { name, namespace },
    spec: { containers: [], volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] },
    status: { phase },
  };
}

describe('other users of the volume', () => {
  test('are not the server itself', async () => {
    expect(await volumeUsers(cluster(), await target())).toEqual([]);
  });

  test.each(['Running', 'Pending', 'Unknown'])('are pods that mount it and are %s', async (phase) => {
    expect(await volumeUsers(cluster().put('pods', user('debug', phase)), await target())).toEqual(['debug']);
  });

  test.each(['Succeeded', 'Failed'])('are no pods that are %s', async (phase) => {
    expect(await volumeUsers(cluster().put('pods', user('debug', phase)), await target())).toEqual([]);
  });

  test('are no pods with other volumes, or none', async () => {
    const from = cluster().put('pods', user('other', 'Running', 'another-claim'), {
      metadata: { name: 'bare', namespace },
    });
    expect(await volumeUsers(from, await target())).toEqual([]);
  });

  test('that may not be listed are not reported as none', async () => {
    const from = cluster().refuse('list', 'pods', 403, 'pods is forbidden');
    await expect(volumeUsers(from, await target())).rejects.toMatchObject({ code: 'forbidden' });
  });

  describe('and the anchor', () => {
    const anchor = { ...user('anchor', 'Running'), metadata: { name: 'anchor', namespace, uid: 'uid-of-anchor' } };
    const mount = { name: 'c', volumeMounts: [{ name: 'v', mountPath: '/data' }] };

    test('are told apart by its UID', async () => {
      const pods = cluster().put('pods', anchor);
      expect(await volumeUsers(pods, await target(), 'uid-of-anchor')).toEqual([]);
      expect(await volumeUsers(pods, await target(), 'uid-of-another')).toEqual(['anchor']);
      expect(await volumeUsers(pods, await target())).toEqual(['anchor']);
    });

    test.each([
      ['a container', { containers: [mount] }],
      [
        'a container, as a device',
        { containers: [{ name: 'c', volumeDevices: [{ name: 'v', devicePath: '/dev/v' }] }] },
      ],
      ['an init container', { initContainers: [mount] }],
      ['an ephemeral container', { ephemeralContainers: [mount] }],
    ])('are the same where %s has the volume', async (_what, more) => {
      const using = { ...anchor, spec: { containers: [], ...anchor.spec, ...more } };
      expect(onlyNamesClaim(using, 'data-postgresql-0')).toBe(false);
      expect(await volumeUsers(cluster().put('pods', using), await target(), 'uid-of-anchor')).toEqual(['anchor']);
    });

    const waiting = { waiting: { reason: 'PodInitializing' } };
    const started = { image: '', imageID: '', ready: false, restartCount: 0, containerID: 'containerd://c' };
    test.each<[string, V1PodSpec, V1PodStatus, string[]]>([
      ['waits for an init container', { containers: [mount] }, { phase: 'Pending' }, []],
      [
        'has started',
        { containers: [mount] },
        { phase: 'Pending', containerStatuses: [{ name: 'c', ...started, state: waiting }] },
        ['anchor'],
      ],
      ['may have started', { containers: [mount] }, { phase: 'Running' }, ['anchor']],
      ['is an init container', { initContainers: [mount], containers: [] }, { phase: 'Pending' }, ['anchor']],
    ])('where the container that has the volume %s', async (_what, more, status, users) => {
      const using = { ...anchor, spec: { ...anchor.spec, ...more }, status };
      expect(await volumeUsers(cluster().put('pods', using), await target(), 'uid-of-anchor')).toEqual(users);
    });
  });
});
