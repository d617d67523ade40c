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

/** Shapes with all of the image's keys: the old text, and what takes its place. */
const shapes: readonly (readonly [name: string, ...replaced: (readonly [string, string])[]])[] = [
  ['non-specific-tag.yaml', ['tag: ! 12', `tag: ${tag}`]],
  [
    'folded-tag.yaml',
    ['repository: |\n      circleci', 'repository: circleci'],
    ['tag: >-\n      12.16.1', `tag: ${tag}`],
  ],
  ['argo-application-sources.yaml', ['12.16.1 #', `${tag} #`]],
  ['sops-mac-only-encrypted.yaml', ['    tag: 12.16.1', tagAndNames]],
  ['helmfile-environments.yaml', ['            tag: 12.16.1', tagAndNames.replaceAll(/^/gm, '        ')]],
  ['only-null.yaml', ['null #', `postgresql:\n  image:\n${[...names, `    tag: ${tag}`].join('\n')} #`]],
  ['document-end-only.yaml', ['...', `postgresql:\n  image:\n${[...names, `    tag: ${tag}`].join('\n')}\n...`]],
];

const paths: Readonly<Record<string, string>> = {
  'argo-application-sources.yaml': 'spec.sources[1].helm.valuesObject.postgresql.image',
  'helmfile-environments.yaml': 'releases[0].values[0].postgresql.image',
};

describe('a shape that is rare, and right', () => {
  test.each(shapes)('%s', (name, ...replaced) => {
    const path = paths[name];
    const options = path === undefined ? {} : { path };
    const text = fixture(name);
    const { text: edited } = edit(text, options);
    expect(edited).toBe(replaced.reduce((all, [from, to]) => all.replace(from, to), text));
    expect(edit(edited, options).operation).toBe('none');
    expect(edit(text.replaceAll('\n', '\r\n'), options).text).toBe(edited.replaceAll('\n', '\r\n'));
  });

  test('a null behind the start of its document', () => {
    expect(edit('--- null\n').text).toMatch(/^--- \npostgresql:\n {2}image:\n[^]*\n$/);
  });

  test('not a file that SOPS signs as a whole', () => {
    expect(refusalOf(fixture('sops.yaml')).code).toBe('values-encrypted');
  });
});

describe('an item of a list', () => {
  const list = (...items: string[]) => lines('images:', ...items.map((item) => `  ${item}`));

  test.each([
    ['a reference', list('- a/b:1', '- c/d:2 # x'), `  - circleci/server-postgres:${tag} # x`],
    ['a reference in brackets', 'images: [a/b:1, c/d:2]\n', `images: [a/b:1, "circleci/server-postgres:${tag}"]`],
    ['a mapping', list('- tag: 1', '- tag: 2'), `  - tag: 1\n  - tag: ${tag}`],
  ])('is edited: %s', (_, text, expected) => {
    expect(edit(text, { path: 'images[1]' }).text).toContain(expected);
  });

  test.each([
    ['no-item', '2:3', list('- a/b:1'), 'images[1]'],
    ['no-item', '2:3', list('- a/b:1', '-'), 'images[1]'],
    ['no-item', '1:1', 'a: 1\n', 'images[0].b'],
    ['no-item', '1:8', 'images:\n', 'images[0]'],
    ['not-a-list', '1:9', 'images: {a: b}\n', 'images[0]'],
    ['alias', '2:9', 'i: &i [a/b:1]\nimages: *i\n', 'images[0]'],
    ['shared-anchor', '1:9', 'images: &i [a/b:1]\nused: *i\n', 'images[0]'],
    ['tagged', '1:12', 'images: !x [a/b:1]\n', 'images[0]'],
  ])('is refused: %s at %s', (code, where, text, path) => {
    const error = refusalOf(text, { path });
    expect([error.code, error.message.split(': ', 1)[0]]).toEqual([`values-${code}`, `values.yaml:${where}`]);
  });

  test('whose brackets belong to the key', () => {
    expect(edit('a[0]: {tag: 1}\n', { path: 'a\\[0\\]' }).text).toContain(`{tag: ${tag}`);
  });
});
