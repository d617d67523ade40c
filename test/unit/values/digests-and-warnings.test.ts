import { describe, expect, test } from '@jest/globals';
import { around, edit, lines, wantedImage } from './wanted-image.ts';

const { tag } = wantedImage;
const sha = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('a digest', () => {
  const image = { registry: 'docker.io', repository: 'circleci/server-postgres', tag, digest: sha };

  test('that is wanted goes where there is a key for it, else after the tag', () => {
    expect(edit(around('    tag: 12'), { image }).text).toBe(around(`    tag: ${tag}@${sha}`));
    expect(edit(around('    tag: 12', [], [`    digest: '${sha.replaceAll('0', '1')}'`]), { image }).text).toBe(
      around(`    tag: ${tag}`, [], [`    digest: '${sha}'`]),
    );
    const reference = edit(lines('postgresql:', '  image: postgres:12'), { image }).text;
    expect(reference).toBe(lines('postgresql:', `  image: circleci/server-postgres:${tag}@${sha}`));
  });

  test.each([
    [sha, '""'],
    [`'${sha}'`, "''"],
    [`"${sha}"`, '""'],
  ])('beside the tag, %s, is emptied', (before, after) => {
    const text = around('    tag: 12', [], [`    digest: ${before} # pinned`]);
    const result = edit(text);
    expect(result.text).toBe(around(`    tag: ${tag}`, [], [`    digest: ${after} # pinned`]));
    expect(edit(result.text).operation).toBe('none');
  });
});

describe('a warning', () => {
  const codes = (text: string) => edit(text).warnings.map(({ code, line }) => [code, line]);

  test.each<readonly [string, string, [string, number][]]>([
    ['of Flux on the line', around('    tag: 12 # {"$imagepolicy": "flux:pg:tag"}'), [['other-bot', 5]]],
    ['of Renovate on the line above', around('    # renovate: datasource=docker\n    tag: 12'), [['other-bot', 6]]],
    [
      'of a global registry',
      around('    tag: 12', ['global:', '  imageRegistry: mirror.example.com']),
      [['global-registry', 2]],
    ],
    [
      'of a global registry through a merge',
      around('    tag: 12', ['a: &a {imageRegistry: x.io}', 'global:', '  <<: *a']),
      [['global-registry', 1]],
    ],
    ['of a dropped digest', around(`    tag: 12@${sha}`), [['digest-dropped', 5]]],
    [
      'of a dropped digest in a reference',
      lines('postgresql:', `  image: docker.io/a/b:1@${sha}`),
      [['digest-dropped', 2]],
    ],
    ['of a later document', `a: 1\n---\n${around('    tag: 12')}`, [['not-first-document', 3]]],
  ])('tells %s', (_, text, expected) => {
    expect(codes(text)).toEqual(expected);
  });

  test('tells of a registry that the reference had not', () => {
    const image = { registry: 'cciserver.azurecr.io', repository: 'server-postgres', tag };
    expect(edit(lines('postgresql:', '  image: postgres:12'), { image }).warnings[0]?.code).toBe('registry-added');
  });

  test('is not told where there is no reason', () => {
    expect(codes(around('    tag: 12', ['global: {imageRegistry: docker.io}'], ['x: 1 # renovate: y']))).toEqual([]);
    expect(codes(around('    tag: 12', ['global: {imageRegistry: ""}']))).toEqual([]);
  });
});
