import { failed, type CodeRow } from './end.ts';

/** A cleanup had begun, and ended before all was removed. */
export const cleanupCodes = {
  'cleanup-changed': [
    failed,
    'An object is not any more the one that the cleanup listed. It was left as it is, with all that comes after it.',
    'Find out who changed it. Then run `mode: cleanup` again: it lists what is left.',
  ],
  'cleanup-incomplete': [
    failed,
    "The server's user could not remove a directory. What was removed before it is gone.",
    'Do what the message says, then run `mode: cleanup` again: it removes what is left.',
  ],
  'cleanup-stopped': [
    failed,
    'A condition of the cleanup was not met any more when it had begun. What it had removed by then is gone, and the report says what that is. The rest is as it was.',
    'Do what the message says of each condition, then run `mode: cleanup` again: it lists what is left.',
  ],
} as const satisfies Record<string, CodeRow>;
