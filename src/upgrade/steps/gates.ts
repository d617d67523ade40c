// What an upgrade must meet before it stops anything: a time, and a length of the downtime.
// Decision: docs/decisions/0033-gates-and-hooks.md
import { UpgradeError } from '../../common/errors.ts';
import type { Inputs } from '../../inputs/inputs.ts';
import type { ClusterReader } from '../../ports/cluster.ts';
import type { Log } from '../../ports/runner.ts';
import { rangeText } from '../../report/plan-lines.ts';
import {
  inWholeSeconds,
  predictedOf,
  sumOf,
  type Expectation,
  type Move,
  type PlannedStep,
} from '../../report/planned-step.ts';
import type { Context } from '../contract/step.ts';

/** A step of the downtime, and the seconds that it is expected to take; undefined where nothing predicts them. */
interface ExpectedStep {
  readonly id: string;
  readonly title: string;
  readonly seconds: number | undefined;
}

/** What both gates will do right before the downtime. */
export function planGates({ startBefore, maxDowntime }: Inputs): readonly Move[] {
  return [
    ...(startBefore === undefined
      ? []
      : [
          `Refuse to begin the downtime at ${startBefore.toISOString()} or later, by the API server's clock ("start-before").`,
        ]),
    ...(maxDowntime === undefined
      ? []
      : [
          `Refuse to begin the downtime if its prediction exceeds ${secondsText(maxDowntime)}, or lacks a step ("max-downtime"). What step "prove-backup" measured counts.`,
        ]),
  ].map((what) => ({ does: 'run', what }));
}

/**
 * By the API server's clock, since a runner's may be wrong.
 * @throws UpgradeError `start-too-late`; ClusterError where the API server's time is unknown
 */
export async function expectStartInTime({
  inputs: { startBefore },
  cluster,
  log,
}: {
  readonly inputs: Inputs;
  readonly cluster: Pick<ClusterReader, 'now'>;
  readonly log: Log;
}): Promise<void> {
  if (startBefore === undefined) return;
  const now = await cluster.now();
  const clock = `The API server's clock says ${now.toISOString()}`;
  const limit = `"start-before" is ${startBefore.toISOString()}`;
  if (now >= startBefore)
    throw new UpgradeError(
      'start-too-late',
      `It is too late to begin the downtime. ${clock}, and ${limit}. No application was stopped.`,
      'Run again in the next maintenance window, with its "start-before".',
    );
  log.info(`${clock}, and ${limit}: in time`);
}

/**
 * Before anything is changed, by what the plan predicts. What the proof of the backup will measure may be missing: it is judged right before the downtime.
 * @throws UpgradeError `downtime-too-long`
 */
export function expectShortPlan(inputs: Inputs, planned: readonly PlannedStep[], log: Log): void {
  if (inputs.maxDowntime === undefined) return;
  const isMeasured = inputs.verifyBackup && (inputs.backup === 'snapshot' || inputs.backup === 'clone');
  const steps = planned
    .filter(({ isDowntime }) => isDowntime)
    .map(({ id, title, expected }) => ({ id, title, seconds: expected?.seconds }));
  const later = steps.filter(
    ({ id, seconds }) => seconds === undefined && isMeasured && (id === 'backup' || id === 'backup-ready'),
  );
  const predicted = expectShort(
    inputs.maxDowntime,
    steps.filter((step) => !later.includes(step)),
  );
  log.info(
    later.length === 0
      ? shortText(predicted, inputs.maxDowntime)
      : `${shortText(`at least ${predicted}`, inputs.maxDowntime)}. Step "prove-backup" measures the rest (${later.map(({ title }) => title).join(', ')}), and the action judges that right before the downtime`,
  );
}

/**
 * Both gates, right before the downtime: the checks and the proof of the backup may have taken long. A downtime that has begun is never held up, and no way back is.
 * @throws UpgradeError `start-too-late`, `downtime-too-long`
 */
export async function expectGatesMet(context: Context): Promise<void> {
  const { journal, inputs, timeline, downtime, log } = context;
  if (journal.noted.downSince !== undefined || journal.noted.rollback !== undefined) return;
  await expectStartInTime(context);
  const steps = (downtime ?? []).map(({ id, title, spread }) => {
    const expected = timeline.expectedTime(id);
    return { id, title, seconds: expected === undefined ? undefined : expected / 1000, ...(spread && { spread }) };
  });
  tellPrediction(context, steps);
  if (inputs.maxDowntime === undefined) return;
  if (downtime === undefined)
    throw new UpgradeError(
      'downtime-too-long',
      'This run resumed an upgrade that another run began, and has no prediction of its downtime. So it is unknown whether "max-downtime" is met. No application was stopped.',
      'Run "mode: upgrade" again: a new upgrade makes a prediction.',
    );
  log.info(shortText(expectShort(inputs.maxDowntime, steps), inputs.maxDowntime));
}

/** For the report too, which compares it with what came. A step that nothing predicts leaves all of it open. */
function tellPrediction({ results, log }: Context, steps: readonly Omit<Expectation, 'basis'>[]): void {
  const predicted = steps.flatMap((step) => predictedOf(step) ?? []);
  if (steps.length === 0 || predicted.length < steps.length) return;
  results.predicted = inWholeSeconds(sumOf(predicted));
  const { seconds } = results.predicted;
  const range = rangeText(results.predicted);
  log.info(`The downtime is predicted to take about ${String(seconds)} s${range === undefined ? '' : ` (${range})`}`);
}

/**
 * @param limit milliseconds
 * @returns what is predicted
 */
function expectShort(limit: number, steps: readonly ExpectedStep[]): string {
  const unknown = steps.filter(({ seconds }) => seconds === undefined);
  if (unknown.length > 0)
    throw new UpgradeError(
      'downtime-too-long',
      `"max-downtime" is ${secondsText(limit)}, and nothing predicts how long the downtime takes. Steps without a prediction: ${unknown.map(({ title }) => title).join(', ')}. No application was stopped.`,
      'See why: run "mode: upgrade" with "dry-run: true", whose plan says it, or read the log of step "prove-backup". Otherwise leave out "max-downtime".',
    );
  const predicted = Math.ceil(steps.reduce((sum, { seconds = 0 }) => sum + seconds, 0));
  if (predicted * 1000 > limit)
    throw new UpgradeError(
      'downtime-too-long',
      `The downtime is predicted to take ${String(predicted)} s, and "max-downtime" is ${secondsText(limit)}. No application was stopped.`,
      'Run "mode: upgrade" with "dry-run: true": the plan has the seconds of each step. Shorten the longest, or raise "max-downtime".',
    );
  return `${String(predicted)} s`;
}

function shortText(predicted: string, limit: number): string {
  return `The downtime is predicted to take ${predicted}, and "max-downtime" is ${secondsText(limit)}`;
}

/** `600 s` */
export function secondsText(milliseconds: number): string {
  return `${String(milliseconds / 1000)} s`;
}
