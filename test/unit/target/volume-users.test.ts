import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { volumeUsers } from '../../../src/target/volume-users.ts';
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
});
