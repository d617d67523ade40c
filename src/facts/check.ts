import type { Answer, Subject } from '../findings/finding.ts';
import type { Facts } from './facts.ts';

/** One question asked before the upgrade: a pure function of facts. Decision: docs/decisions/0018-checks.md */
export interface Check {
  readonly id: string;
  /** Its subject: it reads right beside each status. */
  readonly title: string;
  /** What is so where it passes; for docs/checks.md. */
  readonly expected: string;
  readonly subject: Subject;
  /** Why it is asked; for docs/checks.md. */
  readonly why: string;
  /** What pg_upgrade, the Job or the new server says where the check fails; for docs/checks.md. */
  readonly says?: string;
  /** When somebody would notice it without this check; for docs/checks.md. */
  readonly shows?: 'check' | 'upgrade' | 'job' | 'start' | 'never';
  /** What to do where it does not pass, in words; for docs/checks.md. A finding says it with the names of the server. */
  readonly advice: string;
  /** Whether the check applies; missing: always. A check that does not apply is left out, and never passed. */
  applies?(facts: Facts): boolean;
  run(facts: Facts): Answer;
}
