import type { ClusterModeContext } from './mode.ts';
import { isRunError } from '../common/errors.ts';
import type { Facts, FactsWithRehearsal } from '../facts/facts.ts';
import { downtimeText, moveLines, stepLine } from '../report/plan-lines.ts';
import { planReport } from '../report/plan-report.ts';
import { blocks, type Finding } from '../findings/finding.ts';
import { findJournal } from '../journal/find-journal.ts';
import { upgradeAccountRemedy } from '../permissions/grants.ts';
import { canOnlyCheck, needed } from '../permissions/permissions.ts';
import { serverNames } from '../target/server-names.ts';
import { remedyText } from '../text/remedy.ts';
import { expectNoHolder } from '../lock/lease.ts';
import type { PlannedStep } from '../report/planned-step.ts';
import { expectShortPlan, expectStartInTime } from '../upgrade/steps/gates.ts';
import { draftUpgrade } from '../upgrade/upgrade.ts';
import { checkServer, findServer, withRehearsal } from './check-server.ts';
import { tellStatus } from './status.ts';

/**
 * Runs every check, and reports what an upgrade would do: its steps, what each would create and change, how long each would take. Writes nothing.
 * @throws PrecheckError when a check blocks the upgrade; the plan is reported before, if one can be made
 */
export async function dryRun(given: ClusterModeContext): Promise<void> {
  const { context, server: found } = await findServer(given);
  const { cluster, inputs, progress, log, scripts, runId, clock } = context;
  const journal = await findJournal(cluster, found.target, found.seal);
  if (journal?.isClosed === false) {
    await tellStatus(context);
    log.info('An upgrade would resume the unfinished one, so the dry run makes no plan');
    return;
  }
  await expectNoHolder(cluster, inputs.namespace);
  let checked;
  try {
    checked = await checkServer(context, found);
  } catch (error) {
    if (progress.facts !== undefined) await tellUpgrade(context, progress.facts, 'checks');
    throw error;
  }
  if (checked === undefined) return;
  let facts: FactsWithRehearsal = checked.facts;
  // As the upgrade would judge them.
  try {
    await expectStartInTime(context);
    facts = (await withRehearsal(context, checked, journal)).facts;
    if (inputs.maxDowntime !== undefined)
      expectShortPlan(inputs, draftUpgrade(facts, scripts.job, runId, clock.now()), log);
  } catch (error) {
    await tellUpgrade(context, facts, 'gate');
    throw error;
  }
  await tellUpgrade(context, facts);
}

/** What refuses the upgrade: then it is no error of its own if no plan can be made. */
type Refusal = 'checks' | 'gate';

async function tellUpgrade(context: ClusterModeContext, facts: FactsWithRehearsal, refusal?: Refusal): Promise<void> {
  await tellAccount(context, facts);
  await tellPlan(context, facts, refusal);
}

async function tellPlan(context: ClusterModeContext, facts: FactsWithRehearsal, refusal?: Refusal): Promise<void> {
  const { log, scripts, runId, clock, progress } = context;
  let steps: PlannedStep[];
  try {
    steps = draftUpgrade(facts, scripts.job, runId, clock.now());
  } catch (error) {
    if (refusal === undefined || !isRunError(error)) throw error;
    log.info(`Made no plan: ${error.message}`);
    return;
  }
  const plan = planReport([...steps, ...pullRequestStep(context)]);
  for (const step of plan.steps) {
    await log.group(`Plan: ${stepLine(step)}`, () => {
      for (const line of step.moves.flatMap(moveLines)) log.info(line);
      return Promise.resolve();
    });
  }
  await log.group('Plan: the images', () => {
    log.info(facts.inputs.imageOrigin);
    for (const image of [facts.serving.reference, facts.upgradeImage]) log.info(image);
    return Promise.resolve();
  });
  progress.plan = plan;
  const text =
    refusal === 'gate'
      ? '"start-before", "max-downtime" or "rehearsal" refuses the upgrade'
      : outlook(facts, progress.findings, refusal === 'checks');
  log.annotate('notice', 'dry run', `${text}. Its downtime would be ${downtimeText(plan)}. Nothing was changed.`);
}

/**
 * What a dry run says of the upgrade as a whole. An account that can only check may make a dry run. One that is meant for the upgrade must have its rights.
 * @param isBlocked whether any check blocks the upgrade
 */
export function outlook(facts: Facts, findings: readonly Finding[], isBlocked: boolean): string {
  const { missingPermissions: missing, user, target, inputs } = facts;
  const username = user.known ? user.value : '';
  const account = username === '' ? "the kubeconfig's user" : username;
  const isOnlyChecking = missing.known && canOnlyCheck(missing.value, serverNames(target), username);
  const lacks = missing.known && !isOnlyChecking ? needed(missing.value).length : 0;
  const isRefused = findings.some((finding) => finding.check === 'permissions' && blocks(finding, inputs.failOn));
  if (isRefused && lacks > 0)
    return `An upgrade as ${account} would be refused: it lacks ${lacks === 1 ? 'a right' : `${String(lacks)} rights`} (check permissions)`;
  if (isBlocked) return 'Checks block the upgrade';
  return isOnlyChecking
    ? `An upgrade would start, with an account that has the rights of an upgrade; this one (${account}) can only check`
    : 'An upgrade would start';
}

/** The command that creates the account of the upgrade, where this one can only check. */
async function tellAccount({ log }: ClusterModeContext, { missingPermissions: missing, user, target }: Facts) {
  const names = serverNames(target);
  const username = user.known ? user.value : '';
  if (!missing.known || !canOnlyCheck(missing.value, names, username)) return;
  await log.group('An account for the upgrade', () => {
    log.info(remedyText(upgradeAccountRemedy(names, username)));
    return Promise.resolve();
  });
}

function pullRequestStep({ pullRequest }: ClusterModeContext): PlannedStep[] {
  if (pullRequest === undefined) return [];
  const { path, image, base, branch } = pullRequest.settings;
  const what = `In ${path}, set the image ${image} on ${branch === '' ? 'a branch of its own' : `branch ${branch}`}, with a pull request into ${base === '' ? "the repository's default branch" : base}.`;
  return [
    {
      ...{ id: 'pull-request', title: 'Open the pull request for values.yaml', isDowntime: false, expected: undefined },
      moves: [{ does: 'run', what }],
    },
  ];
}
