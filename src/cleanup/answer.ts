import type { Known, Unknown } from '../common/known.ts';
import { remedyOf, type Remedy } from '../text/remedy.ts';

/** One condition without which nothing is removed. */
export interface Gate {
  readonly id: string;
  readonly title: string;
  readonly status: 'met' | 'unmet' | 'unknown';
  /** What was seen. */
  readonly said: string;
  /** What to do; there unless it is met. */
  readonly remedy?: Remedy;
}

export type Answer = Pick<Gate, 'status' | 'said' | 'remedy'>;

export function met(said: string): Answer {
  return { status: 'met', said };
}

export function unmet(said: string, remedy: string | Remedy): Answer {
  return { status: 'unmet', said, remedy: remedyOf(remedy) };
}

export const again = 'Look at what the message says, then run again.';

/** What can't be read is never taken for met. */
export function ifKnown<T>(fact: Known<T>, judge: (value: T) => Answer): Answer {
  return fact.known ? judge(fact.value) : notRead(fact);
}

export function notRead({ reason, remedy }: Unknown): Answer {
  return { status: 'unknown', said: reason, remedy: remedy ?? { text: again } };
}
