import type { BranchState } from './branch-state.ts';
import { ConfigurationError, GitHubError } from '../common/errors.ts';
import type { Access, Comparison, GitHub, PullRequest } from '../ports/github.ts';
import { changedLines, type ChangedLine } from './changed-lines.ts';
import { foreign } from './ownership.ts';
import { findFile, readText, type RepositoryFile } from './repository-file.ts';
import { branchOf, type Edited, type PullRequestSettings } from './settings.ts';
import { checkBranchName, checkPath } from '../inputs/repository-names.ts';

/** Everything there is, read before anything is written. */
export interface Survey {
  readonly access: Access;
  readonly base: { readonly name: string; readonly head: string };
  readonly file: RepositoryFile;
  readonly edited: Edited;
  /** What the edit changes. */
  readonly lines: readonly ChangedLine[];
  readonly branchName: string;
  /** Undefined when there is none, or nothing to put on it. */
  readonly branch: BranchState | undefined;
  /** From our branch, newest first. */
  readonly pullRequests: readonly PullRequest[];
}

/**
 * Reads the base, the values file and what earlier runs left; computes the edit.
 * @throws ConfigurationError when an input points to nothing, or the edit can't be proved
 */
export async function survey(github: GitHub, settings: PullRequestSettings): Promise<Survey> {
  const access = await github.access();
  const base = settings.base === '' ? access.defaultBranch : settings.base;
  const branchName = branchOf(settings);
  checkBranchName(base, 'pull-request-base');
  checkBranchName(branchName, 'pull-request-branch');
  checkPath(settings.path);
  if (base === branchName) {
    throw new ConfigurationError(
      'branch-is-base',
      `The pull request's branch and its base are both ${base}. Nothing was written.`,
      'Set "pull-request-branch" to a branch of its own, or leave it empty.',
    );
  }
  const head = await github.branchHead(base);
  if (head === undefined) {
    throw new ConfigurationError(
      'base-not-found',
      `There is no branch ${base} in ${github.repository}.`,
      'Set "pull-request-base" to the branch into which the pull request is to be merged.',
    );
  }
  const file = await findFile(github, head, settings.path);
  if (file === undefined) {
    throw new ConfigurationError(
      'values-file-not-found',
      `There is no file ${settings.path} on branch ${base} of ${github.repository}.`,
      'Set "values-file" to its path from the root of the repository.',
    );
  }
  const source = await readText(github, file, settings.path);
  const edited = settings.edit(source);
  const branchHead = await github.branchHead(branchName);
  return {
    access,
    base: { name: base, head },
    file,
    edited,
    lines: changedLines(source, edited.text),
    branchName,
    branch:
      branchHead === undefined || edited.operation === 'none'
        ? undefined
        : await branchState(github, settings.path, { head, file, edited }, branchHead),
    pullRequests: await github.pullRequestsFrom(branchName),
  };
}

async function branchState(
  github: GitHub,
  path: string,
  base: { head: string; file: RepositoryFile; edited: Edited },
  head: string,
): Promise<BranchState> {
  const comparison = await compare(github, base.head, head);
  const own = await findFile(github, head, path);
  const start = comparison.behind === 0 ? base.file : await findFile(github, comparison.mergeBase, path);
  return {
    head,
    comparison,
    blob: own?.sha,
    fits: own?.mode === base.file.mode && (await readText(github, own, path)) === base.edited.text,
    baseChanged: start?.sha !== base.file.sha || start.mode !== base.file.mode,
  };
}

async function compare(github: GitHub, base: string, head: string): Promise<Comparison> {
  try {
    return await github.compare(base, head);
  } catch (error) {
    // "No common ancestor": a branch that somebody made without history.
    if (!(error instanceof GitHubError) || error.code !== 'github-not-found') throw error;
    throw foreign(
      'The branch shares no history with its base',
      `${github.serverUrl}/${github.repository}/commit/${head}`,
    );
  }
}
