import { conditionOf, isEmpty, isSame, newIn, type Condition, type Statuses } from './condition.ts';
import type { ChangeData, IssueData, IssueText } from './markers.ts';
import type { IssueSettings } from './settings.ts';

/** An issue about this namespace's prechecks that our token opened. */
export interface OwnIssue extends IssueText {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'closed';
}

/** A comment in which our token told a change. */
export interface OwnComment extends ChangeData {
  readonly id: number;
}

/** What there is at GitHub. */
export interface Found {
  /** Oldest first. */
  readonly issues: readonly OwnIssue[];
  /** Of the issue that is kept; oldest first. */
  readonly comments: readonly OwnComment[];
}

/** One write. */
export type Move =
  | { readonly does: 'open' }
  | { readonly does: 'drop'; readonly issue: OwnIssue; readonly kept: number }
  | { readonly does: 'delete'; readonly comment: OwnComment }
  | { readonly does: 'tell'; readonly issue: OwnIssue; readonly before: Statuses; readonly told: ChangeData }
  | {
      readonly does: 'update';
      readonly issue: OwnIssue;
      readonly change: number;
      /** Also where it stays: text and state are always of the same run, whoever wrote between its reading and its writing. */
      readonly state: 'open' | 'closed';
    };

/** The issue that is kept: the oldest open one; where all are closed, the one that was opened last. */
export function keptIssue(issues: readonly OwnIssue[]): OwnIssue | undefined {
  return issues.find((issue) => issue.state === 'open') ?? issues.at(-1);
}

/**
 * The next write that is missing; undefined when all is as it is to be. After each one all is read again, so that two
 * runs at once come to the same end: the oldest issue, and the first comment of each change, are those that stay.
 *
 * A comment comes before the text, which notes that it was made: a run that dies between them leaves a comment that the
 * next one finds, and neither repeats nor forgets. State goes with the text, in one request. Only what turned red or
 * green changes the state: what a person opened or closed stays so until then.
 */
export function nextMove({ issues, comments }: Found, settings: IssueSettings): Move | undefined {
  const wanted = conditionOf(settings);
  const issue = keptIssue(issues);
  if (issue === undefined) return isEmpty(wanted.red) ? undefined : { does: 'open' };
  const other = issues.find((one) => one.state === 'open' && one !== issue);
  if (other !== undefined) return { does: 'drop', issue: other, kept: issue.number };
  const again = comments.find((comment, i) => comments.slice(0, i).some((earlier) => isSameChange(earlier, comment)));
  if (again !== undefined) return { does: 'delete', comment: again };

  const state = stateFor(issue, wanted);
  const told = lastTold(issue.data, comments);
  if ((issue.state === 'open' || state === 'open') && !isSame(told.red, wanted.red)) {
    return { does: 'tell', issue, before: told.red, told: { change: told.change + 1, red: wanted.red } };
  }
  const isWritten = isSame(issue.data.red, wanted.red) && isSame(issue.data.others, wanted.others);
  return isWritten && state === issue.state ? undefined : { does: 'update', issue, change: told.change, state };
}

function stateFor({ state, data }: OwnIssue, { red }: Condition): 'open' | 'closed' {
  if (state === 'closed') return newIn(red, data.red).length > 0 ? 'open' : 'closed';
  return isEmpty(red) && !isEmpty(data.red) ? 'closed' : 'open';
}

/** By a comment, where it tells more than the text has noted. */
function lastTold(data: IssueData, comments: readonly OwnComment[]): ChangeData {
  return comments.reduce<ChangeData>((last, comment) => (comment.change > last.change ? comment : last), data);
}

function isSameChange(one: ChangeData, other: ChangeData): boolean {
  return one.change === other.change && isSame(one.red, other.red);
}
