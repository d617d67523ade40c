import { GitHubError, sentence } from '../common/errors.ts';
import type { GitHubSurroundings } from '../github/read-again.ts';
import type { GitHub, PullRequest } from '../ports/github.ts';
import type { PullRequestSettings } from './settings.ts';
import type { Survey } from './survey.ts';
import { remedyAfter, remedyOf, type Remedy } from '../text/remedy.ts';
import { newText } from './text.ts';
import { emptySection } from './markers.ts';

/**
 * Opens the pull request of a branch that is pushed.
 * @throws GitHubError with the link by which a person opens it, when the token may not
 */
export async function openPullRequest(
  { github, log }: Pick<GitHubSurroundings, 'github' | 'log'>,
  settings: PullRequestSettings,
  found: Survey,
  warnings: string[],
): Promise<PullRequest> {
  const { title, body } = newText(settings, found.lines, (part) => log.redact(part));
  const request = { title, body, head: found.branchName, base: found.base.name };
  try {
    return await github.createPullRequest({ ...request, draft: settings.draft });
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    if (error.code === 'github-no-drafts' && settings.draft) {
      warnings.push('This repository has no draft pull requests, so the action opened a usual one.');
      return await openPullRequest({ github, log }, { ...settings, draft: false }, found, warnings);
    }
    if (error.code === 'github-uncertain' || error.code === 'github-exists') throw error;
    throw new GitHubError(
      error.code,
      `${sentence(error.message)} The commit is on branch ${found.branchName}.`,
      remedyAfter(
        `Open the pull request by hand: ${compareLink(github, found.base.name, found.branchName, title)}`,
        nextTime(error, github, found),
      ),
      { cause: error },
    );
  }
}

function nextTime(error: GitHubError, github: GitHub, { access }: Survey): Remedy {
  if (error.code !== 'github-pull-requests-not-permitted') return remedyAfter('For the next time:', error.remedy);
  const setting = '"Allow GitHub Actions to create and approve pull requests"';
  const repository = `the repository's Settings, Actions, General (${access.url}/settings/actions)`;
  const owner = github.repository.split('/', 1).join();
  const organization = `first in the organization's (${github.serverUrl}/organizations/${owner}/settings/actions), which overrides the repository's`;
  return remedyOf(
    `For the next time, set ${setting} in ${repository}${access.ownedByOrganization ? `, ${organization}` : ''}; or give "github-token" a token of a GitHub App.`,
  );
}

/** Where a person opens the pull request with one click, with our title and markers filled in. */
function compareLink(github: GitHub, base: string, branch: string, title: string): string {
  const [from, to] = [base, branch].map((name) => name.split('/').map(encodeURIComponent).join('/'));
  const query = new URLSearchParams({ expand: '1', title, body: emptySection(title) });
  return `${github.serverUrl}/${github.repository}/compare/${from ?? ''}...${to ?? ''}?${query.toString()}`;
}
