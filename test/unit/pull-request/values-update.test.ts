import { expect, test } from '@jest/globals';
import { valuesUpdate } from '../../../src/pull-request/values-update.ts';
import { inputs } from '../objects.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test.each([
  ['behind the tag', '', `tag: '14.22@${digest}'`, ''],
  ['where the file has a key for it', "\n    digest: ''", 'tag: 14.22', `digest: ${digest}`],
])('a digest goes %s', (_name, more, tag, own) => {
  const given = inputs({ 'values-file': 'values.yaml', 'image-tag': `14.22@${digest}` });
  const settings = valuesUpdate(given, given.servingImage, 'https://github.com/o/r/actions/runs/1');
  const source = `postgresql:\n  image:\n    registry: cciserver.azurecr.io\n    repository: server-postgres\n    tag: 12.16${more}\n`;
  const { text } = settings?.edit(source) ?? {};
  const lines = (text ?? '').split('\n').map((line) => line.trim().replaceAll(/["']/g, ''));
  expect(lines).toContain(tag.replaceAll("'", ''));
  if (own !== '') expect(lines).toContain(own);
  expect(lines.filter((line) => line.includes(digest))).toHaveLength(1);
});
