import type { Known, Unknown } from '../common/known.ts';
import { sentence, type FileLine } from '../common/errors.ts';
import { remedyOf, type Remedy } from '../text/remedy.ts';

export { copyable } from '../text/commands.ts';
export { psqlRemedy, remedyAfter, shellRemedy, type Remedy } from '../text/remedy.ts';
export { shell } from '../text/shell.ts';

export type Status = 'passed' | 'warning' | 'failed' | 'unknown';

export type Subject = 'access' | 'target' | 'database' | 'images' | 'cluster' | 'values';

/** The answer of a check. */
export interface Finding {
  /** Id of the check. */
  readonly check: string;
  /** Of the check. */
  readonly title: string;
  readonly status: Status;
  /** What was seen, a line each. */
  readonly evidence: readonly string[];
  /** What to do; always there unless passed. */
  readonly remedy?: Remedy;
  /** Where in the repository it is, for findings about a file. */
  readonly place?: FileLine;
  /** Why it stops nothing all the same: the reason of `ignore-checks`, or the input that says not to ask. */
  readonly ignored?: string;
  /** Why it could not be told, where that keeps other checks from an answer too, or another check has found it. */
  readonly cause?: Cause;
  /** Where it is explained. */
  readonly docs: string;
}

/** What several checks wait for. Findings of the same cause are shown once. */
export interface Cause {
  /** The same for all that wait for it. */
  readonly reason: string;
  /** The check that has found it: what it says to do comes first. */
  readonly check?: string;
}

export type Answer = Omit<Finding, 'check' | 'title' | 'cause' | 'docs'>;

export function passed(...evidence: string[]): Answer {
  return { status: 'passed', evidence };
}

export function warning(remedy: string | Remedy, ...evidence: string[]): Answer {
  return { status: 'warning', evidence, remedy: remedyOf(remedy) };
}

export function failed(remedy: string | Remedy, ...evidence: string[]): Answer {
  return { status: 'failed', evidence, remedy: remedyOf(remedy) };
}

/** Could not be told; blocks as a failure does. */
export function unknown(remedy: string | Remedy, ...evidence: string[]): Answer {
  return { status: 'unknown', evidence, remedy: remedyOf(remedy) };
}

/** Could not be told, since nobody wanted it to be asked; stops nothing: `answerer`, a sentence, tells what answers it instead. */
export function notProbed(answerer: string, remedy: string | Remedy, ...evidence: string[]): Answer {
  return { ...unknown(remedy, ...evidence), ignored: answerer };
}

/** What to do about a fact that is unknown, where its error does not say it. */
const remedies: Partial<Record<Unknown['code'], string>> = {
  'permissions-missing': 'Grant the rights that the check permissions names, then run the checks again.',
  'query-failed': "Correct what PostgreSQL's message names, then run the checks again.",
  unexpected: 'Run the checks again. If the message stays, report it with the log: it is an error in the action.',
};

/** A check that needs one fact: unknown where the fact is. */
export function judgeFact<T>(fact: Known<T>, judge: (value: T) => Answer): Answer {
  return fact.known ? judge(fact.value) : unread(fact);
}

/** The answer of a check whose fact could not be read, with what the error says to do. */
export function unread(fact: Unknown, evidence = fact.reason): Answer {
  return unknown(remedyOfUnread(fact), evidence);
}

/** @param fact undefined where not even a reason is known */
export function remedyOfUnread(fact: Pick<Unknown, 'code' | 'remedy'> | undefined): Remedy {
  const { code = 'unexpected', remedy } = fact ?? {};
  if (remedy === undefined)
    return { text: remedies[code] ?? 'Correct what the finding names, then run the checks again.' };
  return /\bagain\b/.test(remedy.text)
    ? remedy
    : { ...remedy, text: `${sentence(remedy.text)} Then run the checks again.` };
}

/** What a finding counts as in the verdict: one that is ignored stays to be seen. */
export function weight({ status, ignored }: Answer): Status {
  if (ignored === undefined) return status;
  return status === 'warning' ? 'passed' : 'warning';
}

/**
 * Unknown blocks like failed: it is never taken for passed. What is ignored never blocks: it was answered by a person, or something else will.
 * @param failOn the least status that blocks
 */
export function blocks(finding: Finding | Answer, failOn: 'failed' | 'warning'): boolean {
  const { status, ignored } = finding;
  if (ignored !== undefined) return false;
  return status === 'failed' || status === 'unknown' || (failOn === 'warning' && status === 'warning');
}

const order = ['passed', 'warning', 'unknown', 'failed'] as const;

/** What is ignored is not as bad as what has the same status. */
function badness({ status, ignored }: Answer): number {
  return order.indexOf(status) - (ignored === undefined ? 0 : 0.5);
}

/** Two answers in one: the worse status, the evidence of both. */
export function worst(a: Answer, b: Answer): Answer {
  const [worse, other] = badness(a) >= badness(b) ? [a, b] : [b, a];
  return { ...worse, evidence: [...worse.evidence, ...other.evidence] };
}

/** `failed`, or `failed, ignored` */
export function statusText({ status, ignored }: Answer): string {
  return ignored === undefined ? status : `${status}, ignored`;
}
