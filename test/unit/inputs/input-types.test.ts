import { describe, expect, test } from '@jest/globals';
import fc from '../../fast-check.ts';
import { ConfigurationError } from '../../../src/common/errors.ts';
import {
  choice,
  count,
  duration,
  durationIfGiven,
  durationOrNone,
  flag,
  list,
  objectName,
  pattern,
  pointInTime,
  script,
  secret,
  text,
  type Input,
} from '../../../src/inputs/input-types.ts';

const spec = { description: 'What it is for.' };

function refusal(input: Input<unknown>, value: string): ConfigurationError {
  try {
    input.parse(value, 'some-input');
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(value)} was taken`);
}

describe('types of inputs', () => {
  test('a required one that is missing is told with what it is for', () => {
    const error = refusal(text({ ...spec, required: true }), '');
    expect(error.code).toBe('input-missing');
    expect(error.message).toContain('"some-input"');
    expect(error.remedy.text).toContain('What it is for.');
  });

  test('a choice names its words', () => {
    const input = choice(['one', 'two'], spec);
    expect(input.parse('two', 'some-input')).toBe('two');
    expect(input.type).toBe('one | two');
    expect(refusal(input, 'Two').remedy.text).toContain('one, two');
  });

  test.each(['postgresql', 'a', 'my-release.postgresql', '0', 'a'.repeat(253)])(
    '%s is the name of an object',
    (name) => {
      expect(objectName(spec).parse(name, 'some-input')).toBe(name);
    },
  );

  test.each(['-a', 'a-', 'a..b', 'A', 'a_b', 'a/b', 'a b', 'a\nb', '$(id)', 'a'.repeat(254)])('%j is not', (name) => {
    expect(refusal(objectName(spec), name).message).toContain('"some-input"');
  });

  test('a wrong value is shown in one line, and cut when it is long', () => {
    const error = refusal(pattern('word', /^[a-z]+$/, 'a word', spec), `LINE\n${'X'.repeat(500)}`);
    expect(error.message).not.toContain('\n');
    expect(error.message.length).toBeLessThan(200);
  });

  test.each(['', 'h', '5', '-5m', '1.5h', '5 m', '5d', '0m', '1m1h', ' 5m', '121h', '597h', `${'9'.repeat(400)}s`])(
    '%j is no length of time',
    (value) => {
      expect(refusal(duration(spec), value).remedy.text).toContain('90s');
    },
  );

  test('0s may mean no time at all', () => {
    const input = durationOrNone(spec);
    expect(['0s', '90s'].map((value) => input.parse(value, 'some-input'))).toEqual([0, 90_000]);
    for (const value of ['', '0', '0m', '-1s']) expect(refusal(input, value).message).toContain('"some-input"');
  });

  test('a length of time may be left out', () => {
    const input = durationIfGiven(spec);
    expect(['', '90s'].map((value) => input.parse(value, 'some-input'))).toEqual([undefined, 90_000]);
    for (const value of ['0s', '90', '-1s']) expect(refusal(input, value).message).toContain('"some-input"');
  });

  test.each([
    ['2026-12-01T22:30Z', '2026-12-01T22:30:00.000Z'],
    ['2026-12-01T23:30:15+01:00', '2026-12-01T22:30:15.000Z'],
    ['2028-02-29T00:00-05:30', '2028-02-29T05:30:00.000Z'],
  ])('%s is a point in time', (value, expected) => {
    expect(pointInTime(spec).parse(value, 'some-input')?.toISOString()).toBe(expected);
  });

  test.each([
    ...['2026-12-01T22:30', '2026-12-01 22:30Z', '22:30Z', '2026-12-01', '2026-12-01T24:00Z', '2026-02-30T00:00Z'],
    ...[
      '2026-13-01T00:00Z',
      '2026-12-01T22:30+25:00',
      '2026-12-01T22:30CET',
      '1764628200',
      'tomorrow',
      '2027-02-29T00:00Z',
    ],
  ])('%j is none: its offset from UTC is missing, or there is no such time', (value) => {
    expect(refusal(pointInTime(spec), value).remedy.text).toContain('2026-12-01T22:30Z');
  });

  test('a script is never shown, whatever is wrong with it', () => {
    const refused = refusal(script('SQL', spec), `PASSWORD 'hunter2'\u0007`);
    expect(JSON.stringify([refused.message, refused.remedy])).not.toContain('hunter2');
    expect(script('SQL', spec).parse('a\n\tb', 'some-input')).toBe('a\n\tb');
  });

  test('a length of time is the sum of its parts', () => {
    const part = fc.integer({ min: 0, max: 59 });
    fc.assert(
      fc.property(part, part, fc.integer({ min: 1, max: 59 }), (h, m, s) => {
        const written = `${String(h)}h${String(m)}m${String(s)}s`;
        expect(duration(spec).parse(written, 'some-input')).toBe((h * 3600 + m * 60 + s) * 1000);
      }),
    );
  });

  test.each(['0', '-1', '1.5', '1e3', '0x10', 'two', ' 2', '257', '99999999999999999999'])(
    '%j is no whole number from 1',
    (value) => {
      expect(refusal(count(1, 256, spec), value).message).toContain('whole number from 1');
    },
  );

  test('a number that is not given is undefined', () => {
    expect(count(1, 256, spec).parse('', 'some-input')).toBeUndefined();
    expect(count(1, 256, spec).parse('12', 'some-input')).toBe(12);
  });

  test.each([
    ['true', true],
    ['True', true],
    ['FALSE', false],
  ])('%s is %s', (value, expected) => {
    expect(flag({ description: '' }).parse(value, 'some-input')).toBe(expected);
  });

  test.each(['yes', '1', 'on', 'tRUE', 'truee', ' true'])('%j is neither true nor false', (value) => {
    expect(refusal(flag({ description: '' }), value).message).toContain('true or false');
  });

  test('a list is cut at commas and line ends, and keeps each word once', () => {
    const words = list('word', /^[a-z ]+$/, 'a word', spec);
    expect(words.parse(' one, two words\n\nthree,one,', 'some-input')).toEqual(['one', 'two words', 'three']);
    expect(words.parse('', 'some-input')).toEqual([]);
    expect(refusal(words, 'one,TWO').message).toContain('"TWO"');
  });

  test('an expression that no runner has evaluated is no secret', () => {
    expect(secret(spec).parse('${{ github.token }}', 'some-input')).toBe('');
    expect(secret(spec).parse('ghs_123', 'some-input')).toBe('ghs_123');
  });
});
