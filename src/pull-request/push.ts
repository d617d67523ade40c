import type { GitHub } from '../ports/github.ts';
import type { PullRequestSettings } from './settings.ts';
import type { Survey } from './survey.ts';
import { commitMessage } from './trailer.ts';

/**
 * The parents of the commit that is still to be made; undefined when the branch
 * is right as it is.
 *
 * The tree is always the base's with the one file edited, whoever the parents
 * are, so that creating and updating give the same result and the pull request
 * shows the edit and nothing else:
 * - no branch, or one that the base holds completely: on top of the base;
 * - a branch that starts at the base's head: on top of the branch;
 * - a branch that started earlier: a merge of the base into the branch. A plain
 *   commit could name the right text and still conflict, since git then sees the
 *   base's change of a line beside ours twice.
 * A base that moved without touching the file needs no commit: merging gives
 * the edit all the same.
 */
export function missingCommit({ base, branch }: Survey): readonly string[] | undefined {
  if (branch === undefined || branch.comparison.ahead === 0) return [base.head];
  if (branch.fits && !branch.baseChanged) return undefined;
  return branch.comparison.behind === 0 ? [branch.head] : [branch.head, base.head];
}

/** Writes one commit with the edited file and gives it to our branch; answers its SHA. Never forces. */
export async function push(
  github: GitHub,
  settings: PullRequestSettings,
  found: Survey,
  parents: readonly string[],
): Promise<string> {
  const { path, image, tag } = settings;
  const blob = await github.createBlob(new TextEncoder().encode(found.edited.text));
  const tree = await github.createTree(await github.treeOf(found.base.head), {
    path,
    mode: found.file.mode,
    sha: blob,
  });
  const commit = await github.createCommit(commitMessage(path, image, { version: tag, blob }), tree, parents);
  if (found.branch === undefined) await github.createBranch(found.branchName, commit);
  else await github.moveBranch(found.branchName, commit);
  return commit;
}
