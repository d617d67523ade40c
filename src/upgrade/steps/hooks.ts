// What the administrator has run around the restart of the applications. It comes from the inputs of this run alone.
// Decision: docs/decisions/0033-gates-and-hooks.md
import { ClusterError, describe, sentence, UpgradeError } from '../../common/errors.ts';
import { upgrade } from '../../common/versions.ts';
import type { Inputs } from '../../inputs/inputs.ts';
import { backupName } from '../../objects/backup.ts';
import type { ExecResult } from '../../ports/cluster.ts';
import type { CommandsEnd } from '../../ports/commands.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import type { Move } from '../../report/planned-step.ts';
import { shortened } from '../../text/shortened.ts';
import { oneLine } from '../../text/visible.ts';
import type { Context, PlanContext, Step } from '../contract/step.ts';
import { waitForServer } from '../server/server-ready.ts';
import { secondsText } from './gates.ts';

type HookInput = 'before-applications-sql' | 'before-applications' | 'after-applications';

/** Where the SQL begins, and a client that asks nothing else. */
const firstDatabase = 'postgres';

/** Of the output: lines that the log has, and characters of each. */
const [mostLines, longestLine] = [2000, 2000];

export function hasBeforeApplications({ beforeApplicationsSql, beforeApplications }: Inputs): boolean {
  return beforeApplicationsSql !== '' || beforeApplications !== '';
}

export function hasAfterApplications({ afterApplications }: Inputs): boolean {
  return afterApplications !== '';
}

/** On a server that is validated, and that no client uses yet: a failure reverts, and loses nothing but what the hook itself wrote. */
export const beforeApplications: Step = {
  id: 'before-applications',
  title: 'Run before-applications',

  plan: (draft) => [
    ...planned(draft, draft.inputs.beforeApplicationsSql, 'Run the SQL of "before-applications-sql" as the superuser'),
    ...planned(draft, draft.inputs.beforeApplications, 'Run the commands of "before-applications" on the runner'),
  ],

  async run(context) {
    const { inputs } = context;
    if (inputs.beforeApplicationsSql !== '') await runSql(context, inputs.beforeApplicationsSql);
    if (inputs.beforeApplications === '') return;
    // They may come through the Service, which has the pod only when it is ready.
    await waitForServer(context, context.serving.reference);
    await runOnRunner(context, 'before-applications', inputs.beforeApplications, failedBefore(context));
  },
};

/** When the applications serve again: a failure reverts nothing. */
export const afterApplications: Step = {
  id: 'after-applications',
  title: 'Run after-applications',

  plan: ({ inputs }: PlanContext): readonly Move[] => [
    {
      does: 'run',
      what: `Run the commands of "after-applications" on the runner, for ${secondsText(inputs.hookTimeout)} at most. If they fail, the run fails, and PostgreSQL ${String(upgrade.to)} goes on serving.`,
    },
  ],

  async run(context) {
    await runOnRunner(context, 'after-applications', context.inputs.afterApplications, failedAfter(context));
  },
};

function planned({ record }: PlanContext, script: string, what: string): readonly Move[] {
  if (script === '') return [];
  const left =
    record.backup.kind === 'external'
      ? `, or end with PostgreSQL ${String(upgrade.to)} where the files are linked`
      : '';
  return [{ does: 'run', what: `${what}. If it fails, revert to PostgreSQL ${String(upgrade.from)}${left}.` }];
}

/** In one session of the server's pod. */
async function runSql(context: Context, sql: string): Promise<void> {
  const { database, inputs, clock, log } = context;
  const limit = inputs.hookTimeout;
  const doing = 'running the SQL of "before-applications-sql"';
  let result: ExecResult;
  try {
    result = await withHeartbeat({ doing, limit, clock, log }, () => database.runScript(firstDatabase, sql, limit));
  } catch (error) {
    // Whoever lost the Lease must not revert.
    if (!(error instanceof ClusterError)) throw error;
    throw failedBefore(context)('before-applications-sql', sentence(describe(error)), error);
  }
  const tell = teller(context);
  const errors = linesOf(result.stderr);
  for (const line of [...linesOf(result.stdout), ...errors]) tell.line(line);
  tell.end();
  if (result.exitCode === 0) return;
  // Without the lines that psql adds, which quote the SQL.
  const error =
    errors.findLast((line) => /^psql:(?:<stdin>:\d+:)? (?:ERROR|FATAL|PANIC|error): /.test(line)) ??
    errors.find((line) => line.startsWith('psql:<stdin>:')) ??
    `exit code ${String(result.exitCode)}`;
  throw failedBefore(context)('before-applications-sql', sentence(error));
}

/** Of the output, without the end of the last one. */
function linesOf(output: string): string[] {
  return output.split('\n').filter((line, at, all) => at < all.length - 1 || line !== '');
}

type Failure = (hook: HookInput, what: string, cause?: unknown) => UpgradeError;

