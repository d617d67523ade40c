import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { thrownBy } from '../thrown.ts';
import { branch, path, Scene, values } from './scene.ts';

jest.setTimeout(30_000);

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(async () => {
  await scene.close();
});

describe('a branch of ours', () => {
  it('gets a commit on top when the version is another one', async () => {
    const first = await scene.publish({ tag: '14.19' });
    const second = await scene.publish();
    expect(second.operation).toBe('updated');
    expect(scene.git.commit(second.headSha ?? '').parents).toEqual([first.headSha]);
    expect(scene.diff).toEqual(['-    tag: 12.16 # by hand', '+    tag: 14.20 # by hand']);
    expect(scene.pull).toMatchObject({ title: 'Set PostgreSQL of CircleCI Server to 14.20 (circleci-server)' });
    expect(scene.pull.body).not.toContain('14.19');
  });

  it('needs nothing when the base moved elsewhere', async () => {
    await scene.publish();
    scene.git.commitOn('main', { 'README.md': 'other' }, 'Elsewhere');
    scene.forget();
    expect((await scene.publish()).operation).toBe('none');
    expect(scene.double.attempts).toEqual([]);
    expect(scene.merged).toBe(values('14.20'));
  });

  it('merges the base when the file changed there, also right beside our line', async () => {
    const first = await scene.publish();
    const changed = values('12.16', '    pullPolicy: Always\n').replace('server-postgres', 'mirror/server-postgres');
    scene.git.commitOn('main', { [path]: changed }, 'Mirror');
    expect(scene.merged).toBeUndefined();
    const second = await scene.publish();
    expect(second).toMatchObject({ operation: 'updated', number: 1 });
    expect(scene.git.commit(second.headSha ?? '').parents).toEqual([first.headSha, scene.git.head('main')]);
    expect(scene.diff).toEqual(['-    tag: 12.16 # by hand', '+    tag: 14.20 # by hand']);
    expect(scene.merged).toBe(changed.replace('12.16', '14.20'));
    scene.forget();
    expect((await scene.publish()).operation).toBe('none');
    expect(scene.double.attempts).toEqual([]);
  });

  it('has the same tree as a branch made anew, whatever happened before', async () => {
    await scene.publish({ tag: '14.19' });
    scene.git.commitOn('main', { [path]: values('12.17'), 'README.md': 'other' }, 'Both');
    await scene.publish();
    const updated = scene.git.commit(branch).tree;
    scene.git.deleteBranch(branch);
    scene.pull.state = 'closed';
    await scene.publish();
    expect(scene.git.commit(branch).tree).toBe(updated);
  });

  it('is still ours after "Update branch"', async () => {
    await scene.publish();
    scene.git.commitOn('main', { 'README.md': 'other' }, 'Elsewhere');
    scene.updateBranch();
    scene.forget();
    expect((await scene.publish()).operation).toBe('none');
    expect(scene.double.attempts).toEqual([]);
    expect((await scene.publish({ tag: '14.21' })).operation).toBe('updated');
    expect(scene.diff).toHaveLength(2);
  });

  it('is used again when its pull request was merged and the change reverted', async () => {
    await scene.publish();
    scene.merge('squash');
    scene.git.commitOn('main', { [path]: values('12.16') }, 'Revert');
    const result = await scene.publish();
    expect(result).toMatchObject({ operation: 'created', number: 2 });
    expect(scene.diff).toHaveLength(2);
    expect(scene.merged).toBe(values('14.20'));
  });

  it('goes forward without a merge commit when the base holds all of it', async () => {
    await scene.publish();
    scene.merge('merge');
    const reverted = scene.git.commitOn('main', { [path]: values('12.16') }, 'Revert');
    const result = await scene.publish();
    expect(result.operation).toBe('created');
    expect(scene.git.commit(branch).parents).toEqual([reverted]);
  });

  it('never asks for a forced update', async () => {
    await scene.publish({ tag: '14.19' });
    await scene.publish();
    const moves = scene.double.requests.filter((r) => r.method === 'PATCH' && r.path.includes('/git/refs/'));
    expect(moves.map((r) => (r.body as { force: unknown }).force)).toEqual([false]);
  });
});

describe('a base that moves', () => {
  const theirs = values('12.16', '    pullPolicy: Always\n');

  it('while the branch is written leads to the edit of the newer file', async () => {
    scene.double.play('POST', /git\/refs/, {
      meanwhile: () => {
        scene.git.commitOn('main', { [path]: theirs }, 'Policy');
      },
    });
    const result = await scene.publish();
    expect(result.operation).toBe('created');
    expect(scene.merged).toBe(theirs.replace('12.16', '14.20'));
    expect(scene.diff).toHaveLength(2);
  });

  it('elsewhere is of no interest', async () => {
    scene.double.play('POST', /git\/refs/, {
      meanwhile: () => {
        scene.git.commitOn('main', { 'README.md': 'x' }, 'Elsewhere');
      },
    });
    await scene.publish();
    expect(scene.double.writes.filter((line) => line.includes('git/commits'))).toHaveLength(1);
  });

  it('again and again ends the run with what happened', async () => {
    let count = 0;
    scene.double.play(
      'GET',
      /git\/ref\/heads\/main/,
      {
        meanwhile: () => {
          count++;
          scene.git.commitOn('main', { [path]: values('12.16', `n: ${String(count)}\n`) }, 'Again');
        },
      },
      99,
    );
    expect((await thrownBy(() => scene.publish())).code).toBe('base-moved');
  });
});
