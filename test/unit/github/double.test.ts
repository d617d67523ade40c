import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BareRepository } from '../../github/bare-repository.ts';
import { GitHubDouble } from '../../github/double.ts';
import { faults } from '../../github/faults.ts';
import { issuesToken, jobToken } from '../../github/token.ts';

jest.setTimeout(30_000);

let git: BareRepository;
let double: GitHubDouble;
beforeEach(async () => {
  git = BareRepository.make({ 'a/b.txt': 'text\n' });
  double = await GitHubDouble.start(git);
});
afterEach(async () => {
  await double.stop();
  git.remove();
});

async function call(
  method: string,
  where: string,
  body?: unknown,
  headers: Record<string, string> = { authorization: 'token x' },
): Promise<{ status: number; data: Record<string, unknown> }> {
  const answer = await fetch(`${double.apiUrl}/repos/octo-org/infrastructure${where}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: answer.status, data: (await answer.json()) as Record<string, unknown> };
}

describe('a broken request is refused by the description', () => {
  it.each([
    ['a field that is missing', 'POST', '/git/refs', { ref: 'refs/heads/x' }, /sha/],
    ['a field of another type', 'POST', '/git/blobs', { content: 7 }, /content must be string/],
    [
      'a value that is not in the list',
      'POST',
      '/git/trees',
      { tree: [{ path: 'x', mode: '100600', sha: 'x' }] },
      /mode/,
    ],
    [
      'a field with a typing mistake',
      'POST',
      '/pulls',
      { head: 'x', base: 'main', titel: 'x' },
      /"titel" is not a permitted key/,
    ],
    ['a body that is no object', 'PATCH', '/git/refs/heads%2Fmain', [1], /must be object/],
    ['no body at all', 'POST', '/git/commits', undefined, /body is expected/],
    ['a query that is unknown', 'GET', '/pulls?sate=all', undefined, /"sate" is not a parameter/],
    ['a query of another type', 'GET', '/pulls?per_page=many', undefined, /per_page/],
    ['a query that is not in the list', 'GET', '/pulls?state=merged', undefined, /state/],
    ['a number in the path that is none', 'GET', '/pulls/one', undefined, /pull_number/],
    ['an issue without a title', 'POST', '/issues', { body: 'x' }, /title/],
    ['a state that no issue has', 'PATCH', '/issues/1', { state: 'done' }, /state/],
    ['a comment that is no text', 'POST', '/issues/1/comments', { body: 7 }, /body/],
    ['issues in an order that there is not', 'GET', '/issues?sort=title', undefined, /sort/],
  ])('%s', async (_, method, where, body, message) => {
    const { status, data } = await call(method, where, body);
    expect(status).toBe(422);
    expect(data['message']).toMatch(message);
    expect(double.violations.join()).toMatch(message);
    expect(git.git(['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/main');
  });

  it('JSON that is none, a call that there is not, and nobody', async () => {
    expect((await call('POST', '/git/blobs', '{')).status).toBe(400);
    expect((await call('GET', '/nonsense')).status).toBe(404);
    expect(double.violations.join()).toContain('no such call');
    expect((await call('GET', '', undefined, {})).status).toBe(401);
  });
});

it("a query that GitHub's schema does not have is answered with errors, and caught", async () => {
  const ask = async (query: string) => {
    const answer = await fetch(`${double.apiUrl}/graphql`, {
      method: 'POST',
      headers: { authorization: 'token x' },
      body: JSON.stringify({ query }),
    });
    return { status: answer.status, data: (await answer.json()) as object };
  };
  expect(await ask('query { viewer { login } }')).toEqual({
    status: 200,
    data: { data: { viewer: { login: 'github-actions[bot]' } } },
  });
  expect(double.violations).toEqual([]);
  const wrong = await ask('query { viewer { logn } }');
  expect(wrong).toMatchObject({ status: 200, data: { errors: [{ message: expect.stringContaining('logn') }] } });
  expect(double.violations.join()).toContain('Cannot query field');
  expect(double.writes).toEqual([]);
});

describe('issues', () => {
  beforeEach(() => {
    double.tokens.set('x', issuesToken);
  });

  it('are what GitHub describes, pull requests among them', async () => {
    expect((await call('POST', '/issues', { title: 'One', assignees: ['ada'], labels: ['a'] })).status).toBe(201);
    await call('POST', '/issues/1/comments', { body: 'Me too' });
    await call('PATCH', '/issues/1', { state: 'closed', state_reason: 'not_planned' });
    const list = await call('GET', '/issues?state=all&creator=github-actions%5Bbot%5D');
    expect(list.data).toMatchObject([{ number: 1, state: 'closed', state_reason: 'not_planned', title: 'One' }]);
    expect((await call('GET', '/issues?creator=ada&state=all')).data).toEqual([]);
    expect((await call('GET', '/issues/1/comments')).data).toMatchObject([{ body: 'Me too' }]);
    double.tokens.set('x', { ...jobToken, issues: 'write' });
    git.commitOn('side', { z: 'z' }, 'Side', git.head('main'));
    await call('POST', '/pulls', { title: 'Two', head: 'side', base: 'main' });
    const [pull] = (await call('GET', '/issues')).data as unknown as Record<string, unknown>[];
    expect(pull).toMatchObject({ number: 2, title: 'Two' });
    expect(pull).toHaveProperty('pull_request');
    expect(double.violations).toEqual([]);
  });

  it('say no as GitHub does', async () => {
    const answers = [
      await call('POST', '/issues', { title: '' }),
      await call('POST', '/issues', { title: 'x', body: 'x'.repeat(65_537) }),
      await call('POST', '/issues', { title: 'x', assignees: ['nobody'] }),
      await call('PATCH', '/issues/7', { body: 'x' }),
      await call('POST', '/issues/7/comments', { body: 'x' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([422, 422, 422, 404, 404]);
    double.tokens.set('x', { ...issuesToken, issues: 'read' });
    expect((await call('POST', '/issues', { title: 'x' })).status).toBe(403);
    double.tokens.set('x', jobToken);
    expect((await call('GET', '/issues')).status).toBe(403);
    double.tokens.set('x', issuesToken);
    double.state.repository.issues = false;
    expect((await call('POST', '/issues', { title: 'x' })).status).toBe(410);
    expect(double.state.issues).toEqual([]);
    expect(double.violations).toEqual([]);
  });
});

describe('a broken answer is caught', () => {
  it.each([
    ['a field that is missing', (body: Record<string, unknown>) => ({ ...body, object: undefined })],
    ['a field of another type', (body: Record<string, unknown>) => ({ ...body, url: 7 })],
    [
      'a SHA that is too short',
      (body: Record<string, unknown>) => ({ ...body, object: { type: 'commit', sha: 'abc', url: 'http://x/y' } }),
    ],
  ])('%s', async (_, spoil) => {
    double.spoil = (_route, answer) => ({ ...answer, body: spoil(answer.body as Record<string, unknown>) });
    const { status } = await call('GET', '/git/ref/heads%2Fmain');
    expect(status).toBe(500);
    expect(double.violations).not.toEqual([]);
  });

  it('a status that GitHub does not give', async () => {
    double.spoil = (_, answer) => ({ ...answer, status: 202 });
    expect((await call('GET', '/git/ref/heads%2Fmain')).status).toBe(500);
    expect(double.violations.join()).toContain('does not answer 202');
  });

  it('and the faults that it plays are true answers of GitHub', async () => {
    for (const fault of Object.values(faults)) {
      if (!('status' in fault)) continue;
      double.play('POST', /\/pulls$/, fault);
      const answer = await fetch(`${double.apiUrl}/repos/octo-org/infrastructure/pulls`, {
        method: 'POST',
        headers: { authorization: 'token x' },
        body: '{}',
      });
      await answer.text();
      // 409 is an answer of git data only.
      if (fault.status !== 409) expect(answer.status).toBe(fault.status);
    }
  });
});

describe('git is real', () => {
  it('objects, references and comparisons are those of the repository', async () => {
    const main = git.head('main') ?? '';
    const blob = (await call('POST', '/git/blobs', { content: 'ü\r\n', encoding: 'utf-8' })).data['sha'] as string;
    expect(git.blob(blob).toString()).toBe('ü\r\n');
    const base = git.commit(main).tree;
    const made = await call('POST', '/git/trees', {
      base_tree: base,
      tree: [{ path: 'a/new.sh', mode: '100755', type: 'blob', sha: blob }],
    });
    const commit = await call('POST', '/git/commits', { message: 'New', tree: made.data['sha'], parents: [main] });
    const sha = commit.data['sha'] as string;
    expect((await call('POST', '/git/refs', { ref: 'refs/heads/new', sha })).status).toBe(201);
    expect(git.git(['ls-tree', '-r', 'new'])).toMatch(/100644 .*a\/b\.txt\n100755 .*a\/new\.sh/);
    expect(execFileSync('git', ['--git-dir', git.directory, 'fsck', '--strict'], { encoding: 'utf8' })).toBe('');

    const { data } = await call('GET', '/compare/main...new');
    expect(data).toMatchObject({ status: 'ahead', ahead_by: 1, behind_by: 0, files: [{ filename: 'a/new.sh' }] });
    expect((await call('GET', '/contents/a/new.sh?ref=new')).data['content']).toBe(
      Buffer.from('ü\r\n').toString('base64'),
    );
    expect((await call('GET', '/branches/new')).data['name']).toBe('new');
  });

  it('says no as GitHub does', async () => {
    const main = git.head('main') ?? '';
    const messages = [
      await call('POST', '/git/refs', { ref: 'refs/heads/main', sha: main }),
      await call('POST', '/git/refs', { ref: 'refs/heads/x', sha: '0'.repeat(40) }),
      await call('PATCH', '/git/refs/heads%2Fnone', { sha: main }),
      await call('POST', '/pulls', { title: 'x', head: 'main', base: 'main' }),
      await call('POST', '/pulls', { title: 'x', head: 'none', base: 'main' }),
      await call('POST', '/git/commits', { message: 'x', tree: main }),
    ];
    expect(messages.map((m) => m.status)).toEqual([422, 422, 422, 422, 422, 422]);
    git.commitOn('main', { x: 'y' }, 'Later');
    git.commitOn('side', { z: 'z' }, 'Side', main);
    const moved = await call('PATCH', '/git/refs/heads%2Fmain', { sha: git.head('side'), force: false });
    expect(moved.data['message']).toBe('Update is not a fast forward');
    expect(double.violations).toEqual([]);
  });
});

it('runs as a program of its own, plays faults and notes every request', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'github-server-'));
  const requests = path.join(folder, 'requests');
  const script = path.resolve('test/github/server.ts');
  const child = spawn(process.execPath, [
    '--no-warnings',
    script,
    '--repo',
    git.directory,
    '--name',
    'o/r',
    '--api-path',
    '/api/v3',
    '--token',
    'secret',
    '--fault',
    'unavailable=GET:/git/ref:1',
    '--requests',
    requests,
  ]);
  try {
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (data: Buffer) => {
        resolve(data.toString().trim());
      });
      child.stderr.once('data', (data: Buffer) => {
        reject(new Error(data.toString()));
      });
    });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/v3$/);
    const get = (where: string, token = 'secret') =>
      fetch(`${url}/repos/o/r${where}`, { headers: { authorization: `Bearer ${token}` } }).then((r) => r.status);
    expect(await get('', 'other')).toBe(401);
    expect(await get('/git/ref/heads/main')).toBe(503);
    expect(await get('/git/ref/heads/main')).toBe(200);
    const lines = readFileSync(requests, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatchObject({
      method: 'GET',
      path: '/repos/o/r/git/ref/heads/main',
      status: 200,
      violations: [],
    });
    expect(readFileSync(requests, 'utf8')).not.toContain('secret');
  } finally {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
    rmSync(folder, { recursive: true });
  }
});
