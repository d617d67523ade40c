import { GitHubError } from '../common/errors.ts';
import type { GitHub, Tried } from '../ports/github.ts';
import { issuePermissions } from './github-error.ts';
import type { GitHubRequests, Place } from './github-request.ts';

/** No commit has it. */
const noCommit = '0'.repeat(40);

/** What the token may do, as far as it can be told without writing anything. */
export function accessTo(
  requests: GitHubRequests,
  place: Place,
): Pick<GitHub, 'access' | 'branchRules' | 'actionsMayOpenPullRequests' | 'tryPush' | 'tryPullRequest' | 'viewer'> {
  return {
    async access() {
      const { data, headers } = await requests.read(
        `read the repository ${place.owner}/${place.repo}`,
        'GET /repos/{owner}/{repo}',
        {
          ...place,
        },
      );
      const scopes = headers['x-oauth-scopes'];
      return {
        defaultBranch: data.default_branch,
        url: data.html_url,
        ownedByOrganization: data.owner.type === 'Organization',
        private: data.private,
        frozen: data.archived || data.disabled,
        mayPush: data.permissions?.push,
        scopes:
          scopes === undefined
            ? undefined
            : scopes
                .split(',')
                .map((scope) => scope.trim())
                .filter(Boolean),
      };
    },

    async viewer() {
      // REST tells it to users' tokens only: an app's, such as GITHUB_TOKEN, gets 403 from GET /user.
      const data = await requests.query(
        { doing: 'ask for whom the token speaks', repeatable: true, permissions: issuePermissions },
        'query { viewer { login } }',
      );
      return (data as { viewer: { login: string } }).viewer.login;
    },

    async branchRules(branch) {
      const answer = await unlessHidden(
        requests.read(`read the rules for branch ${branch}`, 'GET /repos/{owner}/{repo}/rules/branches/{branch}', {
          ...place,
          branch,
          per_page: 100,
        }),
      );
      return answer?.data.map((rule) => rule.type);
    },

    async actionsMayOpenPullRequests() {
      const answer = await unlessHidden(
        requests.read(
          'read the workflow permissions of the repository',
          'GET /repos/{owner}/{repo}/actions/permissions/workflow',
          { ...place },
        ),
      );
      return answer?.data.can_approve_pull_request_reviews;
    },

    async tryPush(branch) {
      return await tried(
        requests.read('try to make a branch', 'POST /repos/{owner}/{repo}/git/refs', {
          ...place,
          ref: `refs/heads/${branch}`,
          sha: noCommit,
        }),
      );
    },

    async tryPullRequest(branch) {
      return await tried(
        requests.read('try to open a pull request', 'POST /repos/{owner}/{repo}/pulls', {
          ...place,
          title: 'May this token open pull requests?',
          head: branch,
          base: branch,
        }),
      );
    },
  };
}

/** GitHub shows some settings to administrators only, and old servers don't have them all. */
async function unlessHidden<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const hidden: readonly GitHubError['code'][] = [
      'github-permission-missing',
      'github-forbidden',
      'github-not-found',
    ];
    if (error instanceof GitHubError && hidden.includes(error.code)) return undefined;
    throw error;
  }
}

/** A request that is never valid: refused for that reason means that the token may. */
async function tried(answer: Promise<unknown>): Promise<Tried> {
  try {
    await answer;
    return 'unknown';
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    if (error.code === 'github-invalid' || error.code === 'github-exists') return 'allowed';
    const refused: readonly GitHubError['code'][] = [
      'github-permission-missing',
      'github-forbidden',
      'github-not-found',
      'github-pull-requests-not-permitted',
      'github-rule',
    ];
    return refused.includes(error.code) ? 'refused' : 'unknown';
  }
}
