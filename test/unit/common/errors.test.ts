import { describe, expect, test } from '@jest/globals';
import {
  CancelledError,
  ClusterError,
  ConfigurationError,
  describe as oneLine,
  GitHubError,
  isRunError,
  PrecheckError,
  sentence,
  UpgradeError,
  WaitError,
} from '../../../src/common/errors.ts';

describe('errors of a run', () => {
  const cause = new Error('below');
  const told = ['What is wrong', 'What to do', { cause }] as const;

  test.each([
    [ConfigurationError, new ConfigurationError('input-invalid', ...told), 'input-invalid'],
    [ClusterError, new ClusterError('forbidden', ...told), 'forbidden'],
    [GitHubError, new GitHubError('github-moved', ...told), 'github-moved'],
    [PrecheckError, new PrecheckError('consent-missing', ...told), 'consent-missing'],
    [UpgradeError, new UpgradeError('lease-lost', ...told), 'lease-lost'],
    [WaitError, new WaitError('wait-limit', ...told), 'wait-limit'],
  ])('%p has a code, a message and a remedy', (Kind, error, code) => {
    expect(error).toMatchObject({ code, message: 'What is wrong', remedy: { text: 'What to do' }, cause });
    expect(error.name).toBe(Kind.name);
    expect(isRunError(error)).toBe(true);
  });

  test('a cancellation says what was being done, and how to go on', () => {
    const error = new CancelledError('waiting for a pod');
    expect(error.code).toBe('cancelled');
    expect(error.message).toContain('waiting for a pod');
    expect(error.remedy.text).not.toBe('');
  });

  test.each([new Error('plain'), 'text', undefined, { code: 'x', remedy: 'y' }])('%p is none of them', (thrown) => {
    expect(isRunError(thrown)).toBe(false);
  });
});

describe('one line for a thrown thing', () => {
  test.each([
    [new Error('broken'), 'broken'],
    [new Error('broken', { cause: new Error('because') }), 'broken (because)'],
    [new Error('broken', { cause: 'text' }), 'broken'],
    ['only text', 'only text'],
    [undefined, 'undefined'],
    [7, '7'],
  ])('%p → %s', (thrown, line) => {
    expect(oneLine(thrown)).toBe(line);
  });
});

describe('a sentence', () => {
  test.each([
    ['It failed', 'It failed.'],
    ['It failed.', 'It failed.'],
    ['Why?', 'Why?'],
    ['and so on…', 'and so on…'],
    ['"quoted"', '"quoted".'],
  ])('%s → %s', (text, expected) => {
    expect(sentence(text)).toBe(expected);
  });
});
