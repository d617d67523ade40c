import { describe, expect, test } from '@jest/globals';
import { forms } from './forms.ts';
import { edit } from './wanted-image.ts';

describe('an edit', () => {
  test.each(forms)('where there is %s', (_, before, after) => {
    const result = edit(before);
    expect(result.text).toBe(after);
    expect(edit(result.text)).toMatchObject({ operation: 'none', text: after, changes: [] });
  });

  test('adds lines with the line end that is in use there', () => {
    const before = 'a: 1\npostgresql:\r\n  image:\r\n    tag: 12\r\nb: 1\n';
    const after = edit(before).text;
    expect(after.split('\n').map((line) => line.endsWith('\r'))).toEqual([
      false,
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe.each<readonly [string, RegExp, (text: string) => string]>([
  ['a byte order mark', /byte order mark/, (text) => `\ufeff${text}`],
  [
    'CRLF',
    /^an empty file|byte order mark|comments only|document start|no line end|without a line end/,
    (text) => text.replaceAll('\n', '\r\n'),
  ],
  [
    'no line end at the end',
    /empty file|byte order mark|document start|block scalar/,
    (text) => text.replace(/\n$/, ''),
  ],
])('%s is kept', (_, except, written) => {
  test.each(forms.filter(([title]) => !except.test(title)))('where there is %s', (__, before, after) => {
    expect(edit(written(before)).text).toBe(written(after));
  });
});