async function runOnRunner(context: Context, hook: HookInput, script: string, failed: Failure): Promise<void> {
  const { inputs, clock, log, signal, runCommands } = context;
  const limit = inputs.hookTimeout;
  const tell = teller(context);
  const variables = variablesOf(context, hook);
  const commands = { script, variables, limit, signal, onLine: tell.line };
  let end: CommandsEnd;
  try {
    end = await withHeartbeat({ doing: `running the commands of "${hook}"`, limit, clock, log }, () =>
      runCommands(commands),
    );
  } catch (error) {
    throw failed(hook, `They could not be started: ${sentence(describe(error))}`, error);
  } finally {
    tell.end();
  }
  if ('exitCode' in end) {
    if (end.exitCode !== 0) throw failed(hook, `They ended with exit code ${String(end.exitCode)}.`);
    log.info(`The commands of "${hook}" ended with exit code 0`);
  } else if (end.endedBy === 'limit')
    throw failed(hook, `They did not end within ${secondsText(limit)}, and the action ended them.`);
  else throw failed(hook, 'The run was cancelled, and the action ended them.');
}

/** Where nothing restores PostgreSQL 12, an attempt to revert would stop PostgreSQL 14 and end there. */
function failedBefore({ journal, results, settings }: Context): Failure {
  // Where an earlier run saw the Job end, only what was asked for is known: of "auto" nothing.
  const transfer = results.job?.transfer ?? settings.transfer;
  const isWholeBeside = transfer === 'clone' || transfer === 'copy';
  if (journal.record.backup.kind !== 'external' || isWholeBeside)
    return (hook, what, cause) =>
      new UpgradeError(
        'before-applications-failed',
        `"${hook}" failed: ${what}`,
        'Look at its output in the log. Correct it, or raise `hook-timeout`, then run again.',
        { cause },
      );
  return (hook, what, cause) =>
    new UpgradeError(
      'before-applications-left',
      `"${hook}" failed: ${what} There is no backup in the cluster, and the action does not know of files that PostgreSQL ${String(upgrade.from)} has for itself, so it did not revert. PostgreSQL ${String(upgrade.to)} serves, and the applications are still stopped.`,
      'Look at its output in the log. Correct it, or leave it out. Then run "mode: upgrade" again: it resumes here and restarts the applications.',
      { cause },
    );
}

function failedAfter({ target: { namespace } }: Context): Failure {
  return (hook, what, cause) =>
    new UpgradeError(
      'after-applications-failed',
      `PostgreSQL ${String(upgrade.to)} serves with the same data, and the applications are restarted, but "${hook}" failed: ${what} The action reverted nothing.`,
      `Look at its output in the log, and try by hand. If all is well, nothing else is to do. To go back, do not merge the pull request for values.yaml. Run "mode: rollback" with "confirm: ${namespace}": it says what you would lose, and changes nothing. That grows with each change by the applications. If you agree, run it again with "accept-data-loss: true".`,
      { cause },
    );
}

/**
 * What the commands may know: names, addresses and versions. PG… are libpq's own variables: from a runner in the cluster, psql then needs nothing but the password.
 * @returns no secret, unless the workflow consents to the password
 */
function variablesOf(context: Context, hook: HookInput): Record<string, string> {
  const { target, inputs, cluster, serving, results, database } = context;
  const { namespace, name, podName, statefulSet, container } = target;
  const port = container.ports?.find(({ name: of }) => of === 'tcp-postgresql')?.containerPort ?? 5432;
  const variables = {
    UPGRADE_HOOK: hook,
    UPGRADE_CLUSTER: cluster.address,
    UPGRADE_NAMESPACE: namespace,
    UPGRADE_RELEASE: statefulSet.metadata?.labels?.['app.kubernetes.io/instance'] ?? '',
    UPGRADE_STATEFULSET: name,
    UPGRADE_POD: podName,
    UPGRADE_IMAGE: serving.reference,
    UPGRADE_BACKUP: results.backup === undefined ? '' : backupName(results.backup),
    UPGRADE_VERSION_BEFORE: results.job?.oldVersion ?? String(upgrade.from),
    UPGRADE_VERSION_AFTER: results.job?.newVersion ?? String(upgrade.to),
    PGHOST: `${podName}.${statefulSet.spec?.serviceName ?? name}.${namespace}.svc`,
    PGPORT: String(port),
    PGUSER: database.superuser,
    PGDATABASE: firstDatabase,
  };
  return inputs.hookPassword ? { ...variables, PGPASSWORD: database.passwordByConsent() } : variables;
}

/** Tells the output, each line behind a mark: so none looks like a line of the action's. What the runner would take for a command is broken as in all of the log. */
function teller({ log }: Context): { readonly line: (text: string) => void; readonly end: () => void } {
  let lines = 0;
  return {
    line(text) {
      lines++;
      // Redacted before it is cut: half of a secret is not found any more.
      if (lines <= mostLines) log.info(shortened(log.redact(`> ${oneLine(text)}`), longestLine));
    },
    end() {
      if (lines > mostLines) log.info(`> … (${String(lines - mostLines)} more lines)`);
    },
  };
}
