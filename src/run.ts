import { Database } from './database/database.ts';
import { CancelledError, describe, isRunError, PrecheckError, UpgradeError } from './errors.ts';
import { guardUpgrade } from './guards.ts';
import { parseInputs, type Inputs } from './inputs.ts';
import { parseResources } from './job/resources.ts';
import type { Clock } from './ports/clock.ts';
import type { Cluster } from './ports/cluster.ts';
import type { Surroundings } from './ports/context.ts';
import type { Runner } from './ports/runner.ts';
import { blocks, type Finding } from './prechecks/finding.ts';
import type { Facts } from './prechecks/facts.ts';
import { gatherFacts } from './prechecks/gather.ts';
import { judge, verdictOf } from './prechecks/judge.ts';
import type { Report, Verdict } from './report/report.ts';
import { publish } from './report/publish.ts';
import { Timeline } from './report/timeline.ts';
import { readPassword } from './target/credentials.ts';
import { discover } from './target/discover.ts';
import { servingImage } from './target/images.ts';
import type { Target } from './target/target.ts';
import { alreadyUpgraded } from './upgrade/already.ts';
import type { Results } from './upgrade/step.ts';
import { runUpgrade } from './upgrade/upgrade.ts';

export interface Outside {
  readonly runner: Runner;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly connect: (inputs: Inputs) => Promise<Cluster>;
  readonly scripts: () => Promise<{ readonly job: Readonly<Record<string, string>>; readonly probe: string }>;
  /** The workflow runs for somebody who may not push. */
  readonly isFork: () => Promise<boolean>;
}

/** What a run has found out by the time it ends, however it ends. */
interface Progress {
  inputs?: Inputs;
  cluster?: Cluster;
  facts?: Facts;
  findings: Finding[];
  verdict: Verdict;
  readonly results: Results;
}

/** One run of the action, from inputs to report; never throws. */
export async function run(outside: Outside): Promise<void> {
  const { runner, clock } = outside;
  const timeline = new Timeline(clock);
  const progress: Progress = { findings: [], verdict: 'failed', results: { warnings: [] } };
  let error: Report['error'];
  try {
    await work(outside, timeline, progress);
  } catch (thrown) {
    error = isRunError(thrown)
      ? { code: thrown.code, message: thrown.message, remedy: thrown.remedy }
      : {
          code: 'unexpected',
          message: describe(thrown),
          remedy: 'This is a fault of the action; please report it with the log.',
        };
    if (!isRunError(thrown) && thrown instanceof Error) runner.log.info(thrown.stack ?? '');
    if (thrown instanceof UpgradeError && thrown.code === 'reverted') progress.verdict = 'reverted';
    else if (!(thrown instanceof PrecheckError)) progress.verdict = 'failed';
    runner.log.annotate('error', error.code, `${error.message} What to do: ${error.remedy}`);
    runner.fail();
  }
  for (const warning of progress.results.warnings) runner.log.annotate('warning', 'upgrade', warning);
  try {
    await publish(runner, reportOf(progress, timeline, error));
  } catch (thrown) {
    runner.log.annotate(
      'error',
      'outputs-unwritable',
      `The outputs can't be written: ${describe(thrown)}. What happened is in the log.`,
    );
    runner.fail();
  }
}

