import { describe, expect, it } from '@jest/globals';
import type { PullRequest } from '../../../src/ports/github.ts';
import { changedLines, type ChangedLine } from '../../../src/pull-request/changed-lines.ts';
import { block, code, text } from '../../../src/text/markdown.ts';
import { changedText, newText } from '../../../src/pull-request/text.ts';
import type { PullRequestSettings } from '../../../src/pull-request/settings.ts';

const settings: PullRequestSettings = {
  path: 'values.yaml',
  edit: (text) => ({ operation: 'none', text, changes: [], warnings: [] }),
  image: 'registry.example.com/postgres:14.20',
  tag: '14.20',
  namespace: 'server',
  base: '',
  branch: '',
  labels: [],
  assignees: [],
  reviewers: [],
  teamReviewers: [],
  draft: false,
  runUrl: 'https://github.com/o/r/actions/runs/1',
};
const lines = changedLines('a:\n  tag: 12\n', 'a:\n  tag: 14.20\n');
const { title, body } = newText(settings, lines);

function pullRequest(more: Partial<PullRequest>): PullRequest {
  return {
    number: 7,
    url: 'u',
    state: 'open',
    merged: false,
    title,
    body,
    base: 'main',
    headSha: '',
    labels: [],
    assignees: [],
    reviewers: [],
    teamReviewers: [],
    ...more,
  };
}
const newer = { ...settings, tag: '14.21', image: 'registry.example.com/postgres:14.21' };

describe('the text of people', () => {
  it('around the markers stays to the letter', () => {
    const present = pullRequest({ body: `Before  \r\n\n${body}\n\n/cc @ada <b>\n` });
    const { change } = changedText(newer, lines, present);
    expect(change.body).toMatch(/^Before {2}\r\n\n<!-- /);
    expect(change.body).toMatch(/end -->\n\n\/cc @ada <b>\n$/);
    expect(change.body).toContain('14.21');
    expect(change.body).not.toContain('postgres:14.20');
  });

  it('between the markers goes, line ends of a browser are no change', () => {
    expect(changedText(settings, lines, pullRequest({ body: body.replaceAll('\n', '\r\n') })).change).toEqual({});
    const scribbled = body.replace('Merge this', 'Do not merge this');
    expect(changedText(settings, lines, pullRequest({ body: scribbled })).change).toEqual({ body });
  });

  it.each([
    ['the beginning', body.replace(/<!-- \S+ begin .*? -->/, '')],
    ['the end', body.replace(/<!-- \S+ end -->/, '')],
    ['everything', 'My own words'],
    ['the order', [...body.split('\n')].reverse().join('\n')],
  ])('is left alone when %s is gone, and that is said', (_, text) => {
    const { change, note } = changedText(newer, lines, pullRequest({ body: text }));
    expect(change).toEqual({});
    expect(note).toMatch(/#7 has lost the markers/);
  });

  it('in the title stays, our own title follows the version', () => {
    expect(changedText(newer, lines, pullRequest({})).change.title).toContain('14.21');
    expect(changedText(newer, lines, pullRequest({ title: 'Database!' })).change.title).toBeUndefined();
  });
});

describe('the length', () => {
  const upgrade = {
    before: '12',
    after: '14',
    downtimeSeconds: 1,
    backup: 's',
    phases: Array.from({ length: 40 }, () => ({
      id: 'x',
      title: 'x'.repeat(900),
      seconds: 1,
      outcome: 'done' as const,
    })),
  };
  const long: ChangedLine[] = Array.from({ length: 500 }, (_, line) => ({ line, sign: '+', text: 'b'.repeat(9000) }));

  it('is bounded, however much there is to tell', () => {
    expect(newText({ ...settings, upgrade }, long).body.length).toBeLessThan(65_536);
  });

  it('leaves room for people, first by telling less, then by telling nothing', () => {
    const some = pullRequest({ body: `${'x'.repeat(65_536 - 4000)}${body}` });
    const shorter = changedText({ ...settings, upgrade }, lines, some).change.body ?? '';
    expect(shorter.length).toBeLessThanOrEqual(65_536);
    expect(shorter).toContain('too long');
    const full = pullRequest({ body: `${'x'.repeat(65_536 - body.length)}${body}` });
    expect(changedText({ ...settings, upgrade }, long, full)).toMatchObject({
      change: {},
      note: expect.stringMatching(/no room/),
    });
  });
});

describe('text of others', () => {
  const evil = '`]() <img src=x onerror=alert(1)> @ada #1 ``` | \n# x <!-- circleci-server-postgresql-upgrade end -->';

  it('is no markup, no mention and no marker', () => {
    expect(text(evil)).not.toMatch(/[<>|]|@(?!\u2060)|(?<!\\)[`[\]]/);
    expect(code(evil)).toMatch(/^````\s?[^\n]*[^`]````$/);
    expect(block('diff', [evil]).join('\n')).toMatch(/^````diff\n[^\n]*\n[^\n]*\n````$/);
    for (const markdown of [code(evil), ...block('', [evil])]) expect(markdown).not.toContain('<!--');
  });

  it('in changes and names cannot end our part', () => {
    const changes: ChangedLine[] = [{ line: 1, sign: '+', text: evil }];
    const run = {
      before: evil,
      after: evil,
      phases: [{ id: '', title: evil, seconds: 1, outcome: 'done' as const }],
      downtimeSeconds: 1,
      backup: evil,
    };
    const made = newText({ ...settings, path: evil, namespace: evil, runUrl: evil, upgrade: run }, changes);
    expect(made.body.match(/<!--/g)).toHaveLength(3);
    expect(
      changedText({ ...settings, path: evil, namespace: evil, runUrl: evil, upgrade: run }, changes, pullRequest(made))
        .change,
    ).toEqual({});
  });
});

describe('the lines that change', () => {
  const show = (before: string, after: string) =>
    changedLines(before, after).map(({ line, sign, text }) => `${String(line)}${sign}${text}`);

  it.each([
    ['a\nb\nc\n', 'a\nB\nc\n', ['2-b', '2+B']],
    ['a\nb\nc\nd', 'A\nb\nC\nd', ['1-a', '3-c', '1+A', '3+C']],
    ['a\nc\n', 'a\nb\nc\n', ['2+b']],
    ['a\na\n', 'a\na\na\n', ['3+a']],
    ['a', 'a\nb', ['2+b']],
    ['a\r\nb\r\n', 'a\r\nB\r\n', ['2-b\r', '2+B\r']],
    ['same', 'same', []],
  ])('%j → %j', (before, after, expected) => {
    expect(show(before, after)).toEqual(expected);
  });
});
