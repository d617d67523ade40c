import { describe, endWith, isRunError, type RunError } from './common/errors.ts';
import { guardConsent, guardStart, isWorkflow, type Start } from './inputs/guards.ts';
import { dubiousInputs, unknownInputs, unusedInputs } from './inputs/input-advice.ts';
import { expectExisting } from './inputs/ignore.ts';
import { catalogue } from './prechecks/catalogue.ts';
import { nameWithVersion } from './inputs/command-line.ts';
import { inputTable, parseInputs, type Inputs } from './inputs/inputs.ts';
import type { Scripts } from './ports/scripts.ts';
import type { Clock } from './ports/clock.ts';
import type { RunCommands } from './ports/commands.ts';
import { withoutLease, type Cluster } from './ports/cluster.ts';
import type { Crypto } from './ports/crypto.ts';
import type { GitHub } from './ports/github.ts';
import type { Runner } from './ports/runner.ts';
import type { ModeContext, Progress } from './modes/mode.ts';
import { cleanup } from './modes/cleanup.ts';
import { precheck } from './modes/precheck.ts';
import { rehearseUpgrade } from './modes/rehearse.ts';
import { predictionOf } from './facts/prediction.ts';
import { rollback } from './modes/rollback.ts';
import { upgrade } from './modes/upgrade.ts';
import { tellStatus } from './modes/status.ts';
import { proposeValues } from './modes/values.ts';
import { valuesUpdate } from './pull-request/values-update.ts';
import type { Facts } from './facts/facts.ts';
import { changeLeaves } from './redaction/leaves.ts';
import type { Report, Verdict } from './report/report-shape.ts';
import { nextSteps } from './report/next-steps.ts';
import type { Predicted } from './report/planned-step.ts';
import { publish } from './report/publish.ts';
import { Timeline } from './report/timeline.ts';
import { remedyText } from './text/remedy.ts';
import { oneLine } from './text/visible.ts';
import { backupName } from './objects/backup.ts';

export interface Adapters {
  /** Of the action, for people and the report. */
  readonly version: string;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly crypto: Crypto;
  readonly connect: (inputs: Inputs) => Promise<Cluster>;
  readonly connectGitHub: (token: string) => Promise<GitHub>;
  readonly scripts: () => Promise<Scripts>;
  readonly runCommands: RunCommands;
  /** Payload of the event that started the workflow; undefined where it can't be read. */
  readonly readEvent: () => Promise<unknown>;
}

/** One run of the action, from inputs to report; never throws. */
export async function run(adapters: Adapters): Promise<void> {
  const { runner, clock } = adapters;
  runner.saveState('isPost', 'yes');
  // Before anything is told, an input's own error included.
  runner.mask(runner.input('github-token'));
  runner.log.info(nameWithVersion(adapters.version));
  const timeline = new Timeline(clock);
  const progress: Progress = { findings: [], verdict: 'failed', results: { warnings: [] } };
  let error: Report['error'];
  try {
    await work(adapters, timeline, progress);
  } catch (thrown) {
    error = isRunError(thrown)
      ? { code: thrown.code, message: oneLine(thrown.message), remedy: thrown.remedy }
      : {
          code: 'unexpected',
          message: oneLine(describe(thrown)),
          remedy: { text: 'This is an error in the action. Report it with the log.' },
        };
    if (!isRunError(thrown) && thrown instanceof Error) runner.log.info(thrown.stack ?? '');
    progress.verdict = verdictAfter(thrown, progress.verdict);
    tellError(runner, { ...error, place: isRunError(thrown) ? thrown.place : undefined });
  }
  runner.saveState('ended', progress.verdict);
  for (const warning of progress.results.warnings) runner.log.annotate('warning', progress.inputs?.mode ?? '', warning);
  try {
    // The summary cuts what is long: what it is made of is redacted before.
    const report = changeLeaves(reportOf(adapters.version, progress, timeline, error), (text) =>
      runner.log.redact(text),
    );
    await publish(runner, report);
  } catch (thrown) {
    runner.log.annotate(
      'error',
      'outputs-unwritable',
      `The outputs can't be written: ${describe(thrown)}. The log says what happened.`,
    );
    runner.fail();
  }
}

/** Fails the run, and says why and what to do. */
export function tellError(
  runner: Pick<Runner, 'log' | 'fail'>,
  { code, message, remedy, place }: Pick<RunError, 'message' | 'remedy' | 'place'> & { readonly code: string },
): void {
  runner.log.annotate('error', code, `${message} What to do: ${remedyText(remedy)}`, place);
  runner.fail();
}

