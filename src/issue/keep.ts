import { describe, GitHubError } from '../common/errors.ts';
import { readingAgain, type GitHubSurroundings } from '../github/read-again.ts';
import type { GitHub, Issue, IssueComment } from '../ports/github.ts';
import { conditionOf, isEmpty } from './condition.ts';
import { readChange, readIssue } from './markers.ts';
import { keptIssue, nextMove, type Found, type Move, type OwnComment, type OwnIssue } from './moves.ts';
import type { IssueSettings } from './settings.ts';
import { bodyFor, commentFor, duplicateBody, titleFor } from './text.ts';

export interface KeptIssue {
  /** `failed`: it could not be read or written. */
  readonly operation: 'created' | 'updated' | 'closed' | 'reopened' | 'none' | 'failed';
  readonly number: number | undefined;
  readonly url: string | undefined;
  readonly warnings: readonly string[];
}

/** What this run has written. GitHub's lists may not show it yet; its answers do. */
interface Written {
  readonly issues: Map<number, Issue>;
  /** With the numbers of their issues. */
  readonly comments: Map<number, IssueComment & { readonly issue: number }>;
  readonly deleted: Set<number>;
  readonly moves: Move['does'][];
  operation: KeptIssue['operation'];
  readonly warnings: string[];
}

/**
 * Keeps the one issue about this namespace's prechecks, from whatever state it is in: opens, comments,
 * rewrites, closes or reopens it. Run twice with the same facts, it writes nothing the second time.
 * Decision: docs/decisions/0024-issue.md
 * @throws GitHubError
 */
export async function keepIssue(surroundings: GitHubSurroundings, settings: IssueSettings): Promise<KeptIssue> {
  const written: Written = {
    ...{ issues: new Map(), comments: new Map(), deleted: new Set(), moves: [], warnings: [] },
    operation: 'none',
  };
  return await readingAgain(surroundings, () => converge(surroundings, settings, written));
}

async function converge(
  surroundings: GitHubSurroundings,
  settings: IssueSettings,
  written: Written,
): Promise<KeptIssue> {
  const login = await surroundings.github.viewer();
  for (;;) {
    const found = await survey(surroundings, settings, login, written);
    const move = nextMove(found, settings);
    if (move !== undefined && !isRepeated(move, written) && (await make(surroundings, settings, move, written)))
      continue;
    const issue = keptIssue(found.issues);
    surroundings.log.info(outcome(issue, settings, written));
    const { operation, warnings } = written;
    return { operation, number: issue?.number, url: issue?.url, warnings };
  }
}

/** Where two runs with different facts meet, each says its part once. */
function isRepeated({ does }: Move, { moves }: Written): boolean {
  return (does === 'open' || does === 'tell' || does === 'update') && moves.includes(does);
}

/** @returns false where there is no room for what is to be written */
async function make(
  { github }: GitHubSurroundings,
  settings: IssueSettings,
  move: Move,
  written: Written,
): Promise<boolean> {
  const keep = (issue: Issue) => written.issues.set(issue.number, issue);
  switch (move.does) {
    case 'open':
      keep(await open(github, settings, written));
      break;
    case 'drop': {
      const { issue, kept } = move;
      const body = duplicateBody(issue, kept);
      keep(await github.updateIssue(issue.number, { body, state: 'closed', reason: 'not_planned' }));
      break;
    }
    case 'delete':
      await github.deleteComment(move.comment.id);
      written.deleted.add(move.comment.id);
      break;
    case 'tell': {
      const { issue, before, told } = move;
      // A change that the text can't note would be told again by each run.
      if (bodyFor(settings, issue, told.change) === undefined) return noRoom(issue, written);
      const comment = await github.createComment(issue.number, commentFor(settings, before, told));
      written.comments.set(comment.id, { ...comment, issue: issue.number });
      break;
    }
    case 'update': {
      const { issue, change, state } = move;
      const body = bodyFor(settings, issue, change);
      if (body === undefined) return noRoom(issue, written);
      const reason = state === 'open' ? 'reopened' : 'completed';
      keep(await github.updateIssue(issue.number, { body, state, ...(state === issue.state ? {} : { reason }) }));
      break;
    }
  }
  written.moves.push(move.does);
  written.operation = operationAfter(move, written.operation);
  return true;
}

function noRoom({ number }: OwnIssue, { warnings }: Written): false {
  warnings.push(
    `The text of issue #${String(number)} leaves no room for this action's part. The action left the issue as it is.`,
  );
  return false;
}

function operationAfter(move: Move, before: KeptIssue['operation']): KeptIssue['operation'] {
  if (move.does === 'open') return 'created';
  if (move.does === 'update' && move.state !== move.issue.state) return move.state === 'open' ? 'reopened' : 'closed';
  return before === 'none' ? 'updated' : before;
}

/** Who can't be assigned is worth a warning, not the issue. */
async function open(github: GitHub, settings: IssueSettings, { warnings }: Written): Promise<Issue> {
  const { labels, assignees } = settings;
  const request = { title: titleFor(settings), body: bodyFor(settings, undefined, 0) ?? '', labels };
  try {
    return await github.createIssue({ ...request, assignees });
  } catch (error) {
    if (!(error instanceof GitHubError) || error.code !== 'github-invalid' || assignees.length === 0) throw error;
    warnings.push(`The action opened the issue without its assignees: ${describe(error)}`);
    return await github.createIssue({ ...request, assignees: [] });
  }
}

async function survey(
  { github }: GitHubSurroundings,
  { namespaceUid }: IssueSettings,
  login: string,
  written: Written,
): Promise<Found> {
  const issues = newest(await github.issuesBy(login), written.issues, ({ number }) => number).flatMap(
    ({ number, url, state, body, author }): OwnIssue[] => {
      const text = author === login ? readIssue(body) : undefined;
      return text?.data.uid === namespaceUid ? [{ number, url, state, ...text }] : [];
    },
  );
  const kept = keptIssue(issues);
  if (kept === undefined) return { issues, comments: [] };
  const own = new Map([...written.comments].filter(([, { issue }]) => issue === kept.number));
  const comments = newest(await github.issueComments(kept.number), own, ({ id }) => id).flatMap(
    ({ id, body, author }): OwnComment[] => {
      const change = author === login && !written.deleted.has(id) ? readChange(body) : undefined;
      return change === undefined ? [] : [{ id, ...change }];
    },
  );
  return { issues, comments };
}

/** What was listed, with the answers to our own writes in their places, and what is not listed yet at the end. */
function newest<T>(listed: readonly T[], written: ReadonlyMap<number, T>, key: (item: T) => number): T[] {
  const there = new Set(listed.map(key));
  return [
    ...listed.map((item) => written.get(key(item)) ?? item),
    ...[...written].filter(([id]) => !there.has(id)).map(([, item]) => item),
  ];
}

function outcome(issue: OwnIssue | undefined, settings: IssueSettings, { operation }: Written): string {
  if (issue === undefined) return 'No check blocks the upgrade, and there is no issue';
  const name = `Issue #${String(issue.number)}`;
  if (operation === 'none' && issue.state === 'closed' && !isEmpty(conditionOf(settings).red))
    return `Left ${name} closed: somebody closed it by hand, and it stays closed until another check turns red: ${issue.url}`;
  return `${name} (${operation}): ${issue.url}`;
}
