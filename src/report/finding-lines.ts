import { type Finding, statusIcons, statusText } from '../findings/finding.ts';
import { cell, code, cut, prose, text } from '../text/markdown.ts';
import { remedyMarkdown } from './remedy-markdown.ts';

/** The findings for the job summary: what is to be done first, what passed folded up. */
export function findingLines(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [];
  const open = openFindings(findings);
  const passed = findings.filter((f) => f.status === 'passed');
  return [
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

/** What did not pass, the worst first. */
export function openFindings(findings: readonly Finding[]): Finding[] {
  return (['failed', 'unknown', 'warning'] as const).flatMap((status) => findings.filter((f) => f.status === status));
}

export const tableHead = ['| | check | seen |', '| --- | --- | --- |'];

const shown = 8;
/** Characters of a line of evidence in a table. */
const longestEvidence = 600;

export function findingRow(finding: Finding): string {
  const { check, title, status, evidence, docs } = finding;
  const seen = evidence.slice(0, shown).map((line) => cell(code(cut(line, longestEvidence))));
  const more = evidence.length > shown ? [`… ${String(evidence.length - shown)} more in the log`] : [];
  return `| ${statusIcons[status]} ${statusText(finding)} | ${cell(text(title))} ${linked(check, docs)} | ${[...seen, ...more].join('<br>')} |`;
}

/** What to do, with the check that it is for. */
export function remedyLines({ check, title, remedy, ignored }: Finding): string[] {
  const head = `**${text(title)}** (${code(check)})`;
  if (ignored !== undefined) return [`${head} is ignored: ${prose(ignored)}`, ''];
  return remedy === undefined ? [] : remedyMarkdown(`${head}: `, remedy);
}

function linked(check: string, docs: string): string {
  return docs.startsWith('https://') ? `[\`${check}\`](${docs})` : `\`${check}\``;
}
