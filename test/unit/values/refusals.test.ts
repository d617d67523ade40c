import { describe, expect, test } from '@jest/globals';
import { edit, lines, refusalOf, wantedImage } from './wanted-image.ts';

const image = (...texts: string[]) => lines('postgresql:', '  image:', ...texts.map((text) => `    ${text}`));
const sha = `sha256:${'0'.repeat(64)}`;

/** Code without its prefix, line and column, and the file. */
const rows: readonly (readonly [code: string, place: string, text: string])[] = [
  ['alias', '4:10', `t: &t 12\n${image('tag: *t')}`],
  ['alias', '3:10', lines('i: &i {tag: 12}', 'postgresql:', '  image: *i')],
  ['alias', '2:13', lines('p: &p {image: {tag: 12}}', 'postgresql: *p')],
  ['alias', '2:13', lines('p: &p {image: {tag: 12}}', 'postgresql: *p', '---', 'a: 1')],
  ['shared-anchor', '3:10', `${image('tag: &t 12')}used: *t\n`],
  ['shared-anchor', '2:10', lines('postgresql:', '  image: &i', '    tag: 12', 'used: *i')],
  ['shared-anchor', '1:13', lines('postgresql: &p', '  image:', '    tag: 12', 'used: {<<: *p}')],
  ['shared-anchor', '1:13', lines('postgresql: &p', 'used: *p')],
  ['shared-anchor', '2:10', lines('postgresql:', '  image: &i {}', 'used: [*i]')],
  ['merged-key', '4:5', lines('d: &d {tag: 12}', 'postgresql:', '  image:', '    <<: *d')],
  ['merged-key', '3:3', lines('d: &d {image: {tag: 12}}', 'postgresql:', '  <<: *d')],
  ['merged-key', '2:1', lines('d: &d {postgresql: {image: {tag: 12}}}', '<<: [*d]')],
  ['merged-key', '5:5', lines('d: &d {tag: 12}', 'postgresql:', '  image:', '    tag: 12', '    <<: *d')],
  [
    'merged-key',
    '4:5',
    lines('d: &d {digest: ""}', 'postgresql:', '  image:', '    <<: [{a: 1}, {tag: 11}]', '    registry: x'),
  ],
  ['block-scalar', '3:10', image('tag: >-', '  12', '  13')],
  ['block-scalar', '3:10', image('tag: | # old', '  12')],
  ['tagged', '3:15', image('tag: ! &a 12')],
  ['tagged', '3:11', image('tag: !', 'a: 1')],
  ['several-lines', '3:10', image('tag: 12', '  13')],
  ['several-lines', '3:10', image('tag: "12\\', '  13"')],
  ['template', '3:10', image('tag: {{ .Values.tag }}')],
  ['template', '3:10', image('tag: "{{ .Values.tag }}"')],
  ['template', '3:10', image('tag: ${TAG}')],
  ['template', '3:10', image('tag: ENC[AES256_GCM,data:x]')],
  ['template', '2:10', lines('postgresql:', '  image: {{ .Values.image }}')],
  ['template', '1:13', lines('postgresql: {{ .Values.postgresql }}')],
  ['template', '1:3', `{{- if .Values.x }}\n${image('tag: 12')}{{- end }}\n`],
  ['duplicate-key', '4:5', image('tag: 12', 'tag: 13')],
  ['duplicate-key', '3:3', lines('postgresql:', '  image: {tag: 12}', '  "image": {tag: 13}')],
  ['duplicate-key', '4:1', `${image('tag: 12')}postgresql: {}\n`],
  ['not-a-mapping', '1:13', lines('postgresql: [1]')],
  ['not-a-mapping', '1:13', lines('postgresql: text')],
  ['not-a-mapping', '1:1', lines('- postgresql')],
  ['not-a-mapping', '1:1', 'text'],
  ['not-a-scalar', '3:10', image('tag: [12]')],
  ['not-a-scalar', '4:7', image('tag:', '  - 12')],
  ['not-an-image', '2:10', lines('postgresql:', '  image: ""')],
  ['not-an-image', '2:10', lines('postgresql:', '  image: 12.16')],
  ['not-an-image', '2:10', lines('postgresql:', '  image: two words')],
  ['not-an-image', '2:10', lines('postgresql:', '  image: [1]')],
  ['tagged', '3:16', image('tag: !!int 12')],
  ['tagged', '3:17', image('tag: !!null ""')],
  ['tagged', '2:13', lines('postgresql:', '  image: !x {tag: 12}')],
  ['not-a-scalar', '4:13', image('tag: 12', 'digest: [1]')],
  ['duplicate-key', '5:5', `d: &d {tag: 12}\n${image('<<: *d', '<<: *d')}`],
  ['encrypted', '4:13', `${image('tag: 12')}sops: {mac: x}\n`],
  ['explicit-key', '1:3', lines('? postgresql')],
  ['explicit-key', '2:5', lines('postgresql:', '  ? image', '  :')],
  ['invalid-yaml', '2:1', 'a: [\n'],
  ['invalid-yaml', '2:1', 'postgresql:\n\timage: x\n'],
  ['invalid-yaml', '1:4', 'a: b: c\n'],
  ['ambiguous', '1:11', `a: &a:b/c 12\n${image('tag: 12')}`],
  ['ambiguous', '1:34', 'postgresql: {image: {registry: x,?tag: 12, tag: 12}}'],
  ['ambiguous', '1:22', 'postgresql: {image: {:tag: 12}}'],
  ['ambiguous', '1:14', 'postgresql: {image:}'],
  ['ambiguous', '1:22', 'postgresql: {image: {registry:,tag: 12}}'],
  ['tab', '4:3', `${image('tag: 12')}  \t# c\n`],
  ['tab', '5:1', `${image('tag: &x', 'registry: x')}\t\n`],
  ['control-character', '2:3', 'a: 1\nb: \u0000'.replace('b: ', 'b:')],
  ['control-character', '1:5', 'a: 1\rb: 1\n'],
  ['control-character', '2:4', 'é: 1\n# 🐘\u2028\n'],
  ['control-character', '1:4', 'a: \ufeff\n'],
];

