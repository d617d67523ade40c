import { z } from 'zod';
import { ConfigurationError } from '../common/errors.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';
import type { Inputs } from './inputs.ts';

/** What started the run. */
export interface Start {
  /** Name of the event (GITHUB_EVENT_NAME); in a reusable workflow it is its caller's. */
  readonly event: string;
  /** Whether GitHub Actions runs it, rather than a person or another program. */
  readonly isWorkflow: boolean;
  /** Payload of the event; undefined where it can't be read. */
  readonly payload: unknown;
}

/**
 * Events that may start a run, and what they may start. All others are refused in every mode: what a stranger can cause (a comment, an
 * issue, a fork, a pull request) must not reach a secret, and neither must an event that GitHub adds later.
 * Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
 * Decision: docs/decisions/0025-inputs-and-events.md
 */
export const startingEvents = {
  workflow_dispatch: { changes: true, who: 'somebody with write access starts it' },
  repository_dispatch: { changes: true, who: 'a token with `contents: write` sends it' },
  schedule: { changes: true, who: "the default branch's workflow sets its times" },
  push: { changes: false, who: 'somebody with write access pushes or merges; a merge must not begin a downtime' },
  workflow_run: {
    changes: false,
    who: 'another workflow ran, for this repository itself and not for a fork, and one of the events above started it',
  },
} as const satisfies Readonly<Record<string, { readonly changes: boolean; readonly who: string }>>;

/** GitHub sets these in every workflow, and lets nobody set them otherwise: one of them is enough to be in one. */
const workflowVariables = ['GITHUB_ACTIONS', 'GITHUB_EVENT_NAME', 'GITHUB_RUN_ID', 'GITHUB_WORKFLOW'];

/**
 * Whether GitHub Actions runs the process.
 * @param environment the value of a variable, '' where there is none
 */
export function isWorkflow(environment: (name: string) => string): boolean {
  return workflowVariables.some((name) => environment(name) !== '');
}

type Doing = Pick<Inputs, 'mode' | 'dryRun'>;

/** Whether the run may change the server: a dry run never does. */
function changes({ mode, dryRun }: Doing): boolean {
  return !dryRun && (mode === 'upgrade' || mode === 'rollback' || mode === 'cleanup');
}

function eventsFor(doing: Doing): string[] {
  return Object.entries(startingEvents)
    .filter(([, event]) => event.changes || !(changes(doing) || doing.mode === 'rehearse'))
    .map(([name]) => name);
}

/** As far as it is read here; GitHub's webhook payload of workflow_run. */
const workflowRun = z.object({
  repository: z.object({ full_name: z.string().min(1) }),
  workflow_run: z.object({ event: z.string(), head_repository: z.object({ full_name: z.string() }).nullish() }),
});

/**
 * What must be so before any mode uses a secret: an event on the list started the run, and no fork's.
 * @throws ConfigurationError
 */
export function guardStart(doing: Doing, { event, isWorkflow, payload }: Start): void {
  if (!isWorkflow) return;
  const allowed = eventsFor(doing);
  const what = doing.dryRun ? 'A dry run' : `"mode: ${doing.mode}"`;
  const remedy = changes(doing)
    ? 'Start it by workflow_dispatch, in an environment that asks for approval.'
    : `Start it by one of the events ${allowed.join(', ')}.`;
  if (!allowed.includes(event))
    throw new ConfigurationError('event-refused', `${what} does not run on ${named(event)}.`, remedy);
  if (event !== 'workflow_run') return;
  const read = workflowRun.safeParse(payload);
  if (!read.success)
    throw new ConfigurationError(
      'event-unreadable',
      `The payload of the event workflow_run can't be read (GITHUB_EVENT_PATH), so it is not known for whom the workflow ran.`,
      remedy,
    );
  const { repository, workflow_run: run } = read.data;
  if (run.head_repository?.full_name !== repository.full_name)
    throw new ConfigurationError(
      'fork-refused',
      `${what} does not run for a fork.`,
      'Start it by workflow_dispatch in the repository itself.',
    );
  // The payload of a workflow_run after a workflow_run does not say what started the first one.
  if (run.event === 'workflow_run' || !allowed.includes(run.event))
    throw new ConfigurationError(
      'event-refused',
      `${what} does not run after a workflow that ran on ${named(run.event)}.`,
      remedy,
    );
}

