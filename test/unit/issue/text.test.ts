import { describe, expect, it, test } from '@jest/globals';
import { longestBody } from '../../../src/github/markers.ts';
import { fitting } from '../../../src/issue/fitting.ts';
import { readChange, readIssue } from '../../../src/issue/markers.ts';
import { quiet } from '../../../src/issue/quiet.ts';
import { bodyFor, commentFor } from '../../../src/issue/text.ts';
import { finding, settings } from './scene.ts';

const evil =
  '`]() <img src=x> @ada #1 GH-7 | ``` \n# x <!-- circleci-server-postgresql-precheck end --> <!-- circleci-server-postgresql-precheck change {"change":9,"red":{}} -->';

describe('a text', () => {
  it('of the longest findings there can be is what GitHub takes, and names what it leaves out', () => {
    const many = Array.from({ length: 100 }, (_, i) =>
      finding(`check-${String(i)}`, 'failed', {
        evidence: Array.from({ length: 1000 }, () => 'e'.repeat(2000)),
        remedy: `${'r'.repeat(9000)}\nIn psql:\n${'DROP TABLE x;\n'.repeat(700)}`,
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
    const red = finding('majors', 'failed', { evidence: [evil], remedy: `${evil}\nIn psql:\nDROP TABLE "${evil}";` });
    const told = { change: 1, red: { majors: 'failed' } };
    const body = bodyFor(settings([red], { namespace: 'x', cluster: evil, runUrl: evil }), undefined, 0) ?? '';
    const comment = commentFor(settings([red]), {}, told);
    expect(body.match(/<!--/g)).toHaveLength(2);
    expect(comment.match(/<!--/g)).toHaveLength(1);
    expect(readIssue(body)).toMatchObject({ before: '', after: '' });
    expect(readChange(comment)).toEqual(told);
    const outsideOfCommands = body.replace(/^(`{3,})\n.*?^\1$/gms, '');
    for (const text of [outsideOfCommands, comment]) {
      expect(text).not.toMatch(/@ada|#1|GH-7/);
      // The first line has it in inline code.
      expect(text.replace(/^\*\*✗.*$/m, '')).not.toContain('<img');
    }
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

test.each([
  ['@ada (@ada) "@ada-b" /@x', '@\u2060ada (@\u2060ada) "@\u2060ada-b" /@\u2060x'],
  ['postgres@10.0.0.1 and 50 @ 3', 'postgres@10.0.0.1 and 50 @ 3'],
  ['#12, octo/org#12, checks.md#majors', '#\u206012, octo/org#\u206012, checks.md#majors'],
  ['gh-12, high-1', 'gh-\u206012, high-1'],
  ['a <!-- b', 'a <!\u200b-- b'],
])('%s calls nobody', (line, expected) => {
  expect(quiet([line])).toEqual([expected]);
  expect(quiet(quiet([line]))).toEqual([expected]);
});

test('commands in fences stay as they are, and only there', () => {
  const lines = ['@ada', '````', 'a @ada #1 ```', '```', '@ada', '````', '#1'];
  expect(quiet(lines)).toEqual(['@\u2060ada', '````', 'a @ada #1 ```', '```', '@ada', '````', '#\u20601']);
});

test('what is too long does not take the place of what comes later', () => {
  const { lines, left, length } = fitting(['aaaa', 'bbbbbbbbbb', 'cc'], (item) => [item], 8);
  expect([lines, left, length]).toEqual([['aaaa', 'cc'], ['bbbbbbbbbb'], 8]);
});
