import { describe } from '../common/errors.ts';
import { weight, type Status } from '../findings/finding.ts';
import type { Runner } from '../ports/runner.ts';
import { remedyText } from '../text/remedy.ts';
import type { Report } from './report-shape.ts';
import { renderSummary } from './summary.ts';

/** Writes the report where people and later steps find it: a file, the job summary, the outputs. */
export async function publish(runner: Runner, report: Report): Promise<void> {
  tellNextSteps(runner, report);
  const { image } = report;
  if (image !== undefined) {
    runner.output('imageRegistry', image.registry);
    runner.output('imageRepository', image.repository);
    runner.output('imageTag', image.tag);
    runner.output('image', image.reference);
  }
  runner.output('verdict', report.verdict);
  if (report.findings.length > 0) {
    const counted = (status: Status) => report.findings.filter((f) => weight(f) === status).map((f) => f.check);
    runner.output('failedChecks', counted('failed').join(','));
    runner.output('unknownChecks', counted('unknown').join(','));
  }
  if (report.snapshot !== undefined) runner.output('snapshot', report.snapshot);
  if (report.backup !== undefined) runner.output('backup', report.backup);
  if (report.cleanup?.freedBytes !== undefined) runner.output('freedBytes', String(report.cleanup.freedBytes));
  if (report.downtimeSeconds !== undefined) runner.output('downtimeSeconds', String(report.downtimeSeconds));
  const predicted = report.plan?.downtimeSeconds;
  if (report.plan !== undefined && predicted !== undefined) {
    const { lowSeconds, highSeconds } = report.plan;
    runner.output('predictedDowntimeSeconds', String(predicted));
    runner.output('predictedDowntimeRange', `${String(lowSeconds)}-${String(highSeconds)}`);
  }
  const { pullRequest, issue, status } = report;
  if (status !== undefined) {
    runner.output('next', remedyText(status.next));
    if (status.step !== undefined) runner.output('step', status.step);
    if (status.holder !== undefined) runner.output('holder', status.holder);
  }
  if (pullRequest !== undefined) {
    runner.output('pullRequestOperation', pullRequest.operation);
    if (pullRequest.number !== undefined) runner.output('pullRequestNumber', String(pullRequest.number));
    if (pullRequest.url !== undefined) runner.output('pullRequestUrl', pullRequest.url);
    if (pullRequest.headSha !== undefined) runner.output('pullRequestHeadSha', pullRequest.headSha);
  }
  if (issue !== undefined) {
    runner.output('issueOperation', issue.operation);
    if (issue.number !== undefined) runner.output('issueNumber', String(issue.number));
    if (issue.url !== undefined) runner.output('issueUrl', issue.url);
  }
  try {
    runner.output('report', await runner.writeReport('postgresql-upgrade-report.json', report));
  } catch (error) {
    runner.log.info(`The report could not be written: ${describe(error)}`);
  }
  await runner.summarize(renderSummary(report));
}

/** The last lines of the log, outside of any group. */
function tellNextSteps({ log }: Runner, { nextSteps }: Report): void {
  if (nextSteps.length === 0) return;
  log.info('What is left to do:');
  for (const [index, step] of nextSteps.entries()) log.info(`${String(index + 1)}. ${remedyText(step)}`);
}
