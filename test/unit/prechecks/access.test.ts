import { describe, expect, test } from '@jest/globals';
import { permissions } from '../../../src/target/permissions.ts';
import { inputs } from '../objects.ts';
import { answerOf, known } from './facts.ts';

describe('access', () => {
  test('says which cluster and which namespace it is', async () => {
    const { text } = await answerOf('cluster-access');
    expect(text).toContain('v1.34.0 at https://cluster.example:6443');
    expect(text).toContain('circleci-server');
  });

  test('to a Kubernetes without scheduling gates is refused before anything is touched', async () => {
    const access = { address: 'https://cluster.example:6443', version: 'v1.26.9' };
    expect((await answerOf('cluster-access', { access })).status).toBe('failed');
  });

  test.each([
    ['precheck', 'warning'],
    ['upgrade', 'failed'],
  ] as const)('that lacks what only an upgrade needs: in mode %s a %s', async (mode, status) => {
    const missing = permissions.filter((p) => p.verb === 'patch' && p.resource === 'statefulsets');
    const answer = await answerOf('permissions', {
      missingPermissions: known(missing),
      inputs: inputs({ mode }),
    });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain('missing: patch statefulsets.apps');
    expect(answer.text).toContain(missing[0]?.why);
    expect(answer.remedy).toContain('docs/permissions.md');
  });
});
