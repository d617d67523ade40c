import { describe, expect, test } from '@jest/globals';
import { parseImage } from '../../../src/common/image.ts';
import { imagesToMirror } from '../../../src/inputs/images.ts';
import { withServersImage } from '../../../src/inputs/inputs.ts';
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

describe('images that no input names', () => {
  const tag = '14.22.4094-4922444';
  const chosen = (own: string, given: Readonly<Record<string, string>> = {}) => withServersImage(inputs(given), own);

  test.each([
    ['registry.example.com/server-postgres:12', 'registry.example.com/server-postgres'],
    [
      'registry.example.com:5000/mirror/circleci/server-postgres:12.16.37-7629bfd',
      'registry.example.com:5000/mirror/circleci/server-postgres',
    ],
    [`registry.example.com/a/server-postgres@sha256:${'a'.repeat(64)}`, 'registry.example.com/a/server-postgres'],
    ['docker.io/mirror/server-postgres:12', 'docker.io/mirror/server-postgres'],
    ['cciserver.azurecr.io/server-postgres:12', 'cciserver.azurecr.io/server-postgres'],
    ['cciserver.azurecr.io/circleci/server-postgres:12', 'cciserver.azurecr.io/server-postgres'],
    ['circleci/server-postgres:12', 'docker.io/circleci/server-postgres'],
    ['docker.io/circleci/server-postgres:12', 'docker.io/circleci/server-postgres'],
  ])('of a server that runs %s come from where that comes from', (own, name) => {
    const { servingImage, upgradeImage, imageOrigin } = chosen(own);
    expect([servingImage.reference, upgradeImage]).toEqual([`${name}:${tag}`, `${name}-upgrade:12-14`]);
    expect(parseImage(servingImage.reference)).toEqual(servingImage);
    const place = name.slice(0, -'/server-postgres'.length);
    expect(imageOrigin).toBe(`Both images come from ${place}, as the server's own image does.`);
  });

  test.each([
    '',
    'server-postgres:12',
    'mirror/server-postgres:12',
    'docker.io/bitnami/postgresql:12',
    'registry.example.com/circleci-server-postgres:12',
    'registry.example.com/postgres:12',
  ])('come from the vendor where the name of the own image %j shows nothing', (own) => {
    const { servingImage, upgradeImage, imageOrigin } = chosen(own);
    expect(servingImage.reference).toBe(`cciserver.azurecr.io/server-postgres:${tag}`);
    expect(upgradeImage).toBe('cciserver.azurecr.io/server-postgres-upgrade:12-14');
    expect(imageOrigin).toBe(
      `Both images come from cciserver.azurecr.io, since the server's own image, ${own}, has no name of the form REGISTRY/PATH/server-postgres.`,
    );
  });

  const mirrored = 'registry.example.com/mirror/server-postgres:12';

  test('come from the vendor where the inputs say so, and in a run that does not access the cluster', () => {
    expect(chosen(mirrored, { 'image-source': 'acr' })).toMatchObject({
      servingImage: { registry: 'cciserver.azurecr.io' },
      imageOrigin: 'Both images come from cciserver.azurecr.io, since "image-source" is acr.',
    });
    expect(chosen(mirrored, { 'image-source': 'docker-hub' }).imageOrigin).toBe(
      'Both images come from docker.io/circleci, since "image-source" is docker-hub.',
    );
    expect(inputs().imageOrigin).toBe(
      'Both images come from cciserver.azurecr.io, since this run does not access the cluster.',
    );
  });

  test('leave those as they are that an input names', () => {
    const own = "from registry.example.com/mirror, as the server's own image does.";
    const serving = { 'image-repository': 'other.example.com/pg' };
    const ofJob = { 'upgrade-image': 'other.example.com/upgrade:mine' };
    expect(chosen(mirrored, serving)).toMatchObject({
      servingImage: { reference: `other.example.com/pg:${tag}` },
      upgradeImage: 'registry.example.com/mirror/server-postgres-upgrade:12-14',
      imageOrigin: `"image-repository" names the image of PostgreSQL 14. The upgrade image comes ${own}`,
    });
    expect(chosen(mirrored, ofJob)).toMatchObject({
      servingImage: { reference: `registry.example.com/mirror/server-postgres:${tag}` },
      upgradeImage: 'other.example.com/upgrade:mine',
      imageOrigin: `"upgrade-image" names the upgrade image. The image of PostgreSQL 14 comes ${own}`,
    });
    expect(chosen(mirrored, { ...serving, ...ofJob }).imageOrigin).toBe(
      '"image-repository" names the image of PostgreSQL 14. "upgrade-image" names the upgrade image.',
    );
  });

  test('are to be copied from the vendor into any other registry', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(imagesToMirror(chosen(mirrored))).toEqual({
      serving: {
        source: `cciserver.azurecr.io/server-postgres:${tag}`,
        destination: `registry.example.com/mirror/server-postgres:${tag}`,
      },
      upgrade: {
        source: 'cciserver.azurecr.io/server-postgres-upgrade:12-14',
        destination: 'registry.example.com/mirror/server-postgres-upgrade:12-14',
      },
    });
    expect(imagesToMirror(chosen(mirrored, { 'image-tag': `14.22@${digest}` })).serving).toEqual({
      source: `cciserver.azurecr.io/server-postgres:14.22@${digest}`,
      destination: 'registry.example.com/mirror/server-postgres:14.22',
    });
    for (const source of ['acr', 'docker-hub'])
      expect(imagesToMirror(chosen(mirrored, { 'image-source': source }))).toEqual({});
  });
});
