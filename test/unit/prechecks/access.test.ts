import { describe, expect, test } from '@jest/globals';
import { permissions } from '../../../src/target/permissions.ts';
import { answerOf, known } from './facts.ts';

describe('access', () => {
  test('says which cluster and which namespace it is', async () => {
    const { text } = await answerOf('cluster-access');
    expect(text).toContain('v1.34.0 at https://cluster.example:6443');
    expect(text).toContain('circleci-server');
  });

  test('that lacks permissions names each and what it is for', async () => {
    const missing = permissions.filter((p) => p.verb === 'patch' && p.resource === 'statefulsets');
    const answer = await answerOf('permissions', { missingPermissions: known(missing) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('missing: patch statefulsets.apps');
    expect(answer.text).toContain(missing[0]?.why);
    expect(answer.remedy).toContain('Role');
  });
});
