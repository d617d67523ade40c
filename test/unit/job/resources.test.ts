import { describe, expect, test } from '@jest/globals';
import { parseResources, wholeCpus } from '../../../src/job/resources.ts';
import { inputs } from '../objects.ts';
import { thrownBy } from '../thrown.ts';

describe('the resources of the Job', () => {
  test('have a default that can be read', () => {
    expect(parseResources(inputs().resources)).toEqual({
      requests: { cpu: '200m', memory: '512Mi' },
      limits: { cpu: '2', memory: '2Gi' },
    });
  });

  test.each([
    ['{limits: {cpu: 2, memory: 2Gi}}', { limits: { cpu: '2', memory: '2Gi' } }],
    ['requests:\n  cpu: 0.5\n  ephemeral-storage: 1Gi\n', { requests: { cpu: '0.5', 'ephemeral-storage': '1Gi' } }],
    ['{}', {}],
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
  ])('%j is refused', async (text) => {
    const error = await thrownBy(() => parseResources(text));
    expect(error.code).toBe('resources-invalid');
    expect(error.message).toContain('"resources"');
    expect(error.remedy).toContain('{requests:');
  });
});

describe('whole CPUs of a limit', () => {
  test.each([
    ['4', 4],
    ['2500m', 2],
    ['500m', 1],
    ['0.5', 1],
    ['1.9', 1],
  ])('%s are %i', (cpu, expected) => {
    expect(wholeCpus({ limits: { cpu } })).toBe(expected);
  });

  test('that is not there are 1', () => {
    expect(wholeCpus({})).toBe(1);
    expect(wholeCpus({ limits: { memory: '1Gi' } })).toBe(1);
  });
});
