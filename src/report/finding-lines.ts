import { catalogue } from '../prechecks/catalogue.ts';
import { inPsql, inShell, type Finding } from '../prechecks/finding.ts';
import { statusIcons, statusText } from '../prechecks/judge.ts';
import { cell, codeBlock, prose } from './markdown.ts';

/** The findings for the job summary: what is to be done first, what passed folded up. */
export function findingLines(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [];
  const of = (status: Finding['status']) => findings.filter((f) => f.status === status);
  const open = [...of('failed'), ...of('unknown'), ...of('warning')];
  const passed = of('passed');
  return [
    ...(open.length === 0 ? [] : ['| | check | seen |', '| --- | --- | --- |', ...open.map(row), '']),
    ...open.flatMap(remedyLines),
    ...(passed.length === 0
      ? []
      : [
          `<details><summary>${String(passed.length)} checks passed</summary>`,
          '',
          '| | check | seen |',
          '| --- | --- | --- |',
          ...passed.map(row),
          '',
          '</details>',
          '',
        ]),
  ];
}

const shown = 8;

function row(finding: Finding): string {
  const { check, status, evidence, docs } = finding;
  const seen = evidence.slice(0, shown).map(cell);
  const more = evidence.length > shown ? [`… ${String(evidence.length - shown)} more in the log`] : [];
  return `| ${statusIcons[status]} ${statusText(finding)} | ${cell(titleOf(check))} ${linked(check, docs)} | ${[...seen, ...more].join('<br>')} |`;
}

/** Words as text, commands to be copied as a block. */
function remedyLines({ check, remedy, ignored }: Finding): string[] {
  if (ignored !== undefined) return [`**${titleOf(check)}** (\`${check}\`) is ignored: ${cell(ignored)}`, ''];
  if (remedy === undefined) return [];
  const mark = [inPsql, inShell].find((one) => remedy.includes(`\n${one}\n`)) ?? '';
  const [words = '', commands] = mark === '' ? [remedy] : remedy.split(`\n${mark}\n`);
  const text = `**${titleOf(check)}** (\`${check}\`): ${prose(words)}`;
  return commands === undefined ? [text, ''] : [`${text} ${mark}`, '', ...codeBlock(commands), ''];
}

function linked(check: string, docs: string): string {
  return docs.startsWith('https://') ? `[\`${check}\`](${docs})` : `\`${check}\``;
}

function titleOf(id: string): string {
  return catalogue.find((c) => c.id === id)?.title ?? id;
}
