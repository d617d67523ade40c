import { ConfigurationError } from './errors.ts';
import type { Inputs } from './inputs.ts';

/** Events whose workflow may run code or inputs of somebody who may not push. */
const pullRequestEvents = ['pull_request', 'pull_request_target', 'pull_request_review', 'pull_request_review_comment'];

/**
 * What must be so before an upgrade may even look at the cluster. A dry run of it is no more than a precheck.
 * @param event name of the event that started the workflow (GITHUB_EVENT_NAME)
 * @param isFork the workflow runs for a fork's branch
 * @throws ConfigurationError
 */
export function guardUpgrade(
  inputs: Pick<Inputs, 'mode' | 'dryRun' | 'confirm' | 'namespace' | 'backup' | 'confirmExternalBackup'>,
  event: string,
  isFork: boolean,
): void {
  const { mode, namespace } = inputs;
  if (inputs.dryRun && (mode === 'rollback' || mode === 'values'))
    throw new ConfigurationError(
      'dry-run-refused',
      `"dry-run" is for "mode: upgrade"; "mode: ${mode}" would change what it is asked to.`,
      mode === 'rollback'
        ? 'Leave it out: without "accept-data-loss" a rollback that loses anything only says what.'
        : 'Leave it out: the pull request changes nothing until it is merged.',
    );
  if (inputs.dryRun || (mode !== 'upgrade' && mode !== 'rollback')) return;
  if (pullRequestEvents.includes(event)) {
    throw new ConfigurationError(
      'event-refused',
      `"mode: ${mode}" does not run on the event ${event}.`,
      'Start it by workflow_dispatch, in an environment that asks for approval.',
    );
  }
  if (isFork) {
    throw new ConfigurationError(
      'fork-refused',
      `"mode: ${mode}" does not run for a fork.`,
      'Start it by workflow_dispatch in the repository itself.',
    );
  }
  if (inputs.confirm !== inputs.namespace) {
    throw new ConfigurationError(
      'confirm-missing',
      `"mode: ${mode}" needs "confirm" to be the namespace, "${namespace}"; it is ${inputs.confirm === '' ? 'empty' : JSON.stringify(inputs.confirm)}.`,
      `Set "confirm: ${namespace}" when you mean it: the applications are stopped meanwhile.`,
    );
  }
  if (mode === 'upgrade' && inputs.backup === 'external' && inputs.confirmExternalBackup !== namespace) {
    throw new ConfigurationError(
      'external-backup-unconfirmed',
      `"backup: external" needs "confirm-external-backup" to be the namespace, "${namespace}".`,
      `Set "confirm-external-backup: ${namespace}" when a backup of the volume exists outside of the cluster. Without one in the cluster, 12 can't be brought back once 14 has served on linked files: not when its data does not compare, and not by "mode: rollback".`,
    );
  }
}

/**
 * Whether an event's payload speaks of a fork: a workflow_run's head or a pull
 * request's head in another repository than the workflow's own.
 */
export function isForkEvent(payload: unknown): boolean {
  const event = payload as {
    workflow_run?: { head_repository?: { full_name?: string } };
    pull_request?: { head?: { repo?: { full_name?: string } | null } };
    repository?: { full_name?: string };
  };
  const own = event.repository?.full_name;
  if (event.workflow_run !== undefined && event.workflow_run.head_repository?.full_name !== own) return true;
  return event.pull_request !== undefined && event.pull_request.head?.repo?.full_name !== own;
}
