import type { GitHub } from '../ports/github.ts';
import { pages, pageSize } from './github-pages.ts';
import type { GitHubRequests, Place } from './github-request.ts';
import { isFromSameRepository, toPullRequest } from './github-shapes.ts';

/** Pull requests and what hangs on them. */
export function pullRequests(
  requests: GitHubRequests,
  place: Place,
): Pick<
  GitHub,
  | 'pullRequestsFrom'
  | 'createPullRequest'
  | 'updatePullRequest'
  | 'isReviewed'
  | 'addLabels'
  | 'addAssignees'
  | 'requestReviews'
> {
  return {
    async pullRequestsFrom(branch) {
      const all = await pages(async (page) => {
        const { data } = await requests.read(
          `list the pull requests of branch ${branch}`,
          'GET /repos/{owner}/{repo}/pulls',
          {
            ...place,
            ...{ head: `${place.owner}:${branch}`, state: 'all', sort: 'created', direction: 'desc' },
            ...{ per_page: pageSize, page },
          },
        );
        return data;
      });
      return all.filter(isFromSameRepository).map(toPullRequest);
    },

    async createPullRequest(request) {
      const { data } = await requests.call(
        {
          doing: 'open the pull request',
          repeatable: false,
          // Not all of GitHub knows the branch at once.
          passing: /could not resolve to a node|no commits between/i,
        },
        'POST /repos/{owner}/{repo}/pulls',
        { ...place, ...request },
      );
      return toPullRequest({ ...data, merged_at: null });
    },

    async updatePullRequest(number, change) {
      await requests.fresh(
        `update pull request #${String(number)}`,
        'PATCH /repos/{owner}/{repo}/pulls/{pull_number}',
        {
          ...place,
          pull_number: number,
          ...change,
        },
      );
    },

    async isReviewed(number) {
      const { data } = await requests.read(
        `read the reviews of pull request #${String(number)}`,
        'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews',
        { ...place, pull_number: number, per_page: 1 },
      );
      return data.length > 0;
    },

    async addLabels(number, labels) {
      await requests.fresh('add the labels', 'POST /repos/{owner}/{repo}/issues/{issue_number}/labels', {
        ...place,
        issue_number: number,
        labels: [...labels],
      });
    },

    async addAssignees(number, logins) {
      const { data } = await requests.fresh(
        'assign the pull request',
        'POST /repos/{owner}/{repo}/issues/{issue_number}/assignees',
        { ...place, issue_number: number, assignees: [...logins] },
      );
      return (data.assignees ?? []).map((user) => user.login);
    },

    async requestReviews(number, from) {
      await requests.fresh('request reviews', 'POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers', {
        ...place,
        pull_number: number,
        reviewers: [...from.reviewers],
        team_reviewers: [...from.teamReviewers],
      });
    },
  };
}
