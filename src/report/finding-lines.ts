import type { Finding } from '../findings/finding.ts';
import { cell, code, link, prose, text } from '../text/markdown.ts';
import { countsText } from './counts.ts';
import { groupView, openGroups, waitingText } from './finding-groups.ts';
import { viewOf, type FindingView } from './finding-view.ts';
import { remedyMarkdown } from './remedy-markdown.ts';

type Stage = Omit<Finding, 'check' | 'docs'> & { readonly id: string };

/** The findings for the job summary: what is to be done first, what passed folded up. */
export function findingLines(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [];
  const open = openGroups(findings).map((group) => groupView(group, 'page'));
  const passed = findings.filter((f) => f.status === 'passed').map((finding) => viewOf(finding, 'page'));
  return [
    `${String(findings.length)} checks: **${countsText(findings)}**`,
    '',
    ...(open.length === 0 ? [] : [...tableHead, ...open.map(findingRow), '']),
    ...open.flatMap(remedyLines),
    ...(passed.length === 0
      ? []
      : [
          `<details><summary>${String(passed.length)} checks passed</summary>`,
          '',
          ...tableHead,
          ...passed.map(findingRow),
          '',
          '</details>',
          '',
        ]),
  ];
}

/** The stages of a rehearsal for the job summary, in their order. */
export function stageLines(stages: readonly Stage[]): string[] {
  if (stages.length === 0) return [];
  const views = stages.map((stage) => ({
    ...viewOf({ ...stage, check: stage.id, docs: '' }, 'page'),
    check: undefined,
  }));
  return ['| | stage | seen |', '| --- | --- | --- |', ...views.map(findingRow), '', ...views.flatMap(remedyLines)];
}

export const tableHead = ['| | check | seen |', '| --- | --- | --- |'];

export function findingRow(view: FindingView): string {
  const { mark, state, title, check, docs, evidence, more } = view;
  const seen = evidence.map((line) => cell(code(line)));
  const rest = more > 0 ? [`… ${String(more)} more in the log`] : [];
  const waiting = waitingText(view, Infinity, code);
  const name = check === undefined ? '' : ` ${link(code(check), docs)}`;
  const lines = [...seen, ...rest, ...(waiting === undefined ? [] : [cell(waiting)])];
  return `| ${mark} ${state} | ${cell(text(title))}${name} | ${lines.join('<br>')} |`;
}

/** What to do, with the check that it is for. */
export function remedyLines({ check, title, remedy, ignored }: FindingView): string[] {
  const head = findingName(title, check);
  if (ignored !== undefined) return [`${head} is ignored: ${prose(ignored)}`, ''];
  return remedy === undefined ? [] : remedyMarkdown(`${head}: `, remedy);
}

/** A check in a sentence. */
export function findingName(title: string, check: string | undefined): string {
  return check === undefined ? `**${text(title)}**` : `**${text(title)}** (${code(check)})`;
}
