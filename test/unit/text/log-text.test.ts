import { describe, expect, test } from '@jest/globals';
import { logText, logTitle } from '../../../src/text/log-text.ts';

describe('text for the log', () => {
  test.each([
    ['::add-mask::x', ': :add-mask::x'],
    [' \t::error::x', ' \t: :error::x'],
    ['\u00a0::error::x', '\u00a0: :error::x'],
    ['\u0301::error::x', '\u0301: :error::x'],
    ['a ##[error]x', 'a # #[error]x'],
    ['###[group]', '## #[group]'],
    ['one\r::x::\n::y::\r\n::z::', 'one\n: :x::\n: :y::\n: :z::'],
    ['\x1b[31mred', '\\x1b[31mred'],
    ['\u200b::error::x', '\\u200b::error::x'],
    [':\u200d:error::x', ':\\u200d:error::x'],
    ['#\u00ad#[error]', '#\\xad#[error]'],
    ['\u202etxt.exe \u{e0041}', '\\u202etxt.exe \\u{e0041}'],
    ['a\u2028::x::', 'a\\u2028::x::'],
  ])('has no command in %j', (given, expected) => {
    expect(logText(given)).toBe(expected);
    expect(logText(logText(given))).toBe(expected);
  });

  test.each(['x::text', 'ALTER TABLE t USING c::text;', '# a [b]', 'Grüße, 日本語\tx', '[::1]:5432', '# #[x'])(
    'leaves %j as it is',
    (text) => {
      expect(logText(text)).toBe(text);
    },
  );

  test('is one line where it is a title', () => {
    expect(logTitle('a\n::error::b')).toBe('a\\n::error::b');
  });
});
