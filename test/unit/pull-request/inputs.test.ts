import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { thrownBy } from '../thrown.ts';
import { path, record, Scene } from './scene.ts';
import { token } from '../github/connect.ts';

jest.setTimeout(30_000);

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(async () => {
  await scene.close();
});

describe('inputs', () => {
  it.each([
    [{ path: 'nowhere.yaml' }, 'values-file-not-found'],
    [{ path: 'environments/production' }, 'values-file-kind'],
    [{ path: 'README.md/x' }, 'values-file-kind'],
    [{ path: './values.yaml' }, 'values-file-path'],
    [{ path: '../values.yaml' }, 'values-file-path'],
    [{ path: '/etc/passwd' }, 'values-file-path'],
    [{ path: 'README.md' }, 'values-no-item'],
    [{ base: 'missing' }, 'base-not-found'],
    [{ branch: 'main' }, 'branch-is-base'],
    [{ branch: 'a b' }, 'branch-name-invalid'],
    [{ branch: '../../pulls' }, 'branch-name-invalid'],
    [{ branch: 'x.lock' }, 'branch-name-invalid'],
    [{ base: '-x' }, 'branch-name-invalid'],
  ])('%j is refused before anything is written', async (more, code) => {
    expect((await thrownBy(() => scene.publish(more))).code).toBe(code);
    expect(scene.double.attempts).toEqual([]);
  });

  it('a symbolic link and a file that is not UTF-8 are refused', async () => {
    const { git } = scene;
    git.commitOn('main', { 'latin.yaml': Buffer.from([0xe4, 0x0a]) }, 'Latin');
    const head = git.head('main') ?? '';
    const tree = git.writeTree('main', [{ path: 'link.yaml', mode: '120000', sha: git.writeBlob(path) }]);
    git.setReference('refs/heads/main', git.writeCommit('x', tree, [head], { name: 'a', email: 'a@b.c' }), head);
    expect((await thrownBy(() => scene.publish({ path: 'latin.yaml' }))).message).toContain('UTF-8');
    expect((await thrownBy(() => scene.publish({ path: 'link.yaml' }))).message).toContain('symbolic link');
  });

  it('takes a base, a branch with slashes and a draft', async () => {
    scene.git.setReference('refs/heads/release/4.10', scene.git.head('main') ?? '');
    const result = await scene.publish({ base: 'release/4.10', branch: 'bot/postgresql-14', draft: true });
    expect(result.operation).toBe('created');
    expect(scene.pull).toMatchObject({ base: 'release/4.10', head: 'bot/postgresql-14', draft: true });
    scene.forget();
    await scene.publish({ base: 'release/4.10', branch: 'bot/postgresql-14', draft: true });
    expect(scene.double.attempts).toEqual([]);
  });

  it('shows the token nowhere but in its header', async () => {
    await scene.publish({ upgrade: record });
    expect(scene.log.text + JSON.stringify(scene.double.requests.map((r) => [r.path, r.body]))).not.toContain(token);
    expect(scene.double.requests.every((r) => r.headers['authorization'] === `token ${token}`)).toBe(true);
  });
});
