import { describe, expect, test } from '@jest/globals';
import { dangerOfUpdate, planVersion } from '../../../src/database/extension-versions.ts';

describe('an extension of which the image ships another version', () => {
  test.each<[string, string, string[], string | undefined, string | undefined]>([
    // installed, shipped, reachable, updated to, left
    ['1.9', '1.10', [], '1.10', undefined],
    ['3.1.4', '3.4.0', [], '3.4.0', undefined],
    ['0.5.1', '0.7.0', [], '0.7.0', undefined],
    ['1.3', '1.3.0', [], '1.3.0', undefined],
    ['4.5.1', '5.0.1', ['4.6.0', '4.7.4', '4.7.3', '5.0.0', '5.0.1'], '4.7.4', '5.0.1'],
    ['4.9', '5.0.1', ['4.10', '4.9.1'], '4.10', '5.0.1'],
    ['4.7.4', '5.0.1', ['4.7.3', '4.7.4.0', '5.0.1'], undefined, '5.0.1'],
    ['2.3', '3.0', [], undefined, '3.0'],
    ['2.3', '3.0', ['3.0', '2.4next', 'unpackaged', 'ANY'], undefined, '3.0'],
    ['2.4dev', '2.5', ['2.5'], undefined, '2.5'],
    ['2.4', '2.5rc1', ['2.4.1', '2.5rc1'], '2.4.1', '2.5rc1'],
    ['', '1.0', ['1.0'], undefined, '1.0'],
    ['11.0', '1.0', ['1.0'], undefined, '1.0'],
  ])(
    'from %j, with %j in the image and scripts to %j: goes to %j, leaves %j',
    (installed, available, reachable, target, left) => {
      expect(planVersion({ name: 'e', installed, available, reachable, shadows: [] })).toEqual({ target, left });
    },
  );
});

describe('the script of an extension', () => {
  test("is no danger where the server keeps what is not the extension's, and nobody stands in its way", () => {
    expect([140005, 140022].map((version) => dangerOfUpdate({ shadows: [] }, version))).toEqual([undefined, undefined]);
  });

  test('may take over objects of roles before 14.5', () => {
    expect(dangerOfUpdate({ shadows: [] }, 140004)).toContain('CVE-2022-2625');
  });

  test('may call what a role has put in its way, on every minor', () => {
    const shadow = 'function public.lower(character varying) of role mallory';
    expect(dangerOfUpdate({ shadows: [shadow] }, 140022)).toContain(shadow);
  });
});
