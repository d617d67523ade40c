import { GitHubError } from '../common/errors.ts';
import type { GitHub } from '../ports/github.ts';
import { issuePermissions as permissions } from './github-error.ts';
import { pages, pageSize } from './github-pages.ts';
import type { Call, GitHubRequests, Place } from './github-request.ts';
import { toComment, toIssue } from './github-shapes.ts';

function reading(doing: string): Call {
  return { doing, repeatable: true, permissions };
}

/** Not even what sets the same text twice: by then somebody may have written there. */
function writing(doing: string): Call {
  return { doing, repeatable: false, permissions };
}

/** Issues and their comments. They are listed, never searched: GitHub's search learns of a new issue late. */
export function issues(
  requests: GitHubRequests,
  place: Place,
): Pick<GitHub, 'issuesBy' | 'createIssue' | 'updateIssue' | 'issueComments' | 'createComment' | 'deleteComment'> {
  return {
    async issuesBy(login) {
      const all = await pages(async (page) => {
        const { data } = await requests.call(
          reading(`list the issues of ${login}`),
          'GET /repos/{owner}/{repo}/issues',
          {
            ...place,
            ...{ creator: login, state: 'all', sort: 'created', direction: 'asc' },
            ...{ per_page: pageSize, page },
          },
        );
        return data;
      });
      // Every pull request is an issue too.
      return all.filter((issue) => issue.pull_request === undefined).map(toIssue);
    },

    async createIssue({ title, body, labels, assignees }) {
      const { data } = await requests.call(writing('open the issue'), 'POST /repos/{owner}/{repo}/issues', {
        ...place,
        title,
        body,
        labels: [...labels],
        assignees: [...assignees],
      });
      return toIssue(data);
    },

    async updateIssue(number, { body, state, reason }) {
      const { data } = await requests.call(
        writing(`update issue #${String(number)}`),
        'PATCH /repos/{owner}/{repo}/issues/{issue_number}',
        {
          ...place,
          issue_number: number,
          ...(body === undefined ? {} : { body }),
          ...(state === undefined ? {} : { state }),
          ...(reason === undefined ? {} : { state_reason: reason }),
        },
      );
      return toIssue(data);
    },

    async issueComments(number) {
      const all = await pages(async (page) => {
        const { data } = await requests.call(
          reading(`read the comments of issue #${String(number)}`),
          'GET /repos/{owner}/{repo}/issues/{issue_number}/comments',
          { ...place, issue_number: number, per_page: pageSize, page },
        );
        return data;
      });
      return all.map(toComment);
    },

    async createComment(number, body) {
      const { data } = await requests.call(
        writing(`comment on issue #${String(number)}`),
        'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
        { ...place, issue_number: number, body },
      );
      return toComment(data);
    },

    async deleteComment(id) {
      try {
        await requests.call(
          { doing: 'delete a comment that says the same again', repeatable: true, permissions },
          'DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}',
          { ...place, comment_id: id },
        );
      } catch (error) {
        if (!(error instanceof GitHubError) || error.code !== 'github-not-found') throw error;
      }
    },
  };
}
