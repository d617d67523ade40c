import { findingLines } from './finding-lines.ts';
import { predictionText } from '../facts/prediction.ts';
import { block, cell, code, link, prose, text } from '../text/markdown.ts';
import { planLines } from './plan-lines.ts';
import { remedyMarkdown } from './remedy-markdown.ts';
import type { Report, Verdict, AskedImage } from './report-shape.ts';

const headlines: Readonly<Record<Verdict, string>> = {
  passed: '✓ Ready for the upgrade',
  warning: '! Ready for the upgrade, with warnings',
  failed: '✗ Not ready, or failed',
  unknown: '? Not all could be told, so the upgrade would not start',
  upgraded: '✓ PostgreSQL 14 serves',
  'already-upgraded': '✓ PostgreSQL 14 serves already; nothing was changed',
  reverted: '✗ The upgrade failed; PostgreSQL 12 serves again',
  'rolled-back': '✓ PostgreSQL 12 serves again',
  interrupted: '! The upgrade is not done yet; run it again, and it goes on',
  'not-started': 'PostgreSQL 12; no upgrade is open',
  unfinished: '! An upgrade is not finished',
  proposed: '✓ The pull request for values.yaml is there',
  'up-to-date': '✓ values.yaml names the image of PostgreSQL 14 already',
  declined: '! Somebody closed the pull request for values.yaml',
};

/** Bytes; GitHub drops a step's summary above 1 MiB. */
const limit = 900_000;
const newline = 10;

/** The job summary: the verdict first, then what was found, what happened and what is to do. */
export function renderSummary(report: Report): string {
  const lines = [
    `# ${headlines[report.verdict]}`,
    '',
    ...aboutLines(report),
    ...errorLines(report),
    ...report.warnings.flatMap((w) => [`> [!WARNING]`, `> ${prose(w)}`, '']),
    ...upgradeLines(report),
    ...predictionLines(report),
    ...(report.plan === undefined ? [] : planLines(report.plan)),
    ...statusLines(report),
    ...valuesLines(report),
    ...issueLines(report),
    ...imageLines(report),
    ...phaseLines(report),
    ...findingLines(report.findings),
  ];
  const text = lines.join('\n');
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= limit) return text;
  // In the middle of a character there may be half of it; a line end is never that.
  const whole = bytes.subarray(0, bytes.lastIndexOf(newline, limit));
  return `${new TextDecoder().decode(whole)}\n\n(cut here: the whole text is in the log and in the report)\n`;
}

/** Where an input can't be read, neither is known. */
function aboutLines({ namespace, mode, downtimeSeconds }: Report): string[] {
  if (namespace === '') return [];
  const downtime =
    downtimeSeconds === undefined ? '' : `, downtime of the applications **${String(downtimeSeconds)} s**`;
  return [`Namespace ${code(namespace)}, mode ${code(mode)}${downtime}.`, ''];
}

function errorLines({ error }: Report): string[] {
  if (error === undefined) return [];
  const lines = ['[!CAUTION]', prose(error.message), '', ...remedyMarkdown('**What to do:** ', error.remedy)];
  return [...lines.slice(0, -1).map((line) => `> ${line}`.trimEnd()), ''];
}

function upgradeLines({ serving, versions, backup, transfer }: Report): string[] {
  if (!serving) return [];
  return [
    `PostgreSQL **${text(versions.before ?? '12')}** → **${text(versions.after ?? '14')}** (transfer mode ${code(transfer ?? 'unknown')}), backup from before: ${code(backup ?? 'none in the cluster')}.`,
    '',
    'After 24 hours or more of healthy operation, remove the old directory `data-12.preupgrade` from the volume and, if it is no longer needed, the backup.',
    '',
  ];
}

/** After an upgrade it is known better. */
function predictionLines({ serving, prediction }: Report): string[] {
  return serving || prediction === undefined ? [] : [predictionText(prediction), ''];
}

function statusLines({ status }: Report): string[] {
  if (status === undefined) return [];
  const evidence = status.evidence.map((line) => `- ${code(line)}`);
  return [...evidence, '', prose(status.safe), '', ...remedyMarkdown('**Next:** ', status.next)];
}

/** How values.yaml comes to say what the cluster does. */
function valuesLines({ verdict, serving, image, pullRequest }: Report): string[] {
  if (pullRequest?.url !== undefined && pullRequest.operation !== 'closed') {
    return [
      `**Merge ${link('the pull request', pullRequest.url)} for values.yaml before the next \`helm upgrade\`.**`,
      '',
    ];
  }
  const isNamed = pullRequest?.changes.length === 0;
  const serves = serving || verdict === 'already-upgraded' || verdict === 'declined';
  if (image === undefined || isNamed || !serves) return [];
  return [
    'values.yaml must say the same before the next `helm upgrade`:',
    '',
    ...block('yaml', [
      'postgresql:',
      '  image:',
      `    registry: ${image.registry}`,
      `    repository: ${image.repository}`,
      `    tag: ${image.tag}`,
    ]),
    '',
  ];
}

function issueLines({ issue }: Report): string[] {
  if (issue?.number === undefined || issue.url === undefined) return [];
  const what = issue.operation === 'none' ? 'nothing to change' : issue.operation;
  return [`Issue about the prechecks: ${link(`#${String(issue.number)}`, issue.url)} (${what}).`, ''];
}

function phaseLines({ phases }: Report): string[] {
  if (phases.length === 0) return [];
  return [
    '| phase | seconds | |',
    '| --- | ---: | --- |',
    ...phases.map((p) => `| ${cell(text(p.title))} | ${p.seconds.toFixed(1)} | ${p.outcome === 'done' ? '✓' : '✗'} |`),
    '',
  ];
}

/** What ran under the names of the images when they were asked: a tag may be moved afterwards. */
function imageLines({ images }: Report): string[] {
  if (images === undefined) return [];
  const row = (name: string, { reference, seen }: AskedImage) =>
    `| ${name} | ${cell(code(reference))} | ${seen === undefined ? 'not seen' : cell(code(seen))} |`;
  return [
    '| image | as the inputs name it | what the checks saw |',
    '| --- | --- | --- |',
    row('upgrade Job', images.upgrade),
    row('PostgreSQL 14', images.serving),
    '',
  ];
}
