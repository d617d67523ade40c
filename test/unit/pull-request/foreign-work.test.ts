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

describe("somebody else's work on the branch", () => {
  async function refused(): Promise<string> {
    scene.forget();
    const before = scene.git.head(branch);
    const error = await thrownBy(() => scene.publish());
    expect(error.code).toBe('branch-not-ours');
    expect(scene.double.attempts).toEqual([]);
    expect(scene.git.head(branch)).toBe(before);
    return error.message;
  }

  it('stops at a commit of a person, with a link to it', async () => {
    await scene.publish();
    const commit = scene.git.commitOn(branch, { 'NOTES.md': 'mine' }, 'My notes');
    const message = await refused();
    expect(message).toContain('Pat Person');
    expect(message).toContain(`${scene.double.serverUrl}/octo-org/infrastructure/commit/${commit}`);
  });

  it('stops at a branch of that name which never was ours', async () => {
    scene.git.commitOn(branch, { [path]: values('14.20') }, 'By hand', scene.git.head('main'));
    await refused();
  });

  it('stops at a commit of ours that was amended with its message kept', async () => {
    await scene.publish();
    const ours = scene.git.commit(branch);
    const tree = scene.git.writeTree(ours.tree, [{ path, mode: '100644', sha: scene.git.writeBlob('mine') }]);
    const amended = scene.git.writeCommit(ours.message, tree, ours.parents, { name: 'ada', email: 'ada@example.com' });
    scene.git.setReference(`refs/heads/${branch}`, amended, ours.sha);
    expect(await refused()).toContain('amended');
  });

  it('stops at another file in a commit that says it is ours', async () => {
    await scene.publish();
    scene.git.commitOn(branch, { 'other.yaml': 'x' }, scene.git.commit(branch).message);
    expect(await refused()).toContain('other.yaml');
  });

  it('stops at a branch without common history', async () => {
    scene.git.commitOn(branch, { x: 'y' }, 'Orphan');
    expect(await refused()).toContain('no history');
  });

  it('stops when a person pushes between reading and writing', async () => {
    await scene.publish({ tag: '14.19' });
    scene.double.play('PATCH', /git\/refs/, {
      meanwhile: () => {
        scene.git.commitOn(branch, { 'NOTES.md': 'mine' }, 'My notes');
      },
    });
    const error = await thrownBy(() => scene.publish());
    expect(error.code).toBe('branch-not-ours');
    expect(scene.git.commit(branch).message).toBe('My notes');
    expect(scene.log.text).toContain('Reading again');
  });
});
