import { describe, expect, test } from '@jest/globals';
import { parseResources, wholeCpus } from '../../../src/inputs/resources.ts';
import { inputs } from '../objects.ts';
import { thrownBy } from '../thrown.ts';

describe('the resources of the Job', () => {
  test('have a default that can be read', () => {
    expect(inputs().resources).toEqual({
      requests: { cpu: '200m', memory: '512Mi' },
      limits: { cpu: '4', memory: '2Gi' },
    });
  });

  test.each([
    ['{limits: {cpu: 2, memory: 2Gi}}', { limits: { cpu: '2', memory: '2Gi' } }],
    ['requests:\n  cpu: 0.5\n  ephemeral-storage: 1Gi\n', { requests: { cpu: '0.5', 'ephemeral-storage': '1Gi' } }],
    ['{}', {}],
    [
      '{limits: {cpu: 2, memory: 1Gi}, requests: {cpu: 2000m, memory: 1024Mi}}',
      {
        limits: { cpu: '2', memory: '1Gi' },
        requests: { cpu: '2000m', memory: '1024Mi' },
      },
    ],
  ])('%j is %j', (text, expected) => {
    expect(parseResources(text)).toEqual(expected);
  });

  test.each([
    'limits: {cpu: lots}',
    'limits: {cpu: -1}',
    'limit: {cpu: 1}',
    '{limits: {memory: "2 Gi"}}',
    '[1]',
    'text',
    '{limits: ',
    'limits: [cpu]',
    '{limits: {cpu: 1}, requests: {cpu: 2}}',
    '{limits: {memory: 1Gi}, requests: {memory: 1025Mi}}',
    '{limits: {"a b": 1}}',
    '{limits: {cpu: .inf}}',
    '{limits: {cpu: 1e30}}',
    '{limits: {"__proto__": 1}}',
    '{"__proto__": {}}',
    '['.repeat(9999),
    `{limits: {${Array.from({ length: 999 }, (_, i) => `a${String(i)}: x`).join()}}}`,
  ])('%j is refused', async (text) => {
    const error = await thrownBy(() => parseResources(text));
    expect(error.code).toBe('resources-invalid');
    expect(error.message).toContain('"resources"');
    expect(error.message.length).toBeLessThan(500);
    expect(error.remedy.text).toContain('{requests:');
  });
});

describe('whole CPUs of a limit', () => {
  test.each([
    ['4', 4],
    ['2500m', 2],
    ['500m', 1],
    ['0.5', 1],
    ['1.9', 1],
    ['2k', 2000],
  ])('%s are %i', (cpu, expected) => {
    expect(wholeCpus({ limits: { cpu } })).toBe(expected);
  });

  test('that is not there are 1', () => {
    expect(wholeCpus({})).toBe(1);
    expect(wholeCpus({ limits: { memory: '1Gi' } })).toBe(1);
  });
});
