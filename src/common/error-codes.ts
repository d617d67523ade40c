import { cleanupCodes } from './error-codes/cleanup.ts';
import { clusterCodes } from './error-codes/cluster.ts';
import { configurationCodes } from './error-codes/configuration.ts';
import { checks, failed, type CodeRow, type End } from './error-codes/end.ts';
import { gateAndHookCodes } from './error-codes/gates-and-hooks.ts';
import { gitHubCodes } from './error-codes/github.ts';
import { upgradeCodes } from './error-codes/upgrade.ts';
import { valuesFileCodes } from './error-codes/values-file.ts';

export { failed, type End };

/**
 * Each code that an error of the action may have, by the error's class: how a run ends with it, what it means, and what to do. Codes are stable: people
 * search for them.
 */
export const errorCodes = {
  ConfigurationError: { ...configurationCodes, ...valuesFileCodes },
  ClusterError: clusterCodes,
  GitHubError: gitHubCodes,
  PrecheckError: {
    'backup-unknown': [
      checks,
      '`confirm` names a backup that does not exist, or that this action did not make of this volume. Nothing was changed.',
      'The message lists the backups that there are.',
    ],
    'changed-meanwhile': [
      checks,
      'The StatefulSet or the applications changed while the checks ran. Nothing was changed by this run.',
      'Let the change end, then run again.',
    ],
    'cleanup-blocked': [
      checks,
      'A condition of the cleanup is not met, or can not be known. Nothing was removed.',
      'Do what the message says of each condition, then run again. [The day after](day-after.md#mode-cleanup) lists them.',
    ],
    'consent-missing': [
      checks,
      'A rollback would lose what was written since, or it is unknown what it would lose. Nothing was changed.',
      'Read what the message lists. If you agree to it, set `accept-data-loss: true`.',
    ],
    'facts-missing': [
      checks,
      'The upgrade lacks a fact that its checks could not read.',
      'Run the checks again, and see what is unknown.',
    ],
    'former-image-unknown': [
      checks,
      'Without the journal the image of PostgreSQL 12 is not known for sure. Nothing was changed.',
      'Find it in values.yaml in Git, and name it as the message says.',
    ],
    'journal-authentic': [
      checks,
      '`confirm` says to go without the journal, but the journal is right. Nothing was changed.',
      'Set `confirm` to the namespace alone.',
    ],
    'no-template1': [
      checks,
      'The server has no database template1, which pg_upgrade needs.',
      '`CREATE DATABASE template1 TEMPLATE template0`',
    ],
    'precheck-blocks': [
      checks,
      'At least one check failed or could not be answered. Nothing was stopped.',
      'Do what each of these findings says, then run the checks again. Nothing was changed.',
    ],
    'rehearsal-failed': [
      checks,
      'At least one stage of the rehearsal failed or could not be answered. Production is as it was.',
      'Do what each of its findings says, in the log and in the job summary. Then rehearse again.',
    ],
    'rehearsal-refused': [
      checks,
      'This server can not be rehearsed, such as one whose volume has neither snapshots nor clones. Nothing was made.',
      'Do what the message says.',
    ],
  },
  UpgradeError: { ...upgradeCodes, ...gateAndHookCodes, ...cleanupCodes },
  WaitError: {
    'wait-limit': [
      failed,
      'A wait reached its limit. The message says what was missing last.',
      'Look at what it names, or raise the input that it names.',
    ],
  },
  CancelledError: {
    cancelled: [
      failed,
      'Somebody cancelled the run, or the runner was shut down.',
      'Run again when you are ready. `mode: status` says how the server was left.',
    ],
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, CodeRow>>>>;

export type CodeOf<K extends keyof typeof errorCodes> = keyof (typeof errorCodes)[K];
export type ErrorCode = { [K in keyof typeof errorCodes]: CodeOf<K> }[keyof typeof errorCodes];

const rows: Readonly<Record<ErrorCode, CodeRow>> = {
  ...errorCodes.ConfigurationError,
  ...errorCodes.ClusterError,
  ...errorCodes.GitHubError,
  ...errorCodes.PrecheckError,
  ...errorCodes.UpgradeError,
  ...errorCodes.WaitError,
  ...errorCodes.CancelledError,
};

/** How a run ends with an error of that code. */
export function endOf(code: ErrorCode): End {
  const [end] = rows[code];
  return end;
}
