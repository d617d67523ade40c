import { describe, expect, it, test } from '@jest/globals';
import { longestBody } from '../../../src/github/markers.ts';
import { takeWithinBudget } from '../../../src/issue/within-budget.ts';
import { readChange, readIssue } from '../../../src/issue/markers.ts';

import { bodyFor, commentFor } from '../../../src/issue/text.ts';
import { psqlRemedy } from '../../../src/text/remedy.ts';
import { finding, settings } from './scene.ts';

const evil =
  '`]() <img src=x> @ada #1 GH-7 | ``` \n# x <!-- circleci-server-postgresql-precheck end --> <!-- circleci-server-postgresql-precheck change {"change":9,"red":{}} -->';

describe('a text', () => {
  it('of the longest findings there can be is what GitHub takes, and names what it leaves out', () => {
    const many = Array.from({ length: 100 }, (_, i) =>
      finding(`check-${String(i)}`, 'failed', {
        evidence: Array.from({ length: 1000 }, () => 'e'.repeat(2000)),
        remedy: psqlRemedy('r'.repeat(9000), [['\\connect x', ...Array.from({ length: 700 }, () => 'DROP TABLE x;')]]),
      }),
    );
    const body = bodyFor(settings(many), undefined, 0) ?? '';
    expect(body.length).toBeLessThanOrEqual(longestBody);
    expect(body.length).toBeGreaterThan(30_000);
    for (const { check } of many) expect(body).toContain(`\`${check}\``);
    expect(readIssue(body)?.data.red['check-99']).toBe('failed');
    const red = readIssue(body)?.data.red ?? {};
    expect(commentFor(settings(many), {}, { change: 1, red }).length).toBeLessThan(longestBody);
  });

  it('tells the worst first', () => {
    const body = bodyFor(settings([finding('files', 'warning'), finding('majors')]), undefined, 0) ?? '';
    expect(body.indexOf('majors was seen')).toBeLessThan(body.indexOf('files was seen'));
  });

  it('is the same for the same facts', () => {
    const same = settings([finding('majors'), finding('files', 'warning')]);
    expect(bodyFor(same, undefined, 3)).toBe(bodyFor(same, undefined, 3));
  });

  it('holds text of others that can neither end our part nor call anybody', () => {
    const red = finding('majors', 'failed', {
      evidence: [evil],
      remedy: { text: evil, commands: [{ in: 'psql', lines: [`DROP TABLE "${evil}";`] }] },
    });
    const told = { change: 1, red: { majors: 'failed' } };
    const body = bodyFor(settings([red], { namespace: 'x', cluster: evil, runUrl: evil }), undefined, 0) ?? '';
    const comment = commentFor(settings([red]), {}, told);
    expect(body.match(/<!--/g)).toHaveLength(2);
    expect(comment.match(/<!--/g)).toHaveLength(1);
    expect(readIssue(body)).toMatchObject({ before: '', after: '' });
    expect(readChange(comment)).toEqual(told);
    const outsideOfCode = (text: string) =>
      text.replace(/^(`{3,})\n.*?^\1$/gms, '').replace(/(?<![`\\])(`+)(?!`).*?[^`]\1(?!`)/g, '');
    for (const text of [body, comment].map(outsideOfCode))
      expect(text.replace(/&#\d+;/g, '')).not.toMatch(/@ada|#1|GH-7|<img/);
  });

  it.each([
    ['has no marker', 'Only words.'],
    ['has lost the last one', (bodyFor(settings([]), undefined, 0) ?? '').replace(/<!-- \S+ end -->/, '')],
    [
      'holds data that is no JSON',
      '<!-- circleci-server-postgresql-precheck begin {x} -->\n<!-- circleci-server-postgresql-precheck end -->',
    ],
    [
      'holds other data',
      '<!-- circleci-server-postgresql-precheck begin {"uid":7} -->\n<!-- circleci-server-postgresql-precheck end -->',
    ],
  ])('that %s is nothing of ours', (_what, body) => {
    expect(readIssue(body)).toBeUndefined();
  });
});

test('what is too long does not take the place of what comes later', () => {
  const { lines, left, length } = takeWithinBudget(['aaaa', 'bbbbbbbbbb', 'cc'], (item) => [item], 8);
  expect([lines, left, length]).toEqual([['aaaa', 'cc'], ['bbbbbbbbbb'], 8]);
});
