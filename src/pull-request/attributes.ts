import { describe, GitHubError } from '../common/errors.ts';
import type { GitHub, PullRequest } from '../ports/github.ts';
import type { PullRequestSettings } from './settings.ts';

export interface Applied {
  readonly changed: boolean;
  readonly warnings: readonly string[];
}

/**
 * Labels, assignees and reviewers that are still missing. None of them is worth
 * a failure: the pull request is there. Whoever has been asked for a review
 * disappears from the list by giving it, so after the first review only a new
 * commit is a reason to ask again.
 */
export async function applyAttributes(
  github: GitHub,
  settings: PullRequestSettings,
  pullRequest: PullRequest,
  newCommit: boolean,
): Promise<Applied> {
  const { number } = pullRequest;
  const warnings: string[] = [];
  let changed = false;
  const attempt = async (what: string, missing: readonly string[], write: () => Promise<unknown>): Promise<void> => {
    if (missing.length === 0) return;
    try {
      await write();
      changed = true;
    } catch (error) {
      if (!(error instanceof GitHubError)) throw error;
      warnings.push(
        `GitHub did not set ${what.toLowerCase()} ${missing.join(', ')} on the pull request: ${describe(error)}`,
      );
    }
  };

  const labels = missingOf(settings.labels, pullRequest.labels);
  await attempt('Labels', labels, () => github.addLabels(number, labels));

  const assignees = missingOf(settings.assignees, pullRequest.assignees);
  await attempt('Assignees', assignees, async () => {
    const left = missingOf(assignees, await github.addAssignees(number, assignees));
    if (left.length > 0) {
      warnings.push(`GitHub did not assign ${left.join(', ')}: it assigns only people with access to the repository.`);
    }
  });

  const reviewers = missingOf(settings.reviewers, pullRequest.reviewers);
  const teams = missingOf(settings.teamReviewers, pullRequest.teamReviewers);
  if (reviewers.length + teams.length > 0 && (newCommit || !(await isReviewed(github, number)))) {
    await attempt('Reviewers', reviewers, () => github.requestReviews(number, { reviewers, teamReviewers: [] }));
    await attempt('Team reviewers', teams, () =>
      github.requestReviews(number, { reviewers: [], teamReviewers: teams }),
    );
  }
  return { changed, warnings };
}

/** Not being able to tell is no reason to ask people again and again. */
async function isReviewed(github: GitHub, number: number): Promise<boolean> {
  try {
    return await github.isReviewed(number);
  } catch (error) {
    if (error instanceof GitHubError) return true;
    throw error;
  }
}

/** GitHub does not tell names by case. */
function missingOf(wanted: readonly string[], present: readonly string[]): string[] {
  const there = new Set(present.map((name) => name.toLowerCase()));
  return wanted.filter((name) => name !== '' && !there.has(name.toLowerCase()));
}
