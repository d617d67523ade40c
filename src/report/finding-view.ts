import { statusText, type Finding, type Status } from '../findings/finding.ts';
import { cut } from '../text/markdown.ts';
import { remedyWithin, type Remedy } from '../text/remedy.ts';

/** What a place shows of a finding. The place lays it out, and escapes it. */
export interface FindingView {
  /** Of its status: `✗`. */
  readonly mark: string;
  readonly title: string;
  /** Id of the check; undefined where several stand under one reason. */
  readonly check: string | undefined;
  /** `failed`, or `failed, ignored`. */
  readonly state: string;
  readonly evidence: readonly string[];
  /** Lines of evidence for which there is no room. */
  readonly more: number;
  /** What to do; undefined where it passed, and where the reason why it is ignored stands in its place. */
  readonly remedy: Remedy | undefined;
  readonly ignored: string | undefined;
  /** Ids of the checks that wait for it; where several stand under one reason, of all of them. */
  readonly waiting: readonly string[];
  /** Where the check is explained. */
  readonly docs: string;
}

interface Budget {
  /** Lines of evidence, and characters of each. */
  readonly lines: number;
  readonly line: number;
  /** Characters of a remedy, and where the rest of it is. */
  readonly remedy: number;
  readonly rest: string;
  /** Whether there is a remedy too where the finding is ignored. */
  readonly isWhole: boolean;
}

const all = { lines: Infinity, line: Infinity, remedy: Infinity, rest: '', isWhole: true };

const budgets = {
  /** What GitHub does not fold; all of it is in a group below. */
  log: { lines: 20, line: 1000, remedy: 4000, rest: ', in the group below', isWhole: true },
  whole: all,
  annotation: { lines: 3, line: Infinity, remedy: 1000, rest: ', in the log', isWhole: false },
  /** The job summary, and the issue. */
  page: { ...all, lines: 8, line: 600, isWhole: false },
  comment: { ...all, lines: 1, line: 200, isWhole: false },
} as const satisfies Readonly<Record<string, Budget>>;

export type Place = keyof typeof budgets;

export const marks: Readonly<Record<Status, string>> = { passed: '✓', warning: '!', failed: '✗', unknown: '?' };

/** A finding within the budget of a place. */
export function viewOf(finding: Finding, place: Place): FindingView {
  const { check, title, docs, status, evidence, remedy, ignored } = finding;
  const { lines, line, remedy: room, rest, isWhole }: Budget = budgets[place];
  return {
    ...{ mark: marks[status], title, check, state: statusText(finding), ignored, waiting: [], docs },
    evidence: evidence.slice(0, lines).map((text) => cut(text, line)),
    more: Math.max(0, evidence.length - lines),
    remedy: remedy === undefined || (ignored !== undefined && !isWhole) ? undefined : remedyWithin(remedy, room, rest),
  };
}