/** The name of an event as it may be shown: GitHub's have letters and underscores. */
function named(event: string): string {
  if (event === '') return 'an event without a name (GITHUB_EVENT_NAME is empty)';
  return `the event ${/^[a-z_]{1,50}$/.test(event) ? event : JSON.stringify(event.slice(0, 50))}`;
}

/** What a run with the confirmation does at once. */
const started = {
  upgrade: 'The action stops the applications meanwhile.',
  rollback:
    'If the applications have been restarted on PostgreSQL 14, the rollback first only says what you would lose. It changes nothing then. Otherwise it loses nothing, and begins at once.',
  cleanup:
    'The cleanup removes the last copies of PostgreSQL 12. With "dry-run: true" it only lists what it would remove.',
};

/** Modes without a dry run that make or change something, and how they are harmless themselves. */
const withoutDryRun: Readonly<Partial<Record<Inputs['mode'], string>>> = {
  rehearse: 'A rehearsal makes a copy of the volume, and removes it.',
  rollback: 'Without "accept-data-loss", a rollback that loses data only reports what it would lose.',
  values: 'The pull request changes nothing until somebody merges it.',
};

/**
 * What must be agreed to before a run that changes something may even look at the cluster. A dry run changes nothing, so it needs no consent.
 * @throws ConfigurationError
 */
export function guardConsent(
  inputs: Pick<Inputs, 'mode' | 'dryRun' | 'confirm' | 'consent' | 'namespace' | 'backup' | 'confirmExternalBackup'>,
): void {
  const { mode, namespace } = inputs;
  const harmless = withoutDryRun[mode];
  if (inputs.dryRun && harmless !== undefined)
    throw new ConfigurationError(
      'dry-run-refused',
      `"dry-run" works with "mode: upgrade" and "mode: cleanup" only; "mode: ${mode}" would make its changes all the same. Nothing was changed.`,
      `Remove "dry-run". ${harmless}`,
    );
  if (!changes(inputs)) return;
  if (inputs.consent === undefined) {
    throw new ConfigurationError(
      'confirm-missing',
      `"mode: ${mode}" needs "confirm" to be the namespace, "${namespace}"; it is ${inputs.confirm === '' ? 'empty' : JSON.stringify(inputs.confirm)}.`,
      `Set "confirm: ${namespace}" (outside of GitHub: ${copyable(shell`--confirm ${namespace}`)}). ${started[mode === 'rollback' || mode === 'cleanup' ? mode : 'upgrade']}`,
    );
  }
  if (mode === 'cleanup' && inputs.backup === 'external' && inputs.confirmExternalBackup !== namespace) {
    throw new ConfigurationError(
      'external-backup-unconfirmed',
      `"backup: external" needs "confirm-external-backup" to be the namespace, "${namespace}".`,
      `If a backup of PostgreSQL 14 exists outside of the cluster, set "confirm-external-backup: ${namespace}". The cleanup removes the last copies of PostgreSQL 12.`,
    );
  }
  if (mode === 'upgrade' && inputs.backup === 'external' && inputs.confirmExternalBackup !== namespace) {
    throw new ConfigurationError(
      'external-backup-unconfirmed',
      `"backup: external" needs "confirm-external-backup" to be the namespace, "${namespace}".`,
      `If a backup of the volume exists outside of the cluster, set "confirm-external-backup: ${namespace}". Without a backup in the cluster, the action can't restore PostgreSQL 12 once PostgreSQL 14 has served on linked files. That holds where the data differs or "before-applications" fails, and for "mode: rollback".`,
    );
  }
}
