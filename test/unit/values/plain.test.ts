import { describe, expect, test } from '@jest/globals';
import fc from '../../fast-check.ts';
import { CORE_SCHEMA, YAML11_SCHEMA, load } from 'js-yaml';
import { parse } from 'yaml';
import { isPlainString, scalarText } from '../../../src/values/write.ts';
import { edit, lines, wantedImage } from './wanted-image.ts';

/** Legal tags that some version of YAML, or Go's parser, reads as something else. */
const awkward = [
  ...[
    '1_000',
    '1e5',
    '1E5',
    '12e03',
    '0o14',
    '014',
    '0x1F',
    '0b101',
    '29111998',
    '14.20',
    '1.',
    '14.22.1',
    '1__2',
    '0x_1',
    'e5',
  ],
  ...[
    'null',
    'Null',
    'NULL',
    'yes',
    'No',
    'ON',
    'off',
    'y',
    'N',
    'true',
    'FALSE',
    '2001-12-14',
    '2001-1-1',
    'inf',
    'NaN',
    '0',
    '1_',
  ],
];

describe('a new value', () => {
  test.each(awkward)('%s is quoted where it was plain, and a string to every parser', (tag) => {
    const image = { ...wantedImage, tag };
    for (const text of ['    tag: 12', '    tag:', '    tag: 12.10', `    tag: ${tag}`, '    tag: &a 12 # x']) {
      const { text: edited } = edit(lines('postgresql:', '  image:', text), { image });
      expect(edited).toContain(`"${tag}"`);
      for (const schema of [CORE_SCHEMA, YAML11_SCHEMA]) {
        expect(load(edited, { schema })).toMatchObject({ postgresql: { image: { tag } } });
      }
      for (const version of ['1.1', '1.2'] as const) {
        expect(parse(edited, { version })).toMatchObject({ postgresql: { image: { tag } } });
      }
      expect(edit(edited, { image }).operation).toBe('none');
    }
  });

  test.each([
    '14.22.4094-4922444',
    'v14',
    '14-alpine',
    'latest',
    '14.2a',

    'nullable',
    '0xyz',
    'a_1',
    '1e5-x',
    'sha-1234567',
  ])('%s stays plain', (tag) => {
    expect(isPlainString(tag, false)).toBe(true);
    for (const schema of [CORE_SCHEMA, YAML11_SCHEMA]) expect(load(tag, { schema })).toBe(tag);
    for (const version of ['1.1', '1.2'] as const) expect(parse(tag, { version })).toBe(tag);
  });

  test.each([
    '',
    '~',
    '=',
    '<<',
    '12:30',
    'a: b',
    'a #b',
    '-',
    '- a',
    '*a',
    '&a',
    '!a',
    '[a',
    '{a',
    'a:',
    '%a',
    '@a',
    '`a',
    '"a',
  ])('%j is never plain', (text) => {
    expect(isPlainString(text, false)).toBe(false);
  });

  test('is in the quotes that the file has, where it needs some', () => {
    const image = { ...wantedImage, tag: '14.20' };
    expect(edit(lines("a: 'x'", 'postgresql: {image: {tag: 12}}'), { image }).text).toContain(`tag: '14.20'`);
    expect(edit(lines('a: "x"', "b: 'x'", 'postgresql: {image: {tag: 12}}'), { image }).text).toContain('tag: "14.20"');
  });

  test('with a colon is quoted in a flow mapping', () => {
    expect(scalarText('localhost:5000', 'PLAIN', 'QUOTE_DOUBLE', true)).toBe('"localhost:5000"');
    expect(scalarText('localhost:5000', 'PLAIN', 'QUOTE_DOUBLE', false)).toBe('localhost:5000');
  });

  test('is plain only if every parser reads it as the string it is', () => {
    const letters = fc.string({
      unit: fc.constantFrom(...'0123456789_.-eExXoObBaAfFnNuUlLyYtTsS+:'),
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(letters, (text) => {
        if (!isPlainString(text, false)) return;
        for (const schema of [CORE_SCHEMA, YAML11_SCHEMA]) expect(load(text, { schema })).toBe(text);
        for (const version of ['1.1', '1.2'] as const) expect(parse(text, { version })).toBe(text);
      }),
      { numRuns: 3000, seed: 20_261_122 },
    );
  });
});
