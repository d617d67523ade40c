import { describe, expect, test } from '@jest/globals';
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

describe('without a look at the server', () => {
  const edit = (image: string, more: Readonly<Record<string, string>>) => {
    const given = inputs({ 'values-file': 'values.yaml', mode: 'values', ...more });
    return valuesUpdate(given, given.servingImage, 'run')?.edit(`postgresql:\n  image:${image}\n`).text;
  };
  const mirrored = '\n    registry: registry.example.com\n    repository: mirror/server-postgres\n    tag: 12.16';

  test.each([
    ['registry', mirrored],
    ['repository with a registry', '\n    repository: registry.example.com/mirror/server-postgres\n    tag: 12.16'],
    ['whole reference', ' registry.example.com/mirror/server-postgres:12.16'],
  ])("the %s of a mirror is not changed to the vendor's", (_name, image) => {
    expect(() => edit(image, {})).toThrow(
      expect.objectContaining({
        code: 'values-other-registry',
        message: expect.stringContaining('registry.example.com'),
      }),
    );
  });

  test.each([
    [
      'for who names the repository',
      mirrored,
      { 'image-repository': 'registry.example.com/mirror/server-postgres' },
      'registry.example.com',
    ],
    ['for who asks for it', mirrored, { 'image-source': 'acr' }, 'cciserver.azurecr.io'],
    [
      "in the vendor's registry",
      '\n    registry: docker.io\n    repository: circleci/server-postgres\n    tag: 12.16',
      {},
      'cciserver.azurecr.io',
    ],
    ['where the file names no registry', '\n    tag: 12.16', {}, 'cciserver.azurecr.io'],
  ])('an image is set %s', (_name, image, more, registry) => {
    expect(edit(image, more)).toContain(`registry: ${registry}`);
  });
});
