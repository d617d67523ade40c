import { describe, expect, test } from '@jest/globals';
import { makePlan } from '../../../src/values/edit-values.ts';
import { apply, type Plan } from '../../../src/values/plan.ts';
import { difference, equal, prove, wantedTree } from '../../../src/values/prove.ts';
import type { Source } from '../../../src/values/source.ts';
import { thrownBy } from '../thrown.ts';
import { lines, wantedImage } from './wanted-image.ts';

const source: Source = {
  file: 'values.yaml',
  mark: '',
  text: lines(
    'a: 0755 # old',
    'postgresql:',
    '  image:',
    '    registry: docker.io',
    '    repository: x',
    '    tag: 12',
    '---',
    'b: 1',
  ),
};
const plan = makePlan(source, ['postgresql', 'image'], { file: 'values.yaml', image: wantedImage });
const text = apply(source.text, plan.edits);

/** The plan with one more edit, or another one, as a mistake of ours would make it. */
const withEdits = (edits: Plan['edits']): Plan => ({ ...plan, edits });

describe('the proof', () => {
  test('holds for a right edit', () => {
    expect(() => {
      prove(source, text, plan);
    }).not.toThrow();
  });

  test.each([
    ['another value', text.replace('0755', '0756')],
    ['the same number, written otherwise', text.replace('0755', '755')],
    ['a value of another document', text.replace('b: 1', 'b: 2')],
    ['a key more', `${text}c: 1\n`],
    ['a key less', text.replace('a: 0755 # old\n', '')],
    ['keys in another order', text.replace('a: 0755 # old\n', '').replace('---', 'a: 0755 # old\n---')],
    ['a document more', `${text}---\n`],
    ['a document less', text.replace('---\nb: 1\n', '')],
    ['a word of a comment', text.replace('# old', '# new')],
    ['a comment more', text.replace('b: 1', 'b: 1 # x')],
    ['a space', text.replace('a: 0755', 'a:  0755')],
    ['a line end', text.replace('# old\n', '# old\r\n')],
    ['the last line end', text.trimEnd()],
    ['no tag', text.replace(/ {4}tag: .*\n/, '')],
    ['the old tag', text.replace(wantedImage.tag, '12')],
    ['a longer tag', text.replace(wantedImage.tag, `${wantedImage.tag}0`)],
  ])('fails for %s', async (_, wrong) => {
    expect(wrong).not.toBe(text);
    const error = await thrownBy(() => {
      prove(source, wrong, plan);
    });
    expect(error.code).toBe('values-unproven');
    expect(error.message).toContain('nothing was written');
  });

  test('fails where a value would be a number, in any version of YAML', async () => {
    for (const tag of ['14.20', '1_000', '0o14', '12:30', 'yes']) {
      const wrong: Plan = {
        ...plan,
        writes: plan.writes.map((write) => ({ ...write, after: write.path.at(-1) === 'tag' ? tag : write.after })),
      };
      const error = await thrownBy(() => {
        prove(source, text.replace(wantedImage.tag, tag), wrong);
      });
      expect(error.message).toContain('postgresql.image.tag is not the string');
    }
  });

  test('fails where edits overlap, or the text can not be read', async () => {
    const [first] = plan.edits;
    if (first === undefined) throw new Error('no edit');
    expect(
      (
        await thrownBy(() => {
          prove(source, text, withEdits([...plan.edits, { ...first, end: first.end + 1 }]));
        })
      ).code,
    ).toBe('values-unproven');
    expect(
      (
        await thrownBy(() => {
          prove(source, 'a: [', plan);
        })
      ).code,
    ).toBe('values-unreadable');
    expect(
      (
        await thrownBy(() => {
          prove({ ...source, text: 'a: [' }, text, plan);
        })
      ).code,
    ).toBe('values-unreadable');
  });
});

describe('the difference of two trees', () => {
  const wanted = wantedTree([{ path: ['a', 'b'], after: 'new' }]);
  const tree = (b: unknown, more: [unknown, unknown][] = []) =>
    new Map<unknown, unknown>([['a', new Map([['b', b]])], ...more]);

  test('is none where only the wanted is different', () => {
    expect(difference(tree('old'), tree('new'), wanted)).toBeUndefined();
    expect(difference(null, tree('new'), wanted)).toBeUndefined();
    expect(difference(new Map([['a', null]]), tree('new'), wanted)).toBeUndefined();
  });

  test.each<readonly [string, unknown, unknown]>([
    ['another value beside', tree('old', [['c', 1]]), tree('new', [['c', 2]])],
    ['a key of another type', tree('old', [[1, 1]]), tree('new', [['1', 1]])],
    ['a date', tree('old', [['c', new Date(0)]]), tree('new', [['c', new Date(1)]])],
    ['bytes', tree('old', [['c', Uint8Array.of(1)]]), tree('new', [['c', Uint8Array.of(2)]])],
    ['a set', tree('old', [['c', new Set([1])]]), tree('new', [['c', new Set([2])]])],
    ['null and an empty mapping', tree('old', [['c', null]]), tree('new', [['c', new Map()]])],
    ['a list in place of a mapping', [], tree('new')],
    ['not the wanted value', tree('old'), tree('old')],
    ['no mapping any more', tree('old'), 'new'],
  ])('is found: %s', (_, before, after) => {
    expect(difference(before, after, wanted)).toBeDefined();
  });

  test('ends with cycles', () => {
    const cycle = () => {
      const list: unknown[] = [1];
      list.push(list);
      return list;
    };
    expect(equal(cycle(), cycle())).toBe(true);
    expect(equal(cycle(), [1, [2]])).toBe(false);
  });
});