async function work(outside: Outside, timeline: Timeline, progress: Progress): Promise<void> {
  const { runner, clock, signal } = outside;
  const { log } = runner;
  const inputs = parseInputs((name) => runner.input(name));
  progress.inputs = inputs;
  guardUpgrade(inputs, runner.environment('GITHUB_EVENT_NAME'), await outside.isFork());
  const serving = servingImage(inputs);
  parseResources(inputs.resources);
  const cluster = await outside.connect(inputs);
  progress.cluster = cluster;
  const surroundings: Surroundings = { cluster, clock, log, signal };

  const { target, database } = await log.group('Find the server', () =>
    timeline.phase('discover', 'Find the server', () => findServer(surroundings, inputs, runner)),
  );
  const served = await alreadyUpgraded(cluster, target, database, serving);
  if (served !== undefined) {
    progress.verdict = 'already-upgraded';
    log.annotate(
      'notice',
      'already upgraded',
      `PostgreSQL ${served} serves in namespace ${inputs.namespace} with image ${serving.reference}. Nothing was changed.`,
    );
    return;
  }

  const scripts = await outside.scripts();
  const facts = await log.group('Gather facts', () =>
    timeline.phase('precheck', 'Gather facts', () =>
      gatherFacts({ ...surroundings, inputs, target, database, probeScript: scripts.probe }),
    ),
  );
  progress.facts = facts;
  progress.findings = await judge(facts, log);
  progress.verdict = verdictOf(progress.findings);
  refuseIfBlocked(progress.findings);
  if (inputs.mode === 'precheck') {
    log.annotate(
      'notice',
      'precheck',
      `${String(progress.findings.length)} checks: ${progress.verdict}. The upgrade can start.`,
    );
    return;
  }

  // From here on a cancellation has something to take back.
  if (signal.aborted) throw new CancelledError('the checks ran; the upgrade has not begun');
  expectUnchanged(target, await discover(cluster, inputs));
  const runId = runIdOf(runner);
  await runUpgrade({
    ...surroundings,
    facts,
    runId,
    database,
    scripts: scripts.job,
    timeline,
    results: progress.results,
  });
  progress.verdict = 'upgraded';
  log.annotate(
    'notice',
    'upgraded',
    `PostgreSQL ${progress.results.job?.newVersion ?? ''} serves in namespace ${inputs.namespace}; downtime ${String(timeline.downtimeSeconds ?? 0)} s.`,
  );
}

/** The checks may have taken minutes: what is recorded and brought back must be what is there now. */
function expectUnchanged(checked: Target, now: Target): void {
  const facts = ({ statefulSet, replicas, container, volume, applications }: Target) =>
    JSON.stringify([statefulSet.metadata?.uid, replicas, container.image, volume.claim.metadata?.uid, applications]);
  if (facts(checked) === facts(now)) return;
  throw new PrecheckError(
    'changed-meanwhile',
    'The StatefulSet or the applications were changed while the checks ran.',
    'Let the change come to its end, then run again.',
  );
}

async function findServer(
  { cluster, log }: Surroundings,
  inputs: Inputs,
  runner: Runner,
): Promise<{ target: Target; database: Database }> {
  log.info(`Cluster: ${cluster.address}`);
  const target = await discover(cluster, inputs);
  log.info(
    `StatefulSet ${target.name}, claim ${target.volume.claimName} at ${target.volume.mountPath}, data directory ${target.dataDirectory}, UID ${String(target.userId)}`,
  );
  const password = await readPassword(cluster, target);
  runner.mask(password);
  return { target, database: new Database(cluster, target, password, 'postgres') };
}

function refuseIfBlocked(findings: readonly Finding[]): void {
  const blocking = findings.filter(blocks);
  if (blocking.length === 0) return;
  const names = blocking.map((f) => `${f.check} (${f.status})`).join(', ');
  throw new PrecheckError(
    'precheck-blocks',
    `${String(blocking.length)} of ${String(findings.length)} checks stand against the upgrade: ${names}.`,
    'Each of them says what to do, in the log and in the job summary.',
  );
}

/** The run's address, as people find it again; anything that tells runs apart outside of GitHub. */
function runIdOf(runner: Runner): string {
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

function reportOf(
  { inputs, cluster, facts, findings, verdict, results }: Progress,
  timeline: Timeline,
  error: Report['error'],
): Report {
  return {
    schema: 1,
    mode: inputs?.mode ?? 'precheck',
    namespace: inputs?.namespace ?? '',
    cluster: cluster?.address ?? '',
    verdict,
    findings,
    image: inputs === undefined ? undefined : (facts?.serving ?? safeServingImage(inputs)),
    phases: timeline.phases,
    serving: results.serving === true,
    snapshot: results.snapshot,
    downtimeSeconds: timeline.downtimeSeconds,
    transfer: results.job?.transfer,
    versions: { before: results.job?.oldVersion, after: results.job?.newVersion },
    warnings: results.warnings,
    error,
  };
}

function safeServingImage(inputs: Inputs): Report['image'] {
  try {
    return servingImage(inputs);
  } catch {
    return undefined;
  }
}
