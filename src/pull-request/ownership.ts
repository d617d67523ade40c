import { GitHubError } from '../common/errors.ts';
import type { GitHub } from '../ports/github.ts';
import type { BranchState } from './branch-state.ts';
import { trailerOf } from './trailer.ts';

/**
 * Stops when the branch holds anybody else's work: the action never
 * overwrites it or builds upon it. A merge of the base into the branch is nobody's
 * work (GitHub's button "Update branch"): every other commit on the branch is
 * then still ours, and no other file differs.
 * Decision: docs/decisions/0022-pull-request.md
 * @throws GitHubError with a link to what is not ours
 */
export function refuseForeignWork(github: GitHub, name: string, branch: BranchState, path: string): void {
  const { comparison, head } = branch;
  const link = (sha: string) => `${github.serverUrl}/${github.repository}/commit/${sha}`;
  if (comparison.ahead > comparison.commits.length) {
    throw foreign(
      `Branch ${name} has ${String(comparison.ahead)} commits of its own, more than GitHub lists`,
      `${github.serverUrl}/${github.repository}/commits/${name}`,
    );
  }
  const stranger = comparison.commits.find((c) => c.parents.length < 2 && trailerOf(c.message) === undefined);
  if (stranger !== undefined) {
    throw foreign(
      `Branch ${name} has a commit by ${stranger.author} that this action did not make`,
      stranger.url || link(stranger.sha),
    );
  }
  const other = comparison.files.find((file) => file !== path);
  if (other !== undefined) throw foreign(`Branch ${name} changes ${other} too`, link(head));
  const last = comparison.commits.find((c) => c.sha === head);
  const written = last === undefined || last.parents.length > 1 ? undefined : trailerOf(last.message)?.blob;
  if (written !== undefined && written !== branch.blob) {
    throw foreign(`Somebody amended the last commit of branch ${name}`, last?.url ?? link(head));
  }
}

export function foreign(what: string, link: string): GitHubError {
  return new GitHubError(
    'branch-not-ours',
    `${what}: ${link}. Nothing was written.`,
    'Merge or close its pull request, and delete the branch. Or set "pull-request-branch" to another name. Then run the workflow again.',
  );
}
