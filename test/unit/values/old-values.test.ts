import { describe, expect, test } from '@jest/globals';
import { fixture } from './fixture.ts';
import { edit, lines, refusalOf } from './wanted-image.ts';

const sha = `sha256:${'0123456789abcdef'.repeat(4)}`;
const codeOf = (text: string, path?: string) => refusalOf(text, path === undefined ? {} : { path }).code;

describe('an old value that is no part of an image is refused', () => {
  test.each([
    ['placeholder-dollar.yaml', 'postgresql.image.tag'],
    ['placeholder-angle-brackets.yaml', 'postgresql.image.repository'],
    ['placeholder-jinja.yaml', 'postgresql.image.tag'],
  ])('%s', (name, what) => {
    const error = refusalOf(fixture(name));
    expect(error.code).toBe('values-template');
    expect(error.message).toContain(`${what} is not the `);
  });

  test.each(['@TAG@', '%TAG%', '__TAG__$', '[[ tag ]]', '#{tag}#', 'ref+vault://a', '12 # 13', 'a b'])(
    'tag: %j',
    (tag) => {
      expect(codeOf(lines('postgresql:', '  image:', `    tag: '${tag}'`))).toBe('values-template');
    },
  );

  test.each(['${IMAGE}', '<IMAGE>', '$IMAGE', '{% image %}'])('image: %j', (reference) => {
    expect(codeOf(lines('postgresql:', `  image: '${reference}'`))).toBe('values-template');
  });

  test.each([
    ['registry', 'docker.io/circleci'],
    ['registry', '[::1]:5000'],
    ['repository', 'localhost:5000/x'],
    ['tag', `12@${sha}`],
    ['tag', '1_000'],
    ['digest', '""'],
  ])('not so %s: %s', (field, value) => {
    const quoted = value === '""' ? value : `'${value}'`;
    expect(edit(lines('postgresql:', '  image:', `    ${field}: ${quoted}`)).operation).toBe('edited');
  });
});

test('a tag with a digest is no reference', () => {
  expect(codeOf(fixture('default-tag.yaml'), 'postgresql.image.defaultTag')).toBe('values-not-an-image');
});

describe('a reference whose tag is a key beside it', () => {
  test('is refused, with the key', () => {
    const error = refusalOf(fixture('image-tag-beside.yaml'));
    expect(error.code).toBe('values-tag-elsewhere');
    expect(error.message).toContain('values.yaml:2:10: ');
    expect(error.message).toContain('imageTag');
  });

  test.each(['tag: 12', 'version: "12"', 'image_tag: 12', 'imageVersion: 12'])('is refused: %s', (beside) => {
    expect(codeOf(lines('postgresql:', '  image: a/b', `  ${beside}`))).toBe('values-tag-elsewhere');
  });

  test.each(['image: a/b:12\n  tag: 11', 'image: a/b\n  tag:', 'image: a/b\n  tags: [x]'])('is edited: %j', (own) => {
    expect(edit(`postgresql:\n  ${own}\n`).operation).toBe('edited');
  });
});
