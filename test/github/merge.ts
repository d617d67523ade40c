import type { GitHubDouble } from './double.ts';

/** A person merges the pull request that was opened last, as GitHub's button does: with a merge commit or squashed. */
export function mergePullRequest({ state }: GitHubDouble, how: 'merge' | 'squash' = 'merge'): void {
  const { git } = state;
  const pull = state.pullRequests.at(-1);
  if (pull === undefined) throw new Error('there is no pull request');
  const base = git.head(pull.base) ?? '';
  const tree = git.git(['merge-tree', '--write-tree', pull.base, pull.head]);
  const parents = how === 'merge' ? [base, git.head(pull.head) ?? ''] : [base];
  const commit = git.writeCommit('Merge', tree, parents, { name: 'ada', email: 'ada@example.com' });
  git.setReference(`refs/heads/${pull.base}`, commit, base);
  pull.state = 'closed';
  pull.mergedAt = '2026-01-03T00:00:00Z';
}
