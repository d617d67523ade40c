import { sentence } from '../common/errors.ts';
import type { Inputs } from '../inputs/inputs.ts';
import type { AnnotationLevel, Log } from '../ports/runner.ts';
import { remedyText } from '../text/remedy.ts';
import { blocks, type Finding, type Status } from '../findings/finding.ts';
import { openFindings, viewOf, type FindingView } from './finding-view.ts';

/** GitHub shows so many annotations of each level for a step. */
const mostOfALevel = 10;

type Judging = Pick<Inputs, 'failOn' | 'mode' | 'dryRun'>;

/** An annotation for each finding that did not pass, the worst first. Those for which there is no room are counted in one line of the log. */
export function annotateFindings(findings: readonly Finding[], inputs: Judging, log: Log): void {
  const worstFirst = openFindings(findings);
  for (const level of ['error', 'warning', 'notice'] as const) {
    const room = mostOfALevel - (saysMore(level, inputs) ? 1 : 0);
    const all = worstFirst.filter((finding) => levelOf(finding, inputs.failOn) === level);
    for (const finding of all.slice(0, room)) {
      const view = viewOf(finding, 'annotation');
      log.annotate(level, `${view.check}: ${view.state}`, messageOf(view, finding.status), finding.place);
    }
    const rest = all.slice(room);
    if (rest.length > 0)
      log.info(
        `${String(rest.length)} more without an annotation (${level}; GitHub shows ten): ${rest.map((f) => f.check).join(', ')}`,
      );
  }
}

/** Whether the run has a word of its own in this level: how it ended, and what an upgrade warns of. */
function saysMore(level: AnnotationLevel, { mode, dryRun }: Judging): boolean {
  return level !== 'warning' || (mode === 'upgrade' && !dryRun);
}

function levelOf(finding: Finding, failOn: 'failed' | 'warning'): AnnotationLevel {
  if (finding.ignored !== undefined) return 'notice';
  return blocks(finding, failOn) ? 'error' : 'warning';
}

function messageOf({ title, evidence, more, remedy, ignored }: FindingView, status: Status): string {
  const rest = more > 0 ? [`… and ${String(more)} more, in the log`] : [];
  const seen = sentence([...evidence, ...rest].join('; '));
  const next = ignored === undefined ? remedyText(remedy ?? { text: '' }) : `Ignored: ${ignored}`;
  return `${sentence(title)} ${status === 'unknown' ? 'Not known' : 'Seen'}: ${seen} ${next}`;
}
