import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { thrownBy } from '../thrown.ts';
import { branch, record, Scene } from './scene.ts';

jest.setTimeout(30_000);

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(async () => {
  await scene.close();
});

describe('a closed pull request', () => {
  it('is left closed when it was closed unmerged, and said', async () => {
    await scene.publish();
    scene.pull.state = 'closed';
    scene.forget();
    const result = await scene.publish();
    expect(result).toMatchObject({ operation: 'closed', number: 1 });
    expect(result.warnings.join()).toContain('unmerged');
    expect(scene.double.attempts).toEqual([]);
  });

  it.each([
    ['the run has upgraded', { upgrade: record }],
    ['there is something new', { tag: '14.21' }],
  ])('gets a successor when %s', async (_, more) => {
    await scene.publish();
    scene.pull.state = 'closed';
    expect(await scene.publish(more)).toMatchObject({ operation: 'created', number: 2 });
  });

  it('gets a successor when its branch was deleted', async () => {
    await scene.publish();
    scene.pull.state = 'closed';
    scene.git.deleteBranch(branch);
    scene.git.commitOn('main', { 'README.md': 'later' }, 'Later');
    expect(await scene.publish()).toMatchObject({ operation: 'created', number: 2 });
  });

  it('is not doubled when an open one goes into another base', async () => {
    await scene.publish();
    scene.git.setReference('refs/heads/develop', scene.git.head('main') ?? '');
    scene.pull.base = 'develop';
    scene.forget();
    expect((await thrownBy(() => scene.publish())).code).toBe('pull-request-other-base');
    expect(scene.double.attempts).toEqual([]);
  });
});
