// GitHub's objects: its own examples with what the double knows put in.
import type { BareRepository } from './bare-repository.ts';
import { CommitObjects, created } from './commit-objects.ts';
import type { Description } from './description.ts';

export type Json = Record<string, unknown>;

export interface PullRequestState {
  readonly number: number;
  readonly author: string;
  readonly head: string;
  /** `owner/name` of the fork that has the branch; undefined for the repository itself. */
  readonly fork?: string;
  base: string;
  title: string;
  body: string | null;
  draft: boolean;
  state: 'open' | 'closed';
  mergedAt: string | null;
  /** Where the branch was when the pull request was closed. */
  headSha: string;
  baseSha: string;
  labels: string[];
  assignees: string[];
  reviewers: string[];
  teamReviewers: string[];
  reviews: string[];
}

export interface IssueState {
  readonly number: number;
  readonly author: string;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  stateReason: 'completed' | 'not_planned' | 'reopened' | null;
  labels: readonly string[];
  assignees: readonly string[];
}

export interface CommentState {
  readonly id: number;
  readonly issue: number;
  readonly author: string;
  readonly body: string;
}

export interface Place {
  readonly owner: string;
  readonly name: string;
  readonly ownerType: 'Organization' | 'User';
  readonly apiUrl: string;
  readonly serverUrl: string;
}

export class Objects {
  private readonly description: Description;
  private readonly place: () => Place;
  readonly commits: CommitObjects;

  constructor(description: Description, git: BareRepository, place: () => Place) {
    this.description = description;
    this.commits = new CommitObjects(git, this);
    this.place = place;
  }

  user(login: string): Json {
    const [example] = (this.example('GET /repos/{owner}/{repo}/pulls', 200) as Json[]).map((p) => p['user'] as Json);
    const { owner, ownerType } = this.place();
    const type = login.endsWith('[bot]') ? 'Bot' : login === owner ? ownerType : 'User';
    return {
      ...(JSON.parse(JSON.stringify(example).replaceAll('octocat', encodeURIComponent(login))) as Json),
      login,
      id: numberOf(login),
      type,
    };
  }

  repository(settings: { defaultBranch: string; private: boolean; archived: boolean; permissions: Json }): Json {
    const { owner, name } = this.place();
    const example = this.example('GET /repos/{owner}/{repo}', 200) as Json;
    const relatives = ['parent', 'source', 'template_repository', 'organization'];
    const rest = Object.fromEntries(Object.entries(example).filter(([key]) => !relatives.includes(key)));
    return {
      ...rest,
      name,
      full_name: `${owner}/${name}`,
      owner: this.user(owner),
      private: settings.private,
      visibility: settings.private ? 'private' : 'public',
      archived: settings.archived,
      default_branch: settings.defaultBranch,
      language: null,
      permissions: settings.permissions,
    };
  }

  pullRequest(state: PullRequestState, whole: boolean): Json {
    const route = whole ? 'POST /repos/{owner}/{repo}/pulls' : 'GET /repos/{owner}/{repo}/pulls';
    const answer = this.example(route, whole ? 201 : 200);
    const example = (Array.isArray(answer) ? answer[0] : answer) as Json;
    const { owner } = this.place();
    const side = (name: 'head' | 'base', ref: string, sha: string, repository: Json = {}) => ({
      ...(example[name] as Json),
      repo: { ...((example[name] as Json)['repo'] as Json), ...repository },
      label: `${owner}:${ref}`,
      ref,
      sha,
      user: this.user(owner),
    });
    const people = state.assignees.map((login) => this.user(login));
    return {
      ...numbered(example, state.number),
      number: state.number,
      state: state.state,
      title: state.title,
      body: state.body,
      draft: state.draft,
      user: this.user(state.author),
      created_at: created,
      updated_at: created,
      closed_at: state.state === 'open' ? null : created,
      merged_at: state.mergedAt,
      ...(whole ? { merged: state.mergedAt !== null } : {}),
      labels: state.labels.map((name) => this.label(name)),
      assignee: people[0] ?? null,
      assignees: people,
      requested_reviewers: state.reviewers.map((login) => this.user(login)),
      requested_teams: state.teamReviewers.map((slug) => this.team(slug)),
      head: side('head', state.head, state.headSha, forkOf(state.fork)),
      base: side('base', state.base, state.baseSha),
      milestone: null,
      auto_merge: null,
    };
  }

  label(name: string): Json {
    const { apiUrl } = this.repositoryUrls();
    const [example] = this.example('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', 200) as Json[];
    return { ...example, id: numberOf(name), name, url: `${apiUrl}/labels/${encodeURIComponent(name)}` };
  }

  /** As issues are shown, of which every pull request is one. */
  issue(state: IssueState | PullRequestState): Json {
    const example = this.example('POST /repos/{owner}/{repo}/issues/{issue_number}/assignees', 201) as Json;
    const { pull_request, ...rest } = numbered(example, state.number);
    const people = state.assignees.map((login) => this.user(login));
    return {
      ...rest,
      ...('head' in state ? { pull_request } : { state_reason: state.stateReason }),
      number: state.number,
      title: state.title,
      body: state.body ?? '',
      state: state.state,
      user: this.user(state.author),
      closed_at: state.state === 'open' ? null : created,
      labels: state.labels.map((name) => this.label(name)),
      assignee: people[0] ?? null,
      assignees: people,
      milestone: null,
    };
  }

  comment({ id, issue, author, body }: CommentState): Json {
    const [example] = this.example('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', 200) as [Json];
    return { ...numbered(example, issue), id, user: this.user(author), body };
  }

  review(login: string, sha: string): Json {
    const [example] = this.example('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews', 200) as Json[];
    return { ...example, user: this.user(login), commit_id: sha };
  }

  team(slug: string): Json {
    const example = this.example('GET /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers', 200) as Json;
    const [team] = example['teams'] as Json[];
    return { ...team, id: numberOf(slug), name: slug, slug, type: 'organization', organization_id: 1 };
  }

  /** GitHub's example, moved to this server and this repository. */
  example(route: string, status: number): unknown {
    const { owner, name, apiUrl, serverUrl } = this.place();
    const text = JSON.stringify(this.description.example(route, status))
      .replaceAll('https://api.github.com', apiUrl)
      .replaceAll('https://github.com', serverUrl)
      .replaceAll('octocat/Hello-World', `${owner}/${name}`)
      .replaceAll('octocat/example', `${owner}/${name}`);
    return JSON.parse(text);
  }

  repositoryUrls(): { apiUrl: string; htmlUrl: string } {
    const { owner, name, apiUrl, serverUrl } = this.place();
    return { apiUrl: `${apiUrl}/repos/${owner}/${name}`, htmlUrl: `${serverUrl}/${owner}/${name}` };
  }
}

function forkOf(fullName: string | undefined): Json {
  if (fullName === undefined) return {};
  return { id: numberOf(fullName), name: fullName.split('/')[1], full_name: fullName, fork: true };
}

/** With the addresses of this number instead of the example's. */
function numbered(example: Json, number: number): Json {
  return JSON.parse(JSON.stringify(example).replaceAll(/(pulls?|issues)\/1347/g, `$1/${String(number)}`)) as Json;
}

/** The same number for the same name. */
function numberOf(text: string): number {
  return [...text].reduce((sum, c) => (sum * 31 + (c.codePointAt(0) ?? 0)) % 1_000_003, 7);
}
