import { expect, test } from '@jest/globals';
import { bytesOf, bytesText } from '../../../src/common/bytes.ts';

test.each([
  ['8Gi', 8 * 2 ** 30],
  ['1.5Ki', 1536],
  ['10737418240', 10_737_418_240],
  ['3M', 3_000_000],
  ['2E', 2e18],
  ['', undefined],
  [undefined, undefined],
  ['a lot', undefined],
])('%s is %s bytes', (quantity, bytes) => {
  expect(bytesOf(quantity)).toBe(bytes);
});

test.each([
  [0, '0 bytes'],
  [512, '512 bytes'],
  [1536, '1.5 KiB'],
  [20 * 2 ** 20, '20 MiB'],
  [8 * 2 ** 30, '8 GiB'],
])('%s bytes are told as %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
