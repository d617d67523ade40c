import { describe, expect, test } from '@jest/globals';
import { ConfigurationError } from '../../../src/common/errors.ts';
import { parseInputs } from '../../../src/inputs/inputs.ts';

function parse(given: Record<string, string>) {
  return parseInputs((name) => ({ namespace: 'circleci-server', ...given })[name] ?? '');
}

function refusal(given: Record<string, string>): ConfigurationError {
  try {
    parse(given);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('inputs', () => {
  test('take their defaults', () => {
    const inputs = parse({});
    expect(inputs.mode).toBe('precheck');
    expect(inputs.imagePullSecret).toBe('regcred');
    expect(inputs.detachTimeout).toBe(600_000);
    expect(inputs.jobs).toBeUndefined();
  });

  test.each([
    ['namespace', ''],
    ['namespace', 'Upper_Case'],
    ['namespace', 'x; rm -rf /'],
    ['mode', 'upgrad'],
    ['detach-timeout', '10'],
    ['detach-timeout', '0s'],
    ['jobs', '0'],
    ['jobs', '1.5'],
    ['image-tag', '14.22 latest'],
    ['image-repository', 'Registry/Path:tag'],
    ['upgrade-image', 'image\nname'],
    ['image-pull-secret', 'Not A Name'],
    ['server-release', 'latest'],
  ])('%s refuses %j and says its name', (name, text) => {
    const error = refusal({ [name]: text });
    expect(error.message).toContain(`"${name}"`);
    expect(error.remedy.text).not.toBe('');
  });

  test.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
  ])('a duration of %s is %i ms', (text, milliseconds) => {
    expect(parse({ 'job-timeout': text }).jobTimeout).toBe(milliseconds);
  });

  test('"none" is no pull secret', () => {
    expect(parse({ 'image-pull-secret': 'none' }).imagePullSecret).toBe('');
  });
});
