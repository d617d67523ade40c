import { Database } from '../database/database.ts';
import { PrecheckError } from '../common/errors.ts';
import { blocks, type Finding } from '../findings/finding.ts';
import { withServersImage, type Inputs } from '../inputs/inputs.ts';
import type { Facts, FactsWithRehearsal } from '../facts/facts.ts';
import { gatherFacts } from '../prechecks/facts/gather.ts';
import { judge, verdictOf } from '../prechecks/judge.ts';
import { predictionOf, predictionText } from '../facts/prediction.ts';
import { probePullRequest } from '../pull-request/probe.ts';
import { valuesUpdate } from '../pull-request/values-update.ts';
import type { Runner } from '../ports/runner.ts';
import { expectRehearsed } from '../rehearsal/valid.ts';
import { annotateFindings } from '../report/annotate-findings.ts';
import { blockingText } from '../report/finding-groups.ts';
import { logFindings } from '../report/log-findings.ts';
import { serverImage, type Target } from '../target/target.ts';
import { alreadyUpgraded } from '../upgrade/steps/already.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournalSeal } from '../journal/seal.ts';
import { locate, type Mask } from './locate.ts';
import type { ClusterModeContext } from './mode.ts';

/** The server in the cluster, and the access to its databases. */
export interface FoundServer {
  readonly target: Target;
  readonly database: Database;
  /** Of its journals. */
  readonly seal: JournalSeal;
}

/** The server, and the run as it goes on: with the images that the server's own one leads to. */
interface Found {
  readonly context: ClusterModeContext;
  readonly server: FoundServer;
}

/** A server that no check blocks. */
export interface CheckedServer extends FoundServer {
  readonly facts: Facts;
}

/**
 * Runs every check on the server.
 * @returns undefined when PostgreSQL 14 serves already, which is reported
 * @throws PrecheckError when a check blocks the upgrade
 */
export async function checkServer(
  context: ClusterModeContext,
  { target, database, seal }: FoundServer,
): Promise<CheckedServer | undefined> {
  const { log, timeline, progress, inputs, pullRequest, signal } = context;
  const { servingImage: serving } = inputs;
  const cluster = context.cluster.interruptedBy(signal);
  const asked = database.over(cluster);
  const served = await alreadyUpgraded(cluster, target, asked, serving, seal);
  if (served !== undefined) {
    progress.verdict = 'already-upgraded';
    log.annotate(
      'notice',
      'already upgraded',
      `PostgreSQL ${served} serves already in namespace ${inputs.namespace}, with image ${serving.reference}. Nothing was changed there.`,
    );
    return undefined;
  }
  const { facts, seconds } = await log.group('Gather facts', () =>
    timeline.phase('precheck', 'Gather facts', () =>
      gatherFacts({
        ...context,
        cluster,
        target,
        database: asked,
        seal,
        unmaskedSecrets: context.runner.unmasked(),
        probePullRequest: pullRequest && (() => probePullRequest(pullRequest.github, pullRequest.settings)),
      }),
    ),
  );
  progress.facts = facts;
  const judged = judge(facts, seconds, checksPage(context.runner), log);
  progress.findings = judged.findings;
  progress.checkSeconds = judged.seconds;
  progress.verdict = verdictOf(progress.findings);
  const where = `namespace ${inputs.namespace} in cluster ${cluster.address}`;
  await logFindings(progress.findings, judged.seconds, where, log);
  const prediction = predictionOf(facts);
  if (prediction !== undefined) log.info(predictionText(prediction));
  // GitHub shows them with the run; in the log they would repeat what is above.
  await log.group('Annotations of the checks', () => {
    annotateFindings(progress.findings, inputs, log);
    return Promise.resolve();
  });
  refuseIfBlocked(progress.findings, inputs.failOn);
  return { target, database, seal, facts };
}

/**
 * Finds the server in the cluster.
 * @throws ConfigurationError, ClusterError; UpgradeError where the server's claim is missing and the journal can't be trusted
 */
export async function findServer(context: ClusterModeContext): Promise<Found> {
  const title = 'Find the server';
  return await context.log.group(title, () => context.timeline.phase('discover', title, () => look(context)));
}

async function look(context: ClusterModeContext): Promise<Found> {
  const { cluster, log, runner, signal } = context;
  log.info(`Cluster: ${cluster.address}`);
  const mask: Mask = (secret, options) => {
    runner.mask(secret, options);
  };
  const { target, open } = await locate({ ...context, cluster: cluster.interruptedBy(signal), mask });
  log.info(
    `Found StatefulSet ${target.name}, PersistentVolumeClaim ${target.volume.claimName} at ${target.volume.mountPath}, data directory ${target.dataDirectory}, UID ${String(target.userId)}`,
  );
  context.progress.target = target;
  const found = withImagesOf(context, target);
  log.info(found.inputs.imageOrigin);
  const { password, seal } = await open();
  return { context: found, server: { target, seal, database: new Database(cluster, target, password, 'postgres') } };
}

/** The run with the images that the server's own one leads to, where the inputs leave that open. */
function withImagesOf(context: ClusterModeContext, target: Target): ClusterModeContext {
  const { progress, pullRequest, runId } = context;
  const inputs = withServersImage(context.inputs, serverImage(target));
  progress.inputs = inputs;
  const settings = pullRequest && valuesUpdate(inputs, inputs.servingImage, runId);
  return { ...context, inputs, pullRequest: pullRequest && settings && { ...pullRequest, settings } };
}

/** The address of the page in the version that runs; in a workflow of the action's own repository, and outside of GitHub, only its path. */
function checksPage(runner: Runner): string {
  const [server, repository, version] = ['GITHUB_SERVER_URL', 'GITHUB_ACTION_REPOSITORY', 'GITHUB_ACTION_REF'].map(
    (name) => runner.environment(name),
  );
  const page = 'docs/checks.md';
  return server && repository && version ? `${server}/${repository}/blob/${version}/${page}` : page;
}

function refuseIfBlocked(findings: readonly Finding[], failOn: Inputs['failOn']): void {
  if (!findings.some((finding) => blocks(finding, failOn))) return;
  throw new PrecheckError(
    'precheck-blocks',
    blockingText(findings, failOn),
    'Do what each of these findings says, then run the checks again. Nothing was changed.',
  );
}

/**
 * What the last rehearsal of the server adds to what the checks have found.
 * @param earlier journal of the last upgrade
 * @throws UpgradeError `rehearsal-missing`
 */
export async function withRehearsal(
  context: ClusterModeContext,
  checked: CheckedServer,
  earlier: Journal | undefined,
): Promise<CheckedServer & { readonly facts: FactsWithRehearsal }> {
  const rehearsed = await expectRehearsed({ ...context, ...checked, earlier });
  return { ...checked, facts: { ...checked.facts, ...rehearsed } };
}
