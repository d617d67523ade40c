import { describe, expect, test } from '@jest/globals';
import { parseJobResult } from '../../../src/job/result.ts';

const result = {
  schema: 1,
  command: 'upgrade',
  outcome: 'upgraded',
  state: 'new',
  step: 'swap',
  message: 'done',
  transfer: 'link',
  recovered: false,
  seconds: { total: 4.2 },
};

describe('the result of a Job', () => {
  test('is what its script left, and may hold more than is known here', () => {
    expect(parseJobResult(JSON.stringify({ ...result, control: { state: 'shut down' } }))).toEqual(result);
  });

  test.each([
    ['nothing', undefined],
    ['an empty message', ''],
    ['text', 'Killed'],
    ['JSON that was cut', JSON.stringify(result).slice(0, -5)],
    ['another schema', JSON.stringify({ ...result, schema: 2 })],
    ['a field that is missing', JSON.stringify({ ...result, outcome: undefined })],
    ['a field of another type', JSON.stringify({ ...result, recovered: 'true' })],
    ['null', 'null'],
  ])('is none when it is %s', (_what, message) => {
    expect(parseJobResult(message)).toBeUndefined();
  });
});
