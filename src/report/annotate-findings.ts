import { sentence } from '../common/errors.ts';
import type { Inputs } from '../inputs/inputs.ts';
import type { AnnotationLevel, Log } from '../ports/runner.ts';
import { remedyText } from '../text/remedy.ts';
import { blocks, type Finding, statusText } from '../findings/finding.ts';

/** GitHub shows so many annotations of each level for a step. */
const mostOfALevel = 10;

/** Characters of a remedy; the whole of it is in the log and in the summary. */
const longestRemedy = 1000;

/** Lines of evidence. */
const mostEvidence = 3;

type Judging = Pick<Inputs, 'failOn' | 'mode' | 'dryRun'>;

/** An annotation for each finding that did not pass, the worst first. Those for which there is no room are counted in one line of the log. */
export function annotateFindings(findings: readonly Finding[], inputs: Judging, log: Log): void {
  const worstFirst = (['failed', 'unknown', 'warning'] as const).flatMap((status) =>
    findings.filter((finding) => finding.status === status),
  );
  for (const level of ['error', 'warning', 'notice'] as const) {
    const room = mostOfALevel - (saysMore(level, inputs) ? 1 : 0);
    const all = worstFirst.filter((finding) => levelOf(finding, inputs.failOn) === level);
    for (const finding of all.slice(0, room))
      log.annotate(level, `${finding.check}: ${statusText(finding)}`, messageOf(finding), finding.place);
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

function messageOf({ title, status, evidence, remedy, ignored }: Finding): string {
  const rest = evidence.length - mostEvidence;
  const more = rest > 0 ? [`… and ${String(rest)} more, in the log`] : [];
  const seen = sentence([...evidence.slice(0, mostEvidence), ...more].join('; '));
  return `${sentence(title)} ${status === 'unknown' ? 'Not known' : 'Seen'}: ${seen} ${ignored === undefined ? shortened(remedyText(remedy ?? { text: '' })) : `Ignored: ${ignored}`}`;
}

function shortened(remedy: string): string {
  return remedy.length <= longestRemedy ? remedy : `${remedy.slice(0, longestRemedy)} … (the rest is in the log)`;
}
