/** What a token may do in the repository, as far as reading tells. */
export interface Access {
  readonly defaultBranch: string;
  /** The repository's page. */
  readonly url: string;
  readonly ownedByOrganization: boolean;
  readonly private: boolean;
  /** Archived or disabled: nobody can write. */
  readonly frozen: boolean;
  /** The role of the token's user; says nothing about an app's token, nor about a fine-grained one's own limits. */
  readonly mayPush: boolean | undefined;
  /** Scopes of a classic token; undefined for tokens that have permissions instead of scopes. */
  readonly scopes: readonly string[] | undefined;
}

interface TreeEntry {
  readonly path: string;
  /** 100644, 100755, 120000 (symbolic link), 040000 (directory) or 160000 (submodule). */
  readonly mode: string;
  readonly sha: string;
}

interface BranchCommit {
  readonly sha: string;
  readonly url: string;
  readonly message: string;
  /** Login, or the name in the commit. */
  readonly author: string;
  readonly parents: readonly string[];
}

/** What a branch has on top of another. */
export interface Comparison {
  readonly ahead: number;
  readonly behind: number;
  readonly mergeBase: string;
  /** Oldest first; fewer than `ahead` when there are more than GitHub shows. */
  readonly commits: readonly BranchCommit[];
  /** Paths that differ between the merge base and the branch. */
  readonly files: readonly string[];
}

export interface PullRequest {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'closed';
  readonly merged: boolean;
  readonly title: string;
  readonly body: string;
  readonly base: string;
  readonly headSha: string;
  readonly labels: readonly string[];
  readonly assignees: readonly string[];
  readonly reviewers: readonly string[];
  readonly teamReviewers: readonly string[];
}

export interface Issue {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'closed';
  readonly body: string;
  /** Login of whoever opened it; '' for an account that is gone. */
  readonly author: string;
}

export interface IssueComment {
  readonly id: number;
  readonly body: string;
  readonly author: string;
}

export type Tried = 'allowed' | 'refused' | 'unknown';

/**
 * One repository at GitHub. Methods throw a GitHubError: `github-forbidden`,
 * `github-not-found`, `github-moved` (not a fast forward), `github-exists`,
 * `github-uncertain` (a write whose answer was lost) … with GitHub's own message.
 */
export interface GitHub {
  /** `owner/name` */
  readonly repository: string;
  /** Where people look: https://github.com or the server's address. */
  readonly serverUrl: string;

  access(): Promise<Access>;
  /** Types of the rules that apply to a branch of this name, also to one that does not exist; undefined when it can't be told. */
  branchRules(branch: string): Promise<readonly string[] | undefined>;
  /** The repository's setting for GITHUB_TOKEN; undefined when this token may not see it. */
  actionsMayOpenPullRequests(): Promise<boolean | undefined>;
  /** Asks GitHub for a branch on a commit that can't exist: nothing is written, and the answer shows the right. */
  tryPush(branch: string): Promise<Tried>;
  /** Asks GitHub for a pull request of a branch into itself: nothing is written, and the answer shows the right. */
  tryPullRequest(branch: string): Promise<Tried>;

  /** Login for which the token speaks: a user's, or an app's, such as `github-actions[bot]`. */
  viewer(): Promise<string>;

  /** SHA of a branch's last commit, or undefined when there is no such branch. */
  branchHead(branch: string): Promise<string | undefined>;
  /** SHA of a commit's tree. */
  treeOf(commit: string): Promise<string>;
  tree(sha: string): Promise<{ readonly entries: readonly TreeEntry[]; readonly truncated: boolean }>;
  blob(sha: string): Promise<Uint8Array>;
  compare(base: string, head: string): Promise<Comparison>;

  createBlob(content: Uint8Array): Promise<string>;
  createTree(baseTree: string, entry: TreeEntry): Promise<string>;
  /** Without author and committer, so that GitHub fills them in and signs. */
  createCommit(message: string, tree: string, parents: readonly string[]): Promise<string>;
  createBranch(branch: string, commit: string): Promise<void>;
  /** Never forced. */
  moveBranch(branch: string, commit: string): Promise<void>;

  /** All pull requests from a branch of this repository, newest first, closed ones too; none from a fork's branch of the same name. */
  pullRequestsFrom(branch: string): Promise<readonly PullRequest[]>;
  createPullRequest(request: {
    readonly title: string;
    readonly body: string;
    readonly head: string;
    readonly base: string;
    readonly draft: boolean;
  }): Promise<PullRequest>;
  updatePullRequest(number: number, change: { readonly title?: string; readonly body?: string }): Promise<void>;
  /** Whether anybody has reviewed it yet. */
  isReviewed(number: number): Promise<boolean>;
  addLabels(number: number, labels: readonly string[]): Promise<void>;
  /** Answers who is assigned then: GitHub leaves out, in silence, who can't be. */
  addAssignees(number: number, logins: readonly string[]): Promise<readonly string[]>;
  requestReviews(
    number: number,
    from: { readonly reviewers: readonly string[]; readonly teamReviewers: readonly string[] },
  ): Promise<void>;

  /** All issues that a login opened, oldest first, closed ones too; no pull requests. */
  issuesBy(login: string): Promise<readonly Issue[]>;
  createIssue(request: {
    readonly title: string;
    readonly body: string;
    readonly labels: readonly string[];
    readonly assignees: readonly string[];
  }): Promise<Issue>;
  updateIssue(
    number: number,
    change: {
      readonly body?: string;
      readonly state?: 'open' | 'closed';
      readonly reason?: 'completed' | 'not_planned' | 'reopened';
    },
  ): Promise<Issue>;
  /** Oldest first. */
  issueComments(number: number): Promise<readonly IssueComment[]>;
  createComment(number: number, body: string): Promise<IssueComment>;
  /** One that is gone already is no error. */
  deleteComment(id: number): Promise<void>;
}
