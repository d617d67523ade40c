import { describe, expect, test } from '@jest/globals';
import { fixture } from './fixture.ts';
import { edit, lines, refusalOf, wantedImage } from './wanted-image.ts';

const { tag } = wantedImage;
const sha = `sha256:${'0123456789abcdef'.repeat(4)}`;
const names = ['    registry: docker.io', '    repository: circleci/server-postgres'];

/** The image's keys as they are added behind the tag. */
const tagAndNames = [`    tag: ${tag}`, ...names].join('\n');

describe('closing brackets at the column of their key, which js-yaml alone does not read', () => {
  test('are edited and kept', () => {
    const text = fixture('closing-bracket.yaml');
    expect(edit(text).text).toBe(text.replace('    tag: 12.16.1', tagAndNames));
  });

  test.each([
    ['at the root', 'a: [\n  1\n]\nb: {\n}\n'],
    ['one within another', 'x:\n  a: [\n    {\n      b: [\n        1 ]\n    }\n  ]\n'],
    ['with a comment that has a bracket', 'a: [ # ]\n  1, # ]\n]\n'],
    ['beside a text that has one', 'a: |\n  ]\nb: [\n  "]"\n]\n'],
  ])('%s', (_, above) => {
    const text = `${above}postgresql:\n  image:\n    tag: 12\n`;
    expect(edit(text).text).toBe(text.replace('    tag: 12', tagAndNames));
    expect(edit(text.replaceAll('\n', '\r\n')).operation).toBe('edited');
  });

  test('of the image itself are kept', () => {
    const text = 'postgresql: {\n  image: {\n    tag: 12\n  }\n}\n';
    expect(edit(text).text).toContain(`    repository: circleci/server-postgres\n  }\n}\n`);
  });

  test('are refused where there are more than anybody writes', () => {
    const many = Array.from({ length: 300 }, (_, n) => `k${String(n)}: [\n]\n`).join('');
    expect(refusalOf(many).code).toBe('values-unreadable');
  });
});

describe('a key that is there twice', () => {
  test('away from the path is told, with the line of the first', () => {
    const { text, warnings } = edit(fixture('duplicate-key.yaml'));
    expect(text).toBe(fixture('duplicate-key.yaml').replace('    tag: 12.16.1', tagAndNames));
    expect(warnings.map(({ code, line }) => [code, line])).toEqual([
      ['duplicate-key', 4],
      ['duplicate-key', 9],
    ]);
    expect(warnings[0]?.message).toContain('line 2');
  });

  test('counts as Helm counts it: the last one', () => {
    const text = lines('global: {imageRegistry: a.io, imageRegistry: docker.io}', 'postgresql: {image: {tag: 12}}');
    expect(edit(text).warnings.map(({ code }) => code)).toEqual(['duplicate-key']);
  });

  test.each([
    ['postgresql', lines('postgresql: {}', 'postgresql: {image: {tag: 12}}')],
    ['image', lines('postgresql:', '  image: {}', '  image: {tag: 12}')],
    ['tag', lines('postgresql:', '  image:', '    tag: 12', '    tag: 13')],
  ])('on the path is refused: %s', (key, text) => {
    const error = refusalOf(text);
    expect(error.code).toBe('values-duplicate-key');
    expect(error.message).toContain(key);
  });
});

describe('a digest of its own', () => {
  test('is emptied with a warning, as one behind the tag is dropped', () => {
    const result = edit(fixture('digest-key.yaml'));
    expect(result.text).toBe(
      fixture('digest-key.yaml').replace('tag: 12.16.1', `tag: ${tag}`).replace(`${sha} # pinned`, '"" # pinned'),
    );
    expect(result.warnings.map(({ code, line }) => [code, line])).toEqual([['digest-dropped', 6]]);
    expect(edit(result.text).operation).toBe('none');
  });

  test('is emptied also where the tag is the wanted one already', () => {
    const text = lines('postgresql:', '  image:', ...names, `    tag: ${tag}`, `    digest: ${sha}`);
    expect(edit(text).text).toContain('digest: ""');
  });

  test('that comes through a merge is refused', () => {
    const text = lines(`d: &d {digest: "${sha}"}`, 'postgresql:', '  image:', '    <<: *d', '    tag: 12');
    expect(refusalOf(text).code).toBe('values-merged-key');
  });
});