async function work(adapters: Adapters, timeline: Timeline, progress: Progress): Promise<void> {
  const { runner, clock, signal } = adapters;
  const read = (name: string) => runner.input(name);
  const unknown = unknownInputs(runner.inputNames());
  const inputs = parseInputs(read);
  progress.inputs = inputs;
  expectExisting(inputs.ignoreChecks, catalogue);
  const start = await startOf(adapters);
  guardStart(inputs, start);
  guardConsent(inputs);
  if (!start.isWorkflow) runner.log.info('Started outside of GitHub Actions: no event to check');
  const unused = unusedInputs(read, inputs.mode);
  if (unused.otherModes.length > 0)
    runner.log.info(`Inputs that "mode: ${inputs.mode}" does not use: ${unused.otherModes.join(', ')}`);
  progress.results.warnings.push(
    ...unknown.map((name) => `There is no input ${JSON.stringify(name)}: no effect.`),
    ...unused.warnings,
    ...dubiousInputs(inputs),
  );
  const runId = runIdOf(runner);
  const isProposing = inputTable.valuesFile.modes.includes(inputs.mode);
  const settings = isProposing ? valuesUpdate(inputs, inputs.servingImage, runId) : undefined;
  const github = settings && (await adapters.connectGitHub(inputs.githubToken));
  const pullRequest = settings && github && { settings, github };
  const context: ModeContext = {
    ...{ version: adapters.version, inputs, runner, clock, signal, timeline, progress, runId, pullRequest },
    // Not before the checks: what is wrong with it must not hide what they find.
    connectForIssue: inputs.issue ? () => adapters.connectGitHub(inputs.githubToken) : undefined,
    log: runner.log,
  };
  if (inputs.mode === 'values') {
    await proposeValues(context);
    return;
  }
  const connection = await adapters.connect(inputs);
  const cluster = withoutLease(connection);
  progress.cluster = cluster;
  progress.results.warnings.push(...cluster.weaknesses);
  const scripts = await adapters.scripts();
  const { crypto, runCommands } = adapters;
  await clusterModes[inputs.mode]({ ...context, cluster, connection, crypto, scripts, runCommands });
}

async function startOf({ runner, readEvent }: Adapters): Promise<Start> {
  const event = runner.environment('GITHUB_EVENT_NAME');
  return { event, isWorkflow: isWorkflow((name) => runner.environment(name)), payload: await readEvent() };
}

const clusterModes = { precheck, rehearse: rehearseUpgrade, upgrade, status: tellStatus, rollback, cleanup };

/** An upgrade that is done stays done, also when the pull request after it failed. */
function verdictAfter(thrown: unknown, before: Verdict): Verdict {
  const { verdict } = endWith(thrown);
  if (verdict === 'reverted' || verdict === 'interrupted') return verdict;
  const stays = verdict === 'checks' || before === 'upgraded' || before === 'already-upgraded';
  return stays ? before : 'failed';
}

/** The run's address, as people find it again; anything that tells runs apart outside of GitHub. */
export function runIdOf(runner: Runner): string {
  const [server, repository, id, attempt] = [
    'GITHUB_SERVER_URL',
    'GITHUB_REPOSITORY',
    'GITHUB_RUN_ID',
    'GITHUB_RUN_ATTEMPT',
  ].map((name) => runner.environment(name));
  return id
    ? `${server ?? ''}/${repository ?? ''}/actions/runs/${id}/attempts/${attempt ?? '1'}`
    : `process ${String(process.pid)}`;
}

function seenId(probe: Facts['servingProbe']): string | undefined {
  return probe.known ? probe.value.seen?.imageId : undefined;
}

/** What was predicted, and whether it came so. */
function comparedWith(actual: number | undefined, predicted: Predicted | undefined): Report['predictedDowntime'] {
  if (predicted === undefined || actual === undefined) return predicted;
  return { ...predicted, isWithin: predicted.lowSeconds <= actual && actual <= predicted.highSeconds };
}

function reportOf(
  version: string,
  {
    inputs,
    cluster,
    target,
    facts,
    findings,
    checkSeconds,
    verdict,
    results,
    plan,
    pullRequest,
    issue,
    status,
    cleanup: cleaned,
    image,
    rehearsal,
  }: Progress,
  timeline: Timeline,
  error: Report['error'],
): Report {
  return {
    schema: 2,
    version,
    mode: inputs?.mode ?? 'precheck',
    namespace: inputs?.namespace ?? '',
    cluster: cluster?.address ?? '',
    verdict,
    findings,
    checkSeconds,
    rehearsal,
    images: facts && {
      upgrade: { reference: facts.upgradeImage, seen: seenId(facts.upgradeProbe) },
      serving: { reference: facts.serving.reference, seen: seenId(facts.servingProbe) },
      origin: facts.inputs.imageOrigin,
    },
    image: image ?? inputs?.servingImage,
    phases: timeline.phases,
    serving: results.serving === true,
    snapshot: results.backup?.kind === 'snapshot' ? results.backup.name : undefined,
    backup: results.backup && backupName(results.backup),
    backupTimes: results.backupTimes,
    backupProof: results.backupProof,
    downtimeSeconds: timeline.downtimeSeconds,
    // A way back takes what nobody has predicted.
    predictedDowntime: comparedWith(verdict === 'upgraded' ? timeline.downtimeSeconds : undefined, results.predicted),
    statisticsSeconds: timeline.statisticsSeconds,
    prediction: facts && predictionOf(facts),
    plan,
    cleanup: cleaned,
    transfer: results.job?.transfer,
    comparison: results.comparison,
    versions: { before: results.job?.oldVersion, after: results.job?.newVersion },
    pullRequest: pullRequest && {
      operation: pullRequest.operation,
      number: pullRequest.number,
      url: pullRequest.url,
      headSha: pullRequest.headSha,
      changes: pullRequest.changes,
    },
    issue: issue && { operation: issue.operation, number: issue.number, url: issue.url },
    status,
    nextSteps:
      inputs === undefined || target === undefined
        ? []
        : nextSteps({
            ...{ verdict, target, backup: results.backup, served: results.served, valuesFile: inputs.valuesFile },
            restored: results.restored,
            image: verdict === 'rolled-back' ? image : (image ?? inputs.servingImage),
            charts: facts?.charts.known === true ? facts.charts.value : [],
            earlier: facts?.keptData.known === true ? facts.keptData.value : [],
          }),
    warnings: results.warnings,
    error,
  };
}
