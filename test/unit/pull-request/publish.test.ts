import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { branch, path, record, Scene, values } from './scene.ts';

jest.setTimeout(30_000);

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(async () => {
  await scene.close();
});

describe('nothing there yet', () => {
  it('makes one commit of one file on a branch of its own, and a pull request', async () => {
    const base = scene.git.head('main') ?? '';
    const result = await scene.publish({ upgrade: record });

    expect(result).toMatchObject({ operation: 'created', number: 1, warnings: [] });
    expect(result.url).toBe(`${scene.double.serverUrl}/octo-org/infrastructure/pull/1`);
    expect(result.headSha).toBe(scene.git.head(branch));
    expect(scene.diff).toEqual(['-    tag: 12.16 # by hand', '+    tag: 14.20 # by hand']);
    expect(scene.git.commit(branch).parents).toEqual([base]);
    expect(scene.git.file(branch, path)).toBe(values('14.20'));
    expect(scene.git.git(['diff', '--name-only', `main...${branch}`])).toBe(path);
    expect(scene.merged).toBe(values('14.20'));
    expect(scene.double.writes).toEqual([
      'POST /repos/octo-org/infrastructure/git/blobs 201',
      'POST /repos/octo-org/infrastructure/git/trees 201',
      'POST /repos/octo-org/infrastructure/git/commits 201',
      'POST /repos/octo-org/infrastructure/git/refs 201',
      'POST /repos/octo-org/infrastructure/pulls 201',
    ]);
  });

  it('leaves author and committer to GitHub, which then signs', async () => {
    const { headSha = '' } = await scene.publish();
    const sent = scene.double.requests.find((r) => r.path.endsWith('/git/commits') && r.method === 'POST');
    expect(Object.keys(sent?.body as object).sort()).toEqual(['message', 'parents', 'tree']);
    expect([...scene.double.state.objects.commits.signed]).toEqual([headSha]);
    expect(scene.git.commit(headSha).author.name).toBe('github-actions[bot]');
  });

  it('says in the commit which version and which file it is about', async () => {
    await scene.publish();
    const { message } = scene.git.commit(branch);
    expect(message).toContain('Postgresql-Upgrade: 14.20\n');
    expect(message).toContain(`Postgresql-Upgrade-Blob: ${scene.git.git(['rev-parse', `${branch}:${path}`])}`);
  });

  it('describes change, figures, snapshot and the way back', async () => {
    await scene.publish({ upgrade: record });
    const { title, body, base, draft } = scene.pull;
    expect({ title, base, draft }).toEqual({
      title: 'Set PostgreSQL of CircleCI Server to 14.20 (circleci-server)',
      base: 'main',
      draft: false,
    });
    expect(body).toContain('-    tag: 12.16 # by hand\n+    tag: 14.20 # by hand');
    for (const part of [
      '`12.16` → `14.20`',
      '41.5 s',
      'Upgrade the data | 12.3',
      record.backup,
      'How to roll back',
      '/actions/runs/7',
    ]) {
      expect(body).toContain(part);
    }
  });

  it('keeps the file executable, its BOM, CRLF and a missing last line end', async () => {
    const text = `\uFEFF${values('12.16').replaceAll('\n', '\r\n')}x: "ü"`;
    const tree = scene.git.writeTree('main', [{ path, mode: '100755', sha: scene.git.writeBlob(text) }]);
    const head = scene.git.head('main') ?? '';
    const person = { name: 'ada', email: 'ada@example.com' };
    scene.git.setReference('refs/heads/main', scene.git.writeCommit('x', tree, [head], person), head);
    await scene.publish();
    expect(scene.git.file(branch, path)).toBe(text.replace('12.16', '14.20'));
    expect(scene.git.git(['ls-tree', branch, path])).toMatch(/^100755 /);
    expect(scene.diff).toHaveLength(2);
  });
});

describe('a second run', () => {
  it('writes nothing at all', async () => {
    const all = { labels: ['upgrade'], assignees: ['ada'], reviewers: ['ben'], teamReviewers: ['platform'] };
    const first = await scene.publish({ upgrade: record, ...all });
    scene.forget();
    const second = await scene.publish({ upgrade: record, ...all });
    expect(second).toEqual({ ...first, operation: 'none' });
    expect(scene.double.attempts).toEqual([]);
  });

  it('that upgraded nothing and has another address keeps what the first one told', async () => {
    await scene.publish({ upgrade: record });
    scene.forget();
    expect((await scene.publish({ runUrl: 'https://github.com/o/r/actions/runs/8' })).operation).toBe('none');
    expect(scene.double.attempts).toEqual([]);
    expect(scene.pull.body).toContain('41.5 s');
  });

  it('that upgraded puts its figures into a pull request made before', async () => {
    await scene.publish();
    expect(scene.pull.body).not.toContain('41.5 s');
    expect((await scene.publish({ upgrade: record })).operation).toBe('updated');
    expect(scene.pull.body).toContain('41.5 s');
  });

  it('opens what an earlier run could not open, without another commit', async () => {
    await scene.publish();
    scene.double.state.pullRequests.length = 0;
    scene.forget();
    expect((await scene.publish()).operation).toBe('created');
    expect(scene.double.writes).toEqual(['POST /repos/octo-org/infrastructure/pulls 201']);
  });
});

describe('nothing to change', () => {
  it('makes neither branch nor commit nor pull request', async () => {
    scene.git.commitOn('main', { [path]: values('14.20') }, 'By hand');
    const result = await scene.publish();
    expect(result).toMatchObject({ operation: 'none', number: undefined, headSha: undefined, warnings: [] });
    expect(scene.double.attempts).toEqual([]);
    expect(scene.git.head(branch)).toBeUndefined();
  });

  it('says so of an open pull request that has nothing left to do', async () => {
    await scene.publish();
    scene.git.commitOn('main', { [path]: values('14.20') }, 'By hand');
    scene.forget();
    const result = await scene.publish();
    expect(result).toMatchObject({ operation: 'none', number: 1, headSha: scene.git.head(branch) });
    expect(result.warnings.join()).toMatch(/changes nothing: close it/);
    expect(scene.double.attempts).toEqual([]);
  });

  it.each(['merge', 'squash'] as const)('stays so after a %s', async (how) => {
    await scene.publish();
    scene.merge(how);
    scene.forget();
    expect((await scene.publish()).operation).toBe('none');
    expect(scene.double.attempts).toEqual([]);
  });
});
