import type { Finding } from '../findings/finding.ts';
import type { Log } from '../ports/runner.ts';
import { remedyText } from '../text/remedy.ts';
import { shortened } from '../text/shortened.ts';
import { groupView, openGroups, waitingText } from './finding-groups.ts';
import { countsText } from './counts.ts';
import { viewOf, type FindingView } from './finding-view.ts';

/** By check: seconds that the slowest reading of what it looked at took. */
type Seconds = Readonly<Record<string, number>>;

/** Characters of a line about a check that passed. */
const longestLine = 300;

/**
 * The findings, as people read them in the log: GitHub folds groups, so what did not pass is outside of one, the worst first, and what passed is folded into one.
 * @param where `namespace circleci-server in cluster https://…`
 */
export async function logFindings(
  findings: readonly Finding[],
  seconds: Seconds,
  where: string,
  log: Log,
): Promise<void> {
  log.info(`Checked ${where}: ${countsText(findings)}`);
  for (const group of openGroups(findings)) {
    const view = groupView(group, 'log');
    const whole = groupView(group, 'whole');
    log.info('');
    log.info(titleOf(view, view.check === undefined ? undefined : seconds[view.check]));
    tell(view, log);
    if (view.more > 0 || view.remedy?.text !== whole.remedy?.text)
      await log.group(`All of it: ${whole.check ?? whole.title}`, () => {
        tell(whole, log);
        return Promise.resolve();
      });
  }
  const passed = findings.filter(({ status }) => status === 'passed');
  if (passed.length === 0) return;
  log.info('');
  await log.group(`${String(passed.length)} ${passed.length === 1 ? 'check' : 'checks'} passed`, () => {
    for (const finding of passed) log.info(passedLine(viewOf(finding, 'comment'), seconds[finding.check]));
    return Promise.resolve();
  });
}

function titleOf({ mark, title, check, state }: FindingView, seconds = 0): string {
  return check === undefined
    ? `${mark} ${title} (${state})`
    : `${mark} ${title} (${check}: ${state}, ${seconds.toFixed(1)} s)`;
}

/** What to do has no indent: its commands are to be copied, and a here-document ends at the begin of a line. */
function tell(view: FindingView, log: Log): void {
  const { evidence, more, remedy, ignored, docs } = view;
  for (const line of evidence) log.info(`    ${line}`);
  if (more > 0) log.info(`    … and ${String(more)} more lines, in the group below`);
  const waiting = waitingText(view);
  if (waiting !== undefined) log.info(`    ${waiting}`);
  if (remedy !== undefined) log.info(`What to do: ${remedyText(remedy)}`);
  if (ignored !== undefined) log.info(`Ignored: ${ignored}`);
  log.info(`More about it: ${docs}`);
}

/** All of the evidence of what passed is in the report. */
function passedLine(view: FindingView, seconds = 0): string {
  const [seen = ''] = view.evidence;
  const more = view.more === 0 ? '' : ` (${String(view.more)} more in the report)`;
  const { mark, title, check = '' } = view;
  return shortened(`${mark} ${title} (${check}, ${seconds.toFixed(1)} s): ${seen}${more}`, longestLine);
}
