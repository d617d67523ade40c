import { describe, expect, test } from '@jest/globals';
import { makePlan } from '../../../src/values/edit-values.ts';
import type { Plan } from '../../../src/values/plan.ts';
import { prove } from '../../../src/values/prove.ts';
import type { Source } from '../../../src/values/source.ts';
import { thrownBy } from '../thrown.ts';
import { lines, wantedImage } from './wanted-image.ts';

const sourceOf = (text: string): Source => ({ file: 'values.yaml', mark: '', text });
const source = sourceOf(
  lines(
    'a: 0755 # old',
    'shared: &s {when: 2001-12-14, bytes: !!binary YQ==, of: !!set {? a, ? b} }',
    'again: *s',
    '1: one',
    'postgresql:',
    '  image:',
    '    registry: docker.io',
    '    repository: x',
    '    tag: 12',
    '---',
    'b: 1',
  ),
);
const plan = makePlan(source, ['postgresql', 'image'], { file: 'values.yaml', image: wantedImage });

/** The plan with another edit beside its own, as a mistake of ours would make it. */
function planWith(found: string, replacement: string): Plan {
  const start = source.text.indexOf(found);
  if (start === -1) throw new Error(`no ${found}`);
  return { ...plan, edits: [...plan.edits, { start, end: start + found.length, text: replacement }] };
}

/** The plan with the text of its edits changed. */
function planWhere(change: (text: string) => string): Plan {
  return { ...plan, edits: plan.edits.map((edit) => ({ ...edit, text: change(edit.text) })) };
}

const codeOf = async (wrong: Plan) => (await thrownBy(() => prove(source, wrong))).code;

/** An edit that adds a text before another one. */
function planAdding(added: string, before: string): Plan {
  const start = source.text.indexOf(before);
  return { ...plan, edits: [...plan.edits, { start, end: start, text: added }] };
}

describe('the proof', () => {
  test('gives the text of a right edit', () => {
    const right = source.text.replace('repository: x', 'repository: circleci/server-postgres');
    expect(prove(source, plan)).toBe(right.replace('tag: 12', `tag: ${wantedImage.tag}`));
  });

  test.each<readonly [string, Plan]>([
    ['another value', planWith('0755', '0756')],
    ['the same number, written otherwise', planWith('0755', '755')],
    ['a key of another type', planWith('1: one', '"1": one')],
    ['a date', planWith('2001-12-14', '2001-12-15')],
    ['bytes', planWith('YQ==', 'Yg==')],
    ['a shared value', planWith('2001-12-14', 'now')],
    ['the members of a set', planAdding(', ? c', '} }')],
    ['a value of another document', planWith('b: 1', 'b: 2')],
    ['a key more', planAdding('c: 1\n', 'b: 1')],
    ['a key less', planWith('a: 0755 # old\n', '')],
    ['keys in another order', planWith('a: 0755 # old\nshared', 'shared')],
    ['a document more', planAdding('---\nc: 1\n', 'b: 1')],
    ['a document less', planWith('---\nb: 1\n', '')],
    ['a word of a comment', planWith('old', 'new')],
    ['a letter more in a comment', planAdding('er', 'old')],
    ['a letter more at the end of a comment', planAdding('er', '\nshared')],
    ['a comment less', planWith(' # old', '')],
    ['a comment more', planAdding(' # x', '\nagain')],
    ['a comment of its own line', planAdding('# x\n', 'again')],
    ['a space', planAdding(' ', '0755')],
    ['a line end', planAdding('\r', '\nshared')],
    ['a line', planAdding('\n', '\nshared')],
    ['the last line end', planWith('b: 1\n', 'b: 1')],
    ['no tag', planWhere((text) => (text === wantedImage.tag ? '' : text))],
    ['the old tag', planWhere((text) => (text === wantedImage.tag ? '12' : text))],
    ['a longer tag', planWhere((text) => (text === wantedImage.tag ? `${text}0` : text))],
    ['a tag with a comment', planWhere((text) => (text === wantedImage.tag ? `${text} # x` : text))],
    ['no edit at all', { ...plan, edits: [] }],
  ])('fails for %s', async (_, wrong) => {
    const error = await thrownBy(() => prove(source, wrong));
    expect(error.code).toBe('values-unproven');
    expect(error.message).toContain('Nothing was written');
  });

  test.each(['14.20', '1_000', '0o14', '12:30', 'yes'])(
    'fails where %s would not be a string, in any version of YAML',
    async (tag) => {
      const writes = plan.writes.map((write) => (write.path.at(-1) === 'tag' ? { ...write, after: tag } : write));
      const wrong = planWhere((text) => (text === wantedImage.tag ? tag : text));
      expect(await codeOf({ ...wrong, writes })).toBe('values-unproven');
    },
  );

  test.each([
    ['a list', 'postgresql: [1]\n'],
    ['a text', 'postgresql: text\n'],
    ['a shared mapping', 'other: &p {image: {}}\npostgresql: *p\n'],
  ])('fails where %s is in place of a mapping, and nothing is edited', async (_, text) => {
    const error = await thrownBy(() => prove(sourceOf(text), { ...plan, document: 0, edits: [] }));
    expect(error.code).toBe('values-unproven');
  });

  test('fails where edits overlap', async () => {
    const [first] = plan.edits;
    if (first === undefined) throw new Error('no edit');
    expect(await codeOf({ ...plan, edits: [...plan.edits, first] })).toMatch(/^values-(unproven|unreadable)$/);
    const inside = { start: first.start + 1, end: first.start + 1, text: 'y' };
    expect(await codeOf({ ...plan, edits: [...plan.edits, inside] })).toMatch(/^values-(unproven|unreadable)$/);
  });

  test('fails where two edits of one value overlap, although the outcome is right', async () => {
    const edits = plan.edits.flatMap((one) => {
      const half = Math.floor(one.text.length / 2);
      return [one.text.slice(0, half), one.text.slice(half)].map((part) => ({ ...one, text: part }));
    });
    expect(await codeOf({ ...plan, edits })).toBe('values-unproven');
  });

  test('fails where the value is shared with another place', async () => {
    const shared = sourceOf('other: &p {image: {tag: 12}}\npostgresql: *p\n');
    const start = shared.text.indexOf('12');
    const writes = [{ path: ['postgresql', 'image', 'tag'], before: '12', after: 'v14', offset: start }];
    const wrong = { ...plan, document: 0, writes, edits: [{ start, end: start + 2, text: 'v14' }] };
    expect((await thrownBy(() => prove(shared, wrong))).code).toBe('values-unproven');
  });

  test('fails where the text can not be read, before or after', async () => {
    expect(await codeOf(planWith('0755', '['))).toBe('values-unreadable');
    expect((await thrownBy(() => prove(sourceOf('a: ['), { ...plan, edits: [] }))).code).toBe('values-unreadable');
  });
});
