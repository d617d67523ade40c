import type { Endpoints } from '@octokit/types';
import type { Comparison, Issue, IssueComment, PullRequest } from '../ports/github.ts';

type PullRequestAnswer = Endpoints['GET /repos/{owner}/{repo}/pulls']['response']['data'][number];
type ComparisonAnswer = Endpoints['GET /repos/{owner}/{repo}/compare/{basehead}']['response']['data'];

/** What is read of a pull request, from a list's entry or from a whole one. */
export function toPullRequest(
  data: Pick<PullRequestAnswer, 'number' | 'html_url' | 'state' | 'title' | 'body'> & {
    merged_at: string | null;
    base: { ref: string };
    head: { sha: string };
    labels: readonly { name?: string }[];
    assignees?: readonly { login: string }[] | null;
    requested_reviewers?: readonly { login?: string }[] | null;
    requested_teams?: readonly { slug: string }[] | null;
  },
): PullRequest {
  return {
    number: data.number,
    url: data.html_url,
    state: data.state === 'open' ? 'open' : 'closed',
    merged: data.merged_at !== null,
    title: data.title,
    body: data.body ?? '',
    base: data.base.ref,
    headSha: data.head.sha,
    labels: data.labels.flatMap((label) => label.name ?? []),
    assignees: (data.assignees ?? []).map((user) => user.login),
    reviewers: (data.requested_reviewers ?? []).flatMap((user) => user.login ?? []),
    teamReviewers: (data.requested_teams ?? []).map((team) => team.slug),
  };
}

/**
 * Whether the branch of a pull request is in the repository that the pull request is for. GitHub's filter `head=owner:branch` knows the owner
 * alone, so it lists also those of an organization's forks of its own repository. A fork that was deleted is null, whatever GitHub's description says.
 */
export function isFromSameRepository({
  head,
  base,
}: {
  head: { repo: { id: number | bigint } | null };
  base: { repo: { id: number | bigint } };
}): boolean {
  return head.repo !== null && head.repo.id === base.repo.id;
}

export function toIssue(data: {
  number: number;
  html_url: string;
  state: string;
  body?: string | null;
  user: { login: string } | null;
}): Issue {
  return {
    number: data.number,
    url: data.html_url,
    state: data.state === 'open' ? 'open' : 'closed',
    body: data.body ?? '',
    author: data.user?.login ?? '',
  };
}

export function toComment(data: { id: number | bigint; body?: string; user: { login: string } | null }): IssueComment {
  return { id: Number(data.id), body: data.body ?? '', author: data.user?.login ?? '' };
}

export function toComparison(data: ComparisonAnswer): Comparison {
  return {
    ahead: data.ahead_by,
    behind: data.behind_by,
    mergeBase: data.merge_base_commit.sha,
    commits: data.commits.map((commit) => ({
      sha: commit.sha,
      url: commit.html_url,
      message: commit.commit.message,
      author: loginOf(commit.author) ?? commit.commit.author?.name ?? 'unknown',
      parents: commit.parents.map((parent) => parent.sha),
    })),
    files: (data.files ?? []).flatMap((file) => [
      file.filename,
      ...(file.previous_filename === undefined ? [] : [file.previous_filename]),
    ]),
  };
}

function loginOf(author: object | null): string | undefined {
  return author !== null && 'login' in author && typeof author.login === 'string' ? author.login : undefined;
}
