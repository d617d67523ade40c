import { describe, expect, test } from '@jest/globals';
import { parseImage } from '../../../src/common/image.ts';
import { inputs } from '../objects.ts';
import { thrownBy } from '../thrown.ts';

describe('the image that serves', () => {
  test.each([
    [{}, 'cciserver.azurecr.io', 'server-postgres'],
    // Under that registry there is no "circleci/" before it.
    [{ 'image-source': 'acr' }, 'cciserver.azurecr.io', 'server-postgres'],
    [{ 'image-source': 'docker-hub' }, 'docker.io', 'circleci/server-postgres'],
    [
      { 'image-repository': 'registry.example.com/mirror/server-postgres' },
      'registry.example.com',
      'mirror/server-postgres',
    ],
    [{ 'image-repository': 'registry:5000/postgres' }, 'registry:5000', 'postgres'],
    [{ 'image-repository': 'localhost/postgres' }, 'localhost', 'postgres'],
    [{ 'image-repository': 'mirror/server-postgres' }, 'docker.io', 'mirror/server-postgres'],
    [{ 'image-repository': 'postgres' }, 'docker.io', 'postgres'],
  ])('with %j is in registry %s, repository %s', (given, registry, repository) => {
    const image = inputs(given).servingImage;
    expect(image).toMatchObject({ registry, repository });
    expect(image.reference).toBe(`${registry}/${repository}:${image.tag}`);
  });

  test.each(['4.9', '4.10', '4.10.3'])('has a tag for release %s', (release) => {
    expect(inputs({ 'server-release': release }).servingImage.tag).toMatch(/^14\./);
  });

  test('has the tag of the input, also for a release that is not known', () => {
    expect(inputs({ 'image-tag': '14.99', 'server-release': '9.9' }).servingImage.reference).toMatch(/:14\.99$/);
  });

  test.each(['9.9', '4.1', '4.100', '4.8.2'])('is not guessed for release %s', async (release) => {
    const error = await thrownBy(() => inputs({ 'server-release': release }));
    expect(error.code).toBe('release-unknown');
    expect(error.message).toContain(release);
    expect(error.remedy.text).toContain('4.9, 4.10');
    expect(error.remedy.text).toContain('"image-tag"');
  });
});

describe('an image with a digest', () => {
  const digest = `sha256:${'a'.repeat(64)}`;

  test('is that of the input, by tag and digest', () => {
    const image = inputs({ 'image-tag': `14.22@${digest}` }).servingImage;
    expect(image).toMatchObject({ repository: 'server-postgres', tag: `14.22@${digest}` });
    expect(image.reference).toMatch(new RegExp(`:14\\.22@${digest}$`));
    expect(parseImage(image.reference)).toEqual(image);
  });

  test.each([
    `14.22@sha256:${'a'.repeat(63)}`,
    `14.22@sha256:${'A'.repeat(64)}`,
    digest,
    `@${digest}`,
    `14.22@${digest};id`,
  ])('is refused as %s', async (tag) => {
    const error = await thrownBy(() => inputs({ 'image-tag': tag }));
    expect([error.code, error.message]).toEqual(['input-invalid', expect.stringContaining('image-tag')]);
  });

  test('alone has no tag', () => {
    expect(parseImage(`registry.example.com/x@${digest}`)).toBeUndefined();
  });
});

describe('the image of the Job', () => {
  test.each([
    [{}, 'cciserver.azurecr.io/server-postgres-upgrade:12-14'],
    [{ 'image-source': 'docker-hub' }, 'docker.io/circleci/server-postgres-upgrade:12-14'],
    [{ 'upgrade-image': 'registry.example.com/upgrade:mine' }, 'registry.example.com/upgrade:mine'],
  ])('with %j is %s', (given, expected) => {
    expect(inputs(given).upgradeImage).toBe(expected);
  });
});
