import { describe, expect, test } from '@jest/globals';
import { isAsPlanned, transferChoices, type Transfer } from '../../../src/inputs/transfer.ts';
import { inputs } from '../objects.ts';
import { thrownBy } from '../thrown.ts';

describe('the transfer mode that ran', () => {
  test.each<[Transfer, string | undefined, boolean]>([
    ['clone', 'clone', true],
    ['link', 'link', true],
    ['copy', 'copy', true],
    ['clone', 'link', false],
    ['link', 'copy', false],
    ['copy', undefined, false],
    ['auto', 'clone', true],
    ['auto', 'link', true],
    ['auto', 'copy', true],
    ['auto', 'auto', false],
    ['auto', '', false],
    ['auto', undefined, false],
    ['auto', 'swap', false],
  ])('planned %s, ran %s: as planned is %s', (planned, ran, expected) => {
    expect(isAsPlanned(planned, ran)).toBe(expected);
  });
});

describe('the input transfer', () => {
  test('is auto unless it is given', () => {
    expect(inputs().transfer).toBe('auto');
    expect(transferChoices.map((transfer) => inputs({ transfer }).transfer)).toEqual(transferChoices);
  });

  test('takes nothing else', async () => {
    expect((await thrownBy(() => inputs({ transfer: 'swap' }))).message).toContain('auto, clone, link, copy');
  });
});
