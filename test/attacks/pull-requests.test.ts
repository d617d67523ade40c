// Who may fork the repository and open a pull request from there, without the right to push to it.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { isFromSameRepository } from '../../src/adapters/github-shapes.ts';
import { emptySection } from '../../src/pull-request/markers.ts';
import type { PullRequestState } from '../github/objects.ts';
import { branch, record, Scene } from '../unit/pull-request/scene.ts';

jest.setTimeout(30_000);

const title = 'Set PostgreSQL of CircleCI Server to 14.20 (circleci-server)';

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(async () => {
  await scene.close();
});

/** Opened from a fork that the same organization owns, which GitHub allows: from a branch of our name, with our title and our markers. */
function fromFork(number: number, more: Partial<PullRequestState> = {}): PullRequestState {
  const main = scene.git.head('main') ?? '';
  return {
    ...{
      number,
      author: 'mallory',
      head: branch,
      fork: 'octo-org/fork',
      base: 'main',
      title,
      body: emptySection(title),
    },
    ...{ draft: false, state: 'open', mergedAt: null, headSha: main, baseSha: main },
    ...{ labels: [], assignees: [], reviewers: [], teamReviewers: [], reviews: [] },
    ...more,
  };
}

describe('a pull request from a fork in the same organization', () => {
  test('is not taken for ours: ours is opened beside it', async () => {
    const theirs = fromFork(1);
    scene.double.state.pullRequests.push(theirs);
    const before = structuredClone(theirs);
    const result = await scene.publish({ upgrade: record, labels: ['postgresql'], reviewers: ['ada'] });
    expect(result).toMatchObject({ operation: 'created', number: 2, headSha: scene.git.head(branch), warnings: [] });
    expect(theirs).toEqual(before);
    expect(scene.double.writes.filter((line) => /\/(pulls|issues)\/1\b/.test(line))).toEqual([]);
    expect(await scene.publish()).toMatchObject({ operation: 'none', number: 2 });
  });

  test('does not stop ours where it goes into another base', async () => {
    scene.double.state.pullRequests.push(fromFork(1, { base: 'develop' }));
    expect(await scene.publish()).toMatchObject({ operation: 'created', number: 2 });
  });

  test('does not decline ours where it was closed at the commit of our branch', async () => {
    const { headSha = '' } = await scene.publish();
    const { pullRequests } = scene.double.state;
    pullRequests.splice(0, 1, fromFork(1, { state: 'closed', headSha }));
    expect(await scene.publish()).toMatchObject({ operation: 'created', number: 2 });
  });

  test('does not hide ours, however many there are', async () => {
    await scene.publish();
    for (let number = 2; number <= 105; number++)
      scene.double.state.pullRequests.push(fromFork(number, { state: 'closed' }));
    expect(await scene.publish()).toMatchObject({ operation: 'none', number: 1 });
  });
});

test('a pull request from a fork that was deleted is not ours', () => {
  expect(isFromSameRepository({ head: { repo: null }, base: { repo: { id: 1 } } })).toBe(false);
});
