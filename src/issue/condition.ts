import { blocks, type Finding, statusText } from '../findings/finding.ts';
import type { IssueSettings } from './settings.ts';

/** By the check's id: its status, such as `failed`, or `failed, ignored`. */
export type Statuses = Readonly<Record<string, string>>;

/** All that the issue goes by: the same facts give the same condition, whatever was measured. */
export interface Condition {
  /** What blocks the upgrade. */
  readonly red: Statuses;
  /** What did not pass either, and stops nothing. */
  readonly others: Statuses;
}

export function conditionOf({ findings, failOn }: Pick<IssueSettings, 'findings' | 'failOn'>): Condition {
  const open = findings.filter((finding) => finding.status !== 'passed');
  return {
    red: statusesOf(open.filter((finding) => blocks(finding, failOn))),
    others: statusesOf(open.filter((finding) => !blocks(finding, failOn))),
  };
}

function statusesOf(findings: readonly Finding[]): Statuses {
  return Object.fromEntries(findings.map((finding) => [finding.check, statusText(finding)]));
}

/** Ids of those that are not in the others, or there with another status. */
export function newIn(statuses: Statuses, others: Statuses): string[] {
  return Object.keys(statuses).filter((id) => statuses[id] !== others[id]);
}

export function isSame(one: Statuses, other: Statuses): boolean {
  return newIn(one, other).length === 0 && newIn(other, one).length === 0;
}

export function isEmpty(statuses: Statuses): boolean {
  return Object.keys(statuses).length === 0;
}
