import { describe, expect, test } from '@jest/globals';
import { discover } from '../../../src/target/discover.ts';
import { cluster, inputs, namespace, scaledObject } from '../objects.ts';
import { answerOf } from '../prechecks/facts.ts';

const forbidden = 'scaledobjects.keda.sh is forbidden';

async function autoscalersIn(from = cluster()) {
  const { applications, unreadAutoscalers } = await discover(from, inputs());
  return { found: applications.filter((w) => w.resource === 'scaledobjects'), unreadAutoscalers };
}

describe('ScaledObjects', () => {
  test('of the applications are found with their pause, and those of others left alone', async () => {
    const from = cluster().put(
      'scaledobjects',
      scaledObject('of-frontend', 'frontend', { 'autoscaling.keda.sh/paused-replicas': '2' }),
      scaledObject('of-nginx', 'nginx'),
      {
        metadata: { name: 'of-stateful', namespace },
        spec: { scaleTargetRef: { kind: 'StatefulSet', name: 'frontend' } },
      },
      {
        metadata: { name: 'of-rollout', namespace },
        spec: { scaleTargetRef: { apiVersion: 'argoproj.io/v1alpha1', kind: 'Deployment', name: 'frontend' } },
      },
    );
    expect(await autoscalersIn(from)).toEqual({
      found: [{ resource: 'scaledobjects', name: 'of-frontend', paused: null, pausedReplicas: '2' }],
      unreadAutoscalers: undefined,
    });
  });

  test('are none where KEDA is not installed', async () => {
    const from = cluster();
    from.missing.add('scaledobjects');
    expect(await autoscalersIn(from)).toEqual({ found: [], unreadAutoscalers: undefined });
  });

  test('are none where KEDA is not installed and the right to ask is not there either', async () => {
    const from = cluster().refuse('list', 'scaledobjects', 403, forbidden);
    from.missing.add('scaledobjects');
    expect(await autoscalersIn(from)).toEqual({ found: [], unreadAutoscalers: undefined });
  });

  test('that may not be read where KEDA is installed make the check gitops unknown, with the rights', async () => {
    const from = cluster().refuse('list', 'scaledobjects', 403, forbidden);
    const target = await discover(from, inputs());
    expect(target.unreadAutoscalers).toContain(forbidden);
    const answer = await answerOf('gitops', { target });
    expect(answer.status).toBe('unknown');
    expect(answer.remedy?.text).toContain('list, get and patch scaledobjects.keda.sh');
  });

  test('that can not be listed for another reason are not reported as none', async () => {
    const from = cluster().refuse('list', 'scaledobjects', 500, 'etcd is away');
    await expect(discover(from, inputs())).rejects.toMatchObject({ code: 'server-error' });
  });
});
