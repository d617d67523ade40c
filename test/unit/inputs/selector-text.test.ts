import { describe, expect, test } from '@jest/globals';
import { parseSelector, selectsTheRest } from '../../../src/inputs/selector-text.ts';

describe('a label selector', () => {
  test.each([
    'layer=application',
    'layer==application',
    'layer',
    '!layer',
    ' ! layer ',
    'layer=',
    'a!=b,c',
    'example.com/layer in (application, worker)',
    'layer notin(data),app.kubernetes.io/name=x',
    'x in (a,,b)',
  ])('is %j', (text) => {
    expect(parseSelector(text)).toBeDefined();
  });

  test.each([
    '',
    ',',
    '=',
    'a=b,',
    '(a)',
    'a in b',
    'a in (b',
    'a in (b))',
    'a=b=c',
    'a b',
    '-a',
    'a/b/c',
    'a=b c',
    'a|b',
    'a in (b|c)',
    `${'a'.repeat(64)}=b`,
    'a>1',
  ])('is not %j', (text) => {
    expect(parseSelector(text)).toBeUndefined();
  });

  test.each([
    ['!a', true],
    ['a!=b', true],
    ['a notin (b)', true],
    ['a!=b,!c', true],
    ['a!=b,c', false],
    ['a=b', false],
    ['a in (b)', false],
  ])('%s selects all that is left: %s', (text, expected) => {
    expect(selectsTheRest(text)).toBe(expected);
  });
});
