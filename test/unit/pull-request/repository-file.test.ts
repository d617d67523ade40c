import { expect, test } from '@jest/globals';
import { readText } from '../../../src/pull-request/repository-file.ts';
import type { GitHub } from '../../../src/ports/github.ts';
import { fixtureBytes } from '../values/fixture.ts';
import { thrownBy } from '../thrown.ts';

/** A repository in which each object is these bytes. */
const holding = (bytes: Uint8Array) => ({ blob: () => Promise.resolve(bytes) }) as unknown as GitHub;
const file = { mode: '100644', sha: '1'.repeat(40) };

test.each(['latin-1.yaml', 'utf-16.yaml'])('%s is told not to be UTF-8, and what to do', async (name) => {
  const error = await thrownBy(() => readText(holding(fixtureBytes(name)), file, 'deploy/values.yaml'));
  expect(error.code).toBe('values-not-utf8');
  expect(error.message).toContain('deploy/values.yaml');
  expect(error.remedy.text).toContain('Save it as UTF-8');
});

test.each([[[0xff, 0xfe, 0x61, 0]], [[0x61, 0xe9, 0x0a]], [[0xc0, 0x80]], [[0xed, 0xa0, 0x80]]])(
  'bytes %j are not UTF-8',
  async (bytes) => {
    const error = await thrownBy(() => readText(holding(Uint8Array.from(bytes)), file, 'values.yaml'));
    expect(error.code).toBe('values-not-utf8');
  },
);

test('a byte order mark and line ends are kept', async () => {
  const text = '\ufeffa: é\r\n';
  expect(await readText(holding(new TextEncoder().encode(text)), file, 'values.yaml')).toBe(text);
});
