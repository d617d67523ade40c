import type { Phase } from '../report/timeline.ts';

/** One value of the file. */
export interface Change {
  readonly path: string;
  readonly line: number;
  /** Undefined when it was missing. */
  readonly before: string | undefined;
  readonly after: string;
}

export interface Edited {
  readonly operation: 'none' | 'edited';
  readonly text: string;
  readonly changes: readonly Change[];
  /** Where the file names the image, or would. */
  readonly line?: number;
  /** What has to be known about it, with file and line. */
  readonly warnings: readonly string[];
}

/** Makes a values file name the new image. Throws a ConfigurationError where it can't be proved right. */
export type Edit = (source: string) => Edited;

/** What an upgrade did, for those who read the pull request. */
export interface UpgradeRecord {
  readonly before: string;
  readonly after: string;
  readonly phases: readonly Pick<Phase, 'id' | 'title' | 'seconds' | 'outcome'>[];
  readonly downtimeSeconds: number | undefined;
  /** Kind and name of the backup from before; undefined when there is none in the cluster. */
  readonly backup: string | undefined;
}

export interface PullRequestSettings {
  /** The values file, from the root of the repository. */
  readonly path: string;
  readonly edit: Edit;
  /** What PostgreSQL runs from now on: `registry/repository:tag`. */
  readonly image: string;
  readonly tag: string;
  readonly namespace: string;
  /** Branch that the pull request goes into; '' for the repository's default branch. */
  readonly base: string;
  /** Our branch; '' for the name made of namespace and path. */
  readonly branch: string;
  readonly labels: readonly string[];
  readonly assignees: readonly string[];
  readonly reviewers: readonly string[];
  readonly teamReviewers: readonly string[];
  readonly draft: boolean;
  /** Address of the workflow run. */
  readonly runUrl: string;
  /** Only for a run that has upgraded a server. */
  readonly upgrade?: UpgradeRecord | undefined;
}

/** The same for every run, so that each finds what the one before it made. */
export function branchOf({
  branch,
  namespace,
  path,
}: Pick<PullRequestSettings, 'branch' | 'namespace' | 'path'>): string {
  return branch === ''
    ? ['circleci-server-postgresql-14', word(namespace), word(path)].filter(Boolean).join('-')
    : branch;
}

function word(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(-80);
}
