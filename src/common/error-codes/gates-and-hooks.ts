import { failed, leftAsItIs, type CodeRow } from './end.ts';

/** A gate refused an upgrade, or what the administrator had it run failed. */
export const gateAndHookCodes = {
  'after-applications-failed': [
    failed,
    'The upgrade is done, but the commands of `after-applications` failed. PostgreSQL 14 serves, and nothing was reverted.',
    'Look at their output. `mode: rollback` says what going back would lose.',
  ],
  'before-applications-failed': [
    failed,
    'What `before-applications-sql` or `before-applications` asked for failed. The action reverts.',
    'Look at its output, correct it, then run again.',
  ],
  'before-applications-left': [
    leftAsItIs,
    'As before, but with `backup: external` and linked files: nothing in the cluster restores PostgreSQL 12. PostgreSQL 14 serves, and the applications are still stopped.',
    'Correct the hook or leave it out, then run `mode: upgrade` again: it resumes with the hook.',
  ],
  'downtime-too-long': [
    failed,
    'The prediction of the downtime exceeds `max-downtime`, or lacks a step. No application was stopped.',
    'Look at the plan of a dry run: it has the seconds of each step.',
  ],
  'rehearsal-missing': [
    failed,
    '`rehearsal: required` needs a rehearsal that counts, and there is none. Nothing was changed.',
    'Run `mode: rehearse`, then the upgrade within `rehearsal-valid`.',
  ],
  'start-too-late': [
    failed,
    "The API server's clock is past `start-before`. No application was stopped.",
    'Run again in the next maintenance window, with its `start-before`.',
  ],
} as const satisfies Readonly<Record<string, CodeRow>>;
