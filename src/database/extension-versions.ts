import { oneLine } from '../text/visible.ts';

/** An installed extension of which the image ships another version. */
export interface Outdated {
  readonly name: string;
  readonly installed: string;
  /** The image's default. */
  readonly available: string;
  /** Versions to which the image has scripts from the installed one. Only listed where the majors differ. */
  readonly reachable: readonly string[];
  /** What a script of the extension might call instead of what it means. */
  readonly shadows: readonly string[];
}

/**
 * The first PostgreSQL 14 whose extension scripts replace only objects that belong to the extension (CVE-2022-2625): before it, a role could make an object under the name
 * that a later version of the script gives, and keep it.
 */
const guardedSince = 140005;

/**
 * Why the action runs no script of an extension as the superuser: a role without superuser's rights may have put code in its way.
 * Decision: docs/decisions/0011-statistics-and-extensions.md
 * @param serverVersion server_version_num of PostgreSQL 14
 * @returns a sentence; undefined where nothing is in the way
 */
export function dangerOfUpdate({ shadows }: Pick<Outdated, 'shadows'>, serverVersion: number): string | undefined {
  if (shadows.length > 0)
    return `A script of the extension may call what belongs to a role without the superuser's rights: ${shadows.map(oneLine).join(', ')}.`;
  return serverVersion < guardedSince
    ? 'Before 14.5, PostgreSQL lets a script of an extension take over objects of other roles (CVE-2022-2625).'
    : undefined;
}

/** What is done with it, and what is left to an administrator. */
export interface VersionPlan {
  /** The version to update to; undefined: it stays as it is. */
  readonly target: string | undefined;
  /** The version that is left to an administrator; undefined: none. */
  readonly left: string | undefined;
}

/**
 * An extension does not cross its own major by itself: what uses it may have to change with it (pg_partman 5 has no trigger-based partitioning any
 * more). Within its major it goes to the image's default, or to the newest version that the image has scripts for. A version that is not made of
 * numbers and dots has no order that could be relied on: it stays.
 */
export function planVersion({ installed, available, reachable }: Outdated): VersionPlan {
  if (isSameMajor(installed, available)) return { target: available, left: undefined };
  const from = numbersOf(installed);
  if (from === undefined) return { target: undefined, left: available };
  const [newest] = reachable
    .filter((version) => isSameMajor(installed, version) && compare(version, installed) > 0)
    .sort((a, b) => compare(b, a));
  return { target: newest, left: available };
}

/** Whether both are versions of one major: false also where one of them is not made of numbers and dots. */
export function isSameMajor(a: string, b: string): boolean {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  return left !== undefined && right !== undefined && left[0] === right[0];
}

function compare(a: string, b: string): number {
  const [left = [], right = []] = [numbersOf(a), numbersOf(b)];
  const at = left.findIndex((number, index) => number !== (right[index] ?? 0));
  if (at >= 0) return (left[at] ?? 0) - (right[at] ?? 0);
  return right.slice(left.length).some((number) => number > 0) ? -1 : 0;
}

function numbersOf(version: string): number[] | undefined {
  return /^\d{1,9}(\.\d{1,9})*$/.test(version) ? version.split('.').map(Number) : undefined;
}
