import { expect, test } from '@jest/globals';
import { choiceOf } from '../choice.ts';

test('a choice has the first and the last, evenly spread, and each as it is', () => {
  const all = ['a', 'b', 'c', 'd', 'e'].map((name) => [name, name.toUpperCase()] as const);
  const expected = process.env['TEST_WHOLE'] === '1' ? all : [all[0], all[2], all[4]];
  expect(choiceOf(all, 3)).toEqual(expected);
});
