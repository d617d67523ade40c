import type { ClusterModeContext } from './mode.ts';
import { isRunError } from '../common/errors.ts';
import type { Facts } from '../facts/facts.ts';
import { moveLines, stepLine } from '../report/plan-lines.ts';
import { planReport } from '../report/plan-report.ts';
import { findJournal } from '../journal/find-journal.ts';
import { expectNoHolder } from '../upgrade/lock/lease.ts';
import type { PlannedStep } from '../report/planned-step.ts';
import { draftUpgrade } from '../upgrade/upgrade.ts';
import { checkServer, findServer } from './check-server.ts';
import { tellStatus } from './status.ts';

/**
 * Runs every check, and reports what an upgrade would do: its steps, what each would create and change, how long each would take. Writes nothing.
 * @throws PrecheckError when a check blocks the upgrade; the plan is reported before, if one can be made
 */
export async function dryRun(context: ClusterModeContext): Promise<void> {
  const { cluster, inputs, progress } = context;
  const found = await findServer(context);
  const journal = await findJournal(cluster, found.target, found.seal);
  if (journal?.isClosed === false) {
    await tellStatus(context);
    context.log.info('An upgrade would resume the unfinished one, so the dry run makes no plan');
    return;
  }
  await expectNoHolder(cluster, inputs.namespace);
  let checked;
  try {
    checked = await checkServer(context, found);
  } catch (error) {
    if (progress.facts !== undefined) await tellPlan(context, progress.facts, error);
    throw error;
  }
  if (checked !== undefined) await tellPlan(context, checked.facts);
}

/** @param refusal why the upgrade would not begin: then it is no error of its own if no plan can be made */
async function tellPlan(context: ClusterModeContext, facts: Facts, refusal?: unknown): Promise<void> {
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
  progress.plan = plan;
  const { downtimeSeconds } = plan;
  log.annotate(
    'notice',
    'dry run',
    `${refusal === undefined ? 'An upgrade would start' : 'Checks block the upgrade'}; its downtime would be ${downtimeSeconds === undefined ? 'of unknown length' : `about ${String(downtimeSeconds)} s`}. Nothing was changed.`,
  );
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