describe('an edit is refused', () => {
  test.each(rows)('%s at %s', (code, place, text) => {
    const error = refusalOf(text);
    expect([error.code, error.message.split(': ', 1)[0]]).toEqual([`values-${code}`, `values.yaml:${place}`]);
    expect(error.name).toBe('ConfigurationError');
    expect(error.message).not.toContain('\n');
    expect(error.remedy.text).toMatch(/^[A-Z].*\.$/);
  });

  test('with the same place in a file with a byte order mark and CRLF', () => {
    for (const [code, place, text] of rows) {
      if (code === 'control-character') continue;
      const error = refusalOf(`\ufeff${text.replaceAll('\n', '\r\n')}`);
      expect(error.message).toContain(`values.yaml:${place}: `);
    }
  });

  test.each([
    ['in two documents', `${image('tag: 12')}---\n${image('tag: 12')}`, '1 (line 1), 2 (line 5)'],
    ['in two documents, begun', `a: 1\n---\n${lines('postgresql:')}---\n${lines('postgresql: {}')}`, '2 (line 3), 3'],
    ['in two documents, one behind an alias', `${image('tag: 12')}---\np: &p {}\npostgresql: *p\n`, '1 (line 1), 2'],
    ['in none of two documents', 'a: 1\n---\nb: 1\n', 'none of them'],
    ['in none of two empty documents', '---\n---\n', 'none of them'],
  ])('when the image is %s', (_, text, where) => {
    const error = refusalOf(text);
    expect(error.code).toBe('values-several-documents');
    expect(error.message).toContain(where);
  });

  test('when the text can not be UTF-8', () => {
    expect(refusalOf('a: \ud800').code).toBe('values-not-utf8');
  });

  test('when the file is larger than Helm takes', () => {
    expect(refusalOf(`# ${'x'.repeat(1024 * 1024)}`).code).toBe('values-too-large');
  });

  test('when aliases of aliases stand for more than Helm reads', () => {
    const doubled = Array.from({ length: 30 }, (_, n) => {
      const [above, name] = [String(n), String(n + 1)];
      return `l${name}: &l${name} [*l${above}, *l${above}]`;
    });
    const text = lines('l0: &l0 [x]', ...doubled, 'postgresql: {image: {tag: 12}}');
    expect(refusalOf(text).code).toBe('values-aliases');
  });

  test('when brackets are nested without end', () => {
    expect(refusalOf(`a: ${'['.repeat(20_000)}`).code).toBe('values-invalid-yaml');
    expect(refusalOf(`a: ${'['.repeat(200)}${']'.repeat(200)}`).code).toBe('values-unreadable');
  });

  test.each([
    ['registry', ['', 'docker.io/x', 'https://docker.io', 'a b', 'x:', 'x:123456', '-a']],
    ['repository', ['', 'Upper', '/a', 'a/', 'a//b', 'a:b', 'a\nb', `a${'a'.repeat(255)}`]],
    ['tag', ['', '=', '<<', '~', '.1', '-1', 'a b', 'a:b', '{{ x }}', 'a\n', `a@${sha}`, 'x'.repeat(129)]],
    ['digest', ['', 'sha256:x', 'sha256', sha.toUpperCase(), `${sha}0`, 'md5:0']],
  ])('when the wanted %s is none', (part, values) => {
    for (const value of values) {
      const error = refusalOf('', { image: { ...wantedImage, [part]: value } });
      expect([value, error.code]).toEqual([value, 'values-image-invalid']);
    }
  });

  test.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a[].b',
    'a[x].b',
    '[0].a',
    'a.[0]',
    'a[0]b',
    'a[00000]',
    'a]',
    'a b',
    'postgresql.image.tag',
    'a\\',
  ])('when the path is %j', (path) => {
    expect(refusalOf('', { path }).code).toBe('values-path-invalid');
  });
});

describe('not refused', () => {
  test('is a chain of many aliases', () => {
    const chain = Array.from({ length: 1000 }, (_, n) => `l${String(n + 1)}: &l${String(n + 1)} [*l${String(n)}]`);
    expect(edit(lines('l0: &l0 [x]', ...chain, 'postgresql: {image: {tag: 12}}')).operation).toBe('edited');
  });

  test('is a mapping with very many keys', () => {
    const keys = Array.from({ length: 20_000 }, (_, n) => `k${String(n)}: ${String(n)}`);
    expect(edit(lines(...keys, 'postgresql: {image: {tag: 12}}')).operation).toBe('edited');
  });

  test('is an alias that holds itself', () => {
    expect(edit(lines('a: &a [*a]', 'postgresql: {image: {tag: 12}}')).operation).toBe('edited');
  });
});
