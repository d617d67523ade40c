import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ProbeFact } from '../../../src/facts/probe-fact.ts';
import { faults } from '../../github/faults.ts';
import { appToken, classicToken, jobToken, type Token } from '../../github/token.ts';
import { branch, path, Scene, values } from './scene.ts';
import { token } from '../github/connect.ts';

jest.setTimeout(30_000);

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(async () => {
  expect(scene.double.writes).toEqual([]);
  await scene.close();
});

function as(kind: Token): void {
  scene.double.tokens.set(token, kind);
}

function statuses(facts: readonly ProbeFact[]): Record<string, string> {
  return Object.fromEntries(facts.map((fact) => [fact.id, fact.status]));
}

const allPassed = {
  'values-file': 'passed',
  'values-branch': 'passed',
  'push-right': 'passed',
  'branch-rules': 'passed',
  'pull-request-right': 'passed',
};

it.each([
  ['GITHUB_TOKEN', jobToken],
  ["an app's token", appToken],
  ['a fine-grained token', { ...jobToken, kind: 'fine-grained' as const, login: 'sam' }],
  ['a classic token', classicToken],
])('passes everything for %s with the rights, and writes nothing', async (_, kind) => {
  as(kind);
  const facts = await scene.probe();
  expect(statuses(facts)).toEqual(allPassed);
  expect(facts[0]?.evidence.join()).toContain('line 6: postgresql.image.tag 12.16 → 14.20');
  expect(facts[0]?.names).toBe('12.16');
  expect(scene.git.git(['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/main');
});

it('asks a classic token nothing but reads', async () => {
  as(classicToken);
  await scene.probe();
  expect(scene.double.attempts).toEqual([]);
});

it('passes with the branch and the pull request of an earlier run', async () => {
  await scene.publish({ tag: '14.19' });
  scene.forget();
  expect(statuses(await scene.probe())).toEqual(allPassed);
});

it('has only the file to tell when nothing is to change', async () => {
  const facts = await scene.probe({ tag: '12.16' });
  expect(statuses(facts)).toEqual({ 'values-file': 'passed' });
  expect(facts[0]?.names).toBe('12.16');
});

it.each([
  [
    'a reference in one value',
    { path: 'image', before: 'x.io/pg:12.16', after: 'cciserver.azurecr.io/pg:14.20' },
    'x.io/pg:12.16',
  ],
  ['no tag at all', { path: 'image.tag', before: undefined, after: '14.20' }, ''],
  ['a digest, which wins over the tag', { path: 'image.digest', before: 'sha256:12', after: '' }, 'sha256:12'],
  [
    'the tag already, of another repository',
    { path: 'image.repository', before: 'mine', after: 'server-postgres' },
    '14.20',
  ],
])('tells what the file names now: %s', async (_, change, names) => {
  const edit = (text: string) => ({
    operation: 'edited' as const,
    text,
    changes: [{ ...change, line: 1 }],
    warnings: [],
  });
  expect((await scene.probe({ edit }))[0]?.names).toBe(names);
});

describe('rights that are missing', () => {
  it.each([
    ['contents', { ...jobToken, contents: 'read' as const }, 'push-right'],
    ['pull requests', { ...jobToken, pullRequests: 'read' as const }, 'pull-request-right'],
    [
      'contents of a fine-grained token',
      { ...jobToken, kind: 'fine-grained' as const, contents: 'read' as const },
      'push-right',
    ],
    ["a user's role", { ...classicToken, contents: 'read' as const }, 'push-right'],
  ])('%s fail', async (_, kind, id) => {
    as(kind);
    const found = (await scene.probe()).find((fact) => fact.id === id);
    expect(found).toMatchObject({ status: 'failed' });
    expect(found?.remedy?.text).toContain('contents: write, pull-requests: write');
  });

  it("a classic token's scopes fail, except public_repo for a public repository", async () => {
    as({ ...classicToken, scopes: ['public_repo'] });
    expect(statuses(await scene.probe())).toMatchObject({ 'push-right': 'failed', 'pull-request-right': 'failed' });
    scene.double.state.repository.private = false;
    expect(statuses(await scene.probe())).toEqual(allPassed);
  });

  it("the setting for GITHUB_TOKEN fails by GitHub's own refusal", async () => {
    scene.double.state.repository.actionsMayOpenPullRequests = false;
    expect(statuses(await scene.probe())['pull-request-right']).toBe('failed');
  });

  it('warns of the setting where it can only be read', async () => {
    as({ ...appToken, administrator: true });
    scene.double.state.repository.actionsMayOpenPullRequests = false;
    const found = (await scene.probe()).at(-1);
    expect(found).toMatchObject({ id: 'pull-request-right', status: 'warning' });
    expect(found?.remedy?.text).toContain('Allow GitHub Actions to create and approve pull requests');
  });

  it('an archived repository fails', async () => {
    scene.double.state.repository.archived = true;
    expect(statuses(await scene.probe())['push-right']).toBe('failed');
  });
});

describe('what stands in the way', () => {
  it('a missing file fails with its path', async () => {
    const facts = await scene.probe({ path: 'nowhere.yaml' });
    expect(statuses(facts)).toEqual({ 'values-file': 'failed' });
    expect(facts[0]?.evidence.join()).toContain('nowhere.yaml on branch main');
  });

  it('an edit that is refused fails with its remedy', async () => {
    expect((await scene.probe({ path: 'README.md' }))[0]).toMatchObject({
      status: 'failed',
      remedy: { text: 'Set "values-path".' },
    });
  });

  it("somebody's work on the branch fails with a link", async () => {
    const commit = scene.git.commitOn(branch, { [path]: values('14.20') }, 'Mine', scene.git.head('main'));
    const found = (await scene.probe()).find((fact) => fact.id === 'values-branch');
    expect(found).toMatchObject({ status: 'failed' });
    expect(found?.evidence.join()).toContain(`/commit/${commit}`);
  });

  it('rules for the name of our branch warn, those of other branches do not', async () => {
    const { rules } = scene.double.state.repository;
    rules.push({ type: 'creation', branch: /^release/ }, { type: 'deletion', branch: /./ });
    expect(statuses(await scene.probe())['branch-rules']).toBe('passed');
    rules.push({ type: 'branch_name_pattern', branch: /./ });
    const found = (await scene.probe()).find((fact) => fact.id === 'branch-rules');
    expect(found).toMatchObject({ status: 'warning' });
    expect(found?.evidence.join()).toContain('branch_name_pattern');
  });

  it('a token that GitHub does not know fails; a GitHub that is down is unknown', async () => {
    scene.double.play('GET', /infrastructure$/, faults.badCredentials);
    expect(statuses(await scene.probe())).toEqual({ 'values-file': 'failed' });
    scene.double.play('GET', /infrastructure$/, faults.unavailable, 5);
    expect(statuses(await scene.probe())).toEqual({ 'values-file': 'unknown' });
  });
});
