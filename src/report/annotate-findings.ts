import { sentence } from '../common/errors.ts';
import type { Inputs } from '../inputs/inputs.ts';
import type { AnnotationLevel, Log } from '../ports/runner.ts';
import { remedyText } from '../text/remedy.ts';
import type { Finding, Status } from '../findings/finding.ts';
import { groupBlocks, groupView, openGroups, waitingText, type FindingGroup } from './finding-groups.ts';
import type { FindingView } from './finding-view.ts';

/** GitHub shows so many annotations of each level for a step. */
const mostOfALevel = 10;

/** Ids of checks that wait for a cause; all of them are in the log. */
const mostIds = 12;

type Judging = Pick<Inputs, 'failOn' | 'mode' | 'dryRun'>;

/** An annotation for each finding that did not pass, the worst first. Those for which there is no room are counted in one line of the log. */
export function annotateFindings(findings: readonly Finding[], inputs: Judging, log: Log): void {
  const worstFirst = openGroups(findings);
  for (const level of ['error', 'warning', 'notice'] as const) {
    const room = mostOfALevel - (saysMore(level, inputs) ? 1 : 0);
    const all = worstFirst.filter((group) => levelOf(group, inputs.failOn) === level);
    for (const group of all.slice(0, room)) {
      const view = groupView(group, 'annotation');
      const { status, place } = group.head;
      log.annotate(level, `${view.check ?? view.title}: ${view.state}`, messageOf(view, status), place);
    }
    const rest = all.slice(room);
    if (rest.length > 0)
      log.info(
        `${String(rest.length)} more without an annotation (${level}; GitHub shows ten): ${rest.map(({ head }) => head.check).join(', ')}`,
      );
  }
}

/** Whether the run has a word of its own in this level: how it ended, and what an upgrade warns of. */
function saysMore(level: AnnotationLevel, { mode, dryRun }: Judging): boolean {
  return level !== 'warning' || (mode === 'upgrade' && !dryRun) || mode === 'rehearse';
}

function levelOf(group: FindingGroup, failOn: 'failed' | 'warning'): AnnotationLevel {
  if (groupBlocks(group, failOn)) return 'error';
  return group.head.ignored === undefined ? 'warning' : 'notice';
}

function messageOf(view: FindingView, status: Status): string {
  const { title, evidence, more, remedy, ignored } = view;
  const rest = more > 0 ? [`… and ${String(more)} more, in the log`] : [];
  const waiting = waitingText(view, mostIds);
  const seen = [sentence([...evidence, ...rest].join('; ')), ...(waiting === undefined ? [] : [sentence(waiting)])];
  const next = ignored === undefined ? remedyText(remedy ?? { text: '' }) : `Ignored: ${ignored}`;
  return `${sentence(title)} ${status === 'unknown' ? 'Not known' : 'Seen'}: ${seen.join(' ')} ${next}`;
}
