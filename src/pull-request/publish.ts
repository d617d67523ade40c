import { ConfigurationError, GitHubError } from '../common/errors.ts';
import { readingAgain, type GitHubSurroundings } from '../github/read-again.ts';
import type { GitHub, PullRequest } from '../ports/github.ts';
import type { Log } from '../ports/runner.ts';
import { applyAttributes } from './attributes.ts';
import { openPullRequest } from './open.ts';
import { refuseForeignWork } from './ownership.ts';
import { missingCommit, push } from './push.ts';
import { findFile } from './repository-file.ts';
import type { Change, PullRequestSettings } from './settings.ts';
import { survey, type Survey } from './survey.ts';
import { changedText } from './text.ts';

export interface Published {
  /** `closed`: a person closed the pull request unmerged, and the action left it closed. */
  readonly operation: 'created' | 'updated' | 'none' | 'closed';
  readonly number: number | undefined;
  readonly url: string | undefined;
  readonly headSha: string | undefined;
  readonly changes: readonly Change[];
  readonly warnings: readonly string[];
}

/**
 * Creates or updates branch and pull request, from whatever state they are in.
 * Run twice, it writes nothing the second time.
 * Decision: docs/decisions/0022-pull-request.md
 * @throws ConfigurationError, GitHubError
 */
export async function publishPullRequest(
  surroundings: GitHubSurroundings,
  settings: PullRequestSettings,
): Promise<Published> {
  // A round that wrote and was then overtaken has updated, whatever the next one finds.
  const written = { commit: false };
  return await readingAgain(surroundings, () => converge(surroundings, settings, written));
}

async function converge(
  { github, log }: GitHubSurroundings,
  settings: PullRequestSettings,
  written: { commit: boolean },
): Promise<Published> {
  const found = await survey(github, settings);
  const { edited, base, branch, branchName } = found;
  if (edited.operation === 'none') return nothingToDo(found, settings, log);

  const open = openOf(found, settings);
  const parents = missingCommit(found);
  if (branch !== undefined) refuseForeignWork(github, branchName, branch, settings.path);
  const declined = found.pullRequests.find((p) => !p.merged && p.headSha === branch?.head);
  if (open === undefined && parents === undefined && declined !== undefined && settings.upgrade === undefined) {
    return leftClosed(declined, found, log);
  }

  let head = branch?.head;
  if (parents !== undefined) {
    head = await push(github, settings, found, parents);
    written.commit = true;
    log.info(`Wrote commit ${head} to branch ${branchName}${parents.length > 1 ? `, a merge of ${base.name}` : ''}`);
    await refuseMovedBase(github, settings, found);
  }

  const warnings = [...edited.warnings];
  const pullRequest = open ?? (await openPullRequest({ github, log }, settings, found, warnings));
  const text =
    open === undefined ? { change: {} } : changedText(settings, found.lines, open, (part) => log.redact(part));
  const texted = Object.keys(text.change).length > 0;
  if (texted) await github.updatePullRequest(pullRequest.number, text.change);
  if (text.note !== undefined) warnings.push(text.note);
  const applied = await applyAttributes(github, settings, pullRequest, open === undefined || written.commit);
  const operation = open === undefined ? 'created' : written.commit || texted || applied.changed ? 'updated' : 'none';
  log.info(`Pull request #${String(pullRequest.number)} (${operation}): ${pullRequest.url}`);
  return {
    operation,
    number: pullRequest.number,
    url: pullRequest.url,
    headSha: head,
    changes: edited.changes,
    warnings: [...warnings, ...applied.warnings],
  };
}

/**
 * The open pull request of our branch.
 * @throws ConfigurationError when it goes into another base: then there would be two
 */
export function openOf(
  { pullRequests, base, branchName }: Survey,
  { path }: PullRequestSettings,
): PullRequest | undefined {
  const open = pullRequests.filter((p) => p.state === 'open');
  const ours = open.find((p) => p.base === base.name);
  const other = open[0];
  if (ours !== undefined || other === undefined) return ours;
  throw new ConfigurationError(
    'pull-request-other-base',
    `Pull request ${other.url} merges branch ${branchName} with ${path} into ${other.base}, not into ${base.name}. Nothing was written.`,
    `Set "pull-request-base" to ${other.base}, or close that pull request and delete its branch.`,
  );
}

function nothingToDo(
  { base, edited, pullRequests }: Survey,
  { path, image }: PullRequestSettings,
  log: Log,
): Published {
  const open = pullRequests.find((p) => p.state === 'open' && p.base === base.name);
  log.info(`Nothing to change: ${path} on ${base.name} already names ${image}`);
  const warnings =
    open === undefined
      ? []
      : [`${path} on ${base.name} already names ${image}, so pull request ${open.url} changes nothing: close it.`];
  return {
    operation: 'none',
    number: open?.number,
    url: open?.url,
    headSha: open?.headSha,
    changes: [],
    warnings: [...edited.warnings, ...warnings],
  };
}

function leftClosed(declined: PullRequest, { branchName, edited }: Survey, log: Log): Published {
  log.info(`Left pull request #${String(declined.number)} closed: somebody closed it unmerged: ${declined.url}`);
  return {
    operation: 'closed',
    number: declined.number,
    url: declined.url,
    headSha: declined.headSha,
    changes: edited.changes,
    warnings: [
      `Somebody closed pull request ${declined.url} unmerged, so the action opened no other one. Open it again, or delete branch ${branchName} and run the workflow again.`,
    ],
  };
}

/** What was pushed came from a base that is no longer the newest; if it has another values file, it is not the right edit. */
async function refuseMovedBase(github: GitHub, { path }: PullRequestSettings, { base, file }: Survey): Promise<void> {
  const head = await github.branchHead(base.name);
  if (head === undefined || head === base.head || (await findFile(github, head, path))?.sha === file.sha) return;
  throw new GitHubError(
    'base-moved',
    `Somebody changed ${path} on ${base.name} while the action wrote the branch.`,
    'Run the workflow again.',
  );
}
