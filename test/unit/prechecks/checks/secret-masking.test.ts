import { expect, test } from '@jest/globals';
import { answerOf } from '../facts.ts';

test('a secret that can not be masked is named, with what to do', async () => {
  const name = "the superuser's password (key postgres-password of Secret postgresql)";
  const { status, evidence, remedy } = await answerOf('secret-masking', {
    unmaskedSecrets: [
      { name, why: 'common' },
      { name: 'the token of user "ci" in the kubeconfig', why: 'short' },
    ],
  });
  expect(status).toBe('warning');
  expect(evidence).toEqual([
    `${name} is a word that logs and reports use, so it is not masked`,
    'the token of user "ci" in the kubeconfig is too short to be masked',
  ]);
  expect(remedy?.text).toContain('a long random text');
});

test('where all are masked, it passes', async () => {
  expect((await answerOf('secret-masking')).status).toBe('passed');
});
