import { describe, expect, test } from '@jest/globals';
import { around, edit, lines, wantedImage } from './wanted-image.ts';

const { tag } = wantedImage;
const sha = `sha256:${'0123456789abcdef'.repeat(4)}`;

const tagLines: readonly (readonly [title: string, before: string, after: string])[] = [
  ['plain', '    tag: 12.16.1', `    tag: ${tag}`],
  ['plain, with a comment', '    tag: 12.16.1 # was 11', `    tag: ${tag} # was 11`],
  ['spaces before the comment', '    tag: 12.16.1     # was 11', `    tag: ${tag}     # was 11`],
  ['a tab before the comment', '    tag: 12.16.1\t# was 11', `    tag: ${tag}\t# was 11`],
  ['spaces at the end', '    tag: 12.16.1   ', `    tag: ${tag}   `],
  ['odd spacing', '    tag   :    12.16.1', `    tag   :    ${tag}`],
  ['single quotes', "    tag: '12.16.1'", `    tag: '${tag}'`],
  ['double quotes', '    tag: "12.16.1" # "x"', `    tag: "${tag}" # "x"`],
  ['quoted key', `    "tag": '12.16.1'`, `    "tag": '${tag}'`],
  ['a number', '    tag: 12.10', `    tag: ${tag}`],
  ['nothing', '    tag:', `    tag: ${tag}`],
  ['nothing, with a comment', '    tag: # none', `    tag: ${tag} # none`],
  ['null', '    tag: null # none', `    tag: ${tag} # none`],
  ['~', '    tag: ~', `    tag: ${tag}`],
  ['the empty string', '    tag: ""', `    tag: "${tag}"`],
  ['the tag !!str', '    tag: !!str 12.16.1', `    tag: !!str ${tag}`],
  ['an anchor that nobody uses', '    tag: &t 12.16.1', `    tag: &t ${tag}`],
  ['an anchor before nothing', '    tag: &t', `    tag: &t ${tag}`],
  ['a digest after the tag', `    tag: 12.16.1@${sha}`, `    tag: ${tag}`],
  ['the value on the next line', '    tag:\n      12.16.1', `    tag:\n      ${tag}`],
  ['a comment below that a tab indents', '    tag: 12.16.1\n  \t# c\n\t', `    tag: ${tag}\n  \t# c\n\t`],
  ['an explicit key', '    ? tag\n    : 12.16.1', `    ? tag\n    : ${tag}`],
];

const surroundings: readonly (readonly [title: string, before: string[], after: string[]])[] = [
  ['blank lines and comments', ['', '# head', ''], ['', '  # below', '', '# end', '']],
  ['numbers that look otherwise', ['a: 0755', 'b: 0x1F', 'c: 1e3', 'd: 12.10', 'e: 1_000'], ['f: 12:30']],
  ['flow mappings', ['a: {b: {c: [1, 2]}, d: "x" }'], ['e: []']],
  [
    'long and folded lines',
    [`a: ${'word '.repeat(60)}end`],
    ['b: >-', '  postgresql:', '    image: 12.16.1', 'c: |+', '  x', ''],
  ],
  ['anchors and merges of others', ['a: &a {tag: 12.16.1}', 'b: *a'], ['c:', '  <<: *a', '  d: *a']],
  ['the same tag elsewhere', ['redis:', '  image:', '    tag: 12.16.1'], ['tag: 12.16.1']],
  ['unicode', ['größe: "日本 🐘"'], ['x: é # ü']],
  ['a document start', ['---'], []],
  ['directives', ['%YAML 1.2', '---'], []],
  ['tags that nobody knows', ['a: !vault |', '  secret', 'b: !x {c: 1}'], ['d: !y [1]']],
  ['keys of other types', ['1: a', 'true: b', '? [c, d]', ': e'], ['"1.0": f']],
];

describe('an edit', () => {
  test.each(tagLines)('of a tag: %s', (_, before, after) => {
    expect(edit(around(before)).text).toBe(around(after));
  });

  test.each(surroundings)('leaves alone %s', (_, above, below) => {
    expect(edit(around('    tag: 12.16.1', above, below)).text).toBe(around(`    tag: ${tag}`, above, below));
  });

  test('tells each change with its path and its line', () => {
    const { operation, changes, warnings } = edit(lines('postgresql:', '  image:', '    tag: 12.10'));
    expect([operation, warnings]).toEqual(['edited', []]);
    expect(changes).toEqual([
      { path: 'postgresql.image.registry', line: 4, before: undefined, after: 'docker.io' },
      { path: 'postgresql.image.repository', line: 5, before: undefined, after: 'circleci/server-postgres' },
      { path: 'postgresql.image.tag', line: 3, before: '12.10', after: tag },
    ]);
  });

  test('is none, and the same bytes, where the image is there already', () => {
    const text = `\ufeff${around(`    tag: ${tag} # 14`)}`.replaceAll('\n', '\r\n');
    expect(edit(text)).toMatchObject({ operation: 'none', text });
    const reference = lines('postgresql:', `  image: docker.io/circleci/server-postgres:${tag}`);
    expect(edit(reference)).toMatchObject({ operation: 'none', text: reference });
    expect(edit(around(`    tag: *t`, [`t: &t ${tag}`])).operation).toBe('none');
  });

  test('follows another path, with a dot in a key', () => {
    const { text } = edit(lines('a.b:', '  db: {tag: 12}'), { path: 'a\\.b.db' });
    expect(text).toBe(lines('a.b:', `  db: {tag: ${tag}, registry: docker.io, repository: circleci/server-postgres}`));
  });
});
