import { describe, expect, test } from '@jest/globals';
import { expectExisting, parseIgnored } from '../../../src/inputs/ignore.ts';
import { thrownBy } from '../thrown.ts';

describe('ignore-checks', () => {
  test('is a line per check, with its reason', () => {
    const text = '\n  free-space: measured by hand: 20 GB\nreplication-slots :the reader is gone\n\n';
    expect([...parseIgnored(text)]).toEqual([
      ['free-space', 'measured by hand: 20 GB'],
      ['replication-slots', 'the reader is gone'],
    ]);
    expect([...parseIgnored('')]).toEqual([]);
  });

  test.each([
    ['no-such-check: because', 'names a check that does not exist: "no-such-check"', 'docs/checks.md'],
    ['free-space', 'gives no reason for free-space', 'free-space: why'],
    ['free-space:  ', 'gives no reason for free-space', 'free-space: why'],
    ['free-space: a\nfree-space: b', 'names free-space twice', 'one line'],
    [': because', 'names a check that does not exist: ""', 'docs/checks.md'],
  ])('%j is refused', async (text, message, remedy) => {
    const error = await thrownBy(() => {
      expectExisting(parseIgnored(text), [{ id: 'free-space' }]);
    });
    expect(error.code).toBe('input-invalid');
    expect(error.message).toContain(message);
    expect(error.remedy.text).toContain(remedy);
  });
});
