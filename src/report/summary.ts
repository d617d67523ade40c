import { findingLines, stageLines } from './finding-lines.ts';
import { cleanupLines } from './cleanup-lines.ts';
import { predictionText } from '../facts/prediction.ts';
import { phaseLines } from './phase-lines.ts';
import { block, cell, code, link, prose, text } from '../text/markdown.ts';
import { planLines, rangeText } from './plan-lines.ts';
import { remedyMarkdown } from './remedy-markdown.ts';
import type { Report, Verdict, AskedImage } from './report-shape.ts';

const headlines: Readonly<Record<Exclude<Verdict, 'failed'>, string>> = {
  passed: '✓ Ready for the upgrade',
  warning: '! Ready for the upgrade, with warnings',
  unknown: '? Not ready for the upgrade: some checks have no answer',
  upgraded: '✓ PostgreSQL 14 serves',
  'already-upgraded': '✓ PostgreSQL 14 serves already; nothing was changed',
  reverted: '✗ The upgrade failed; PostgreSQL 12 serves again',
  'rolled-back': '✓ PostgreSQL 12 serves again',
  'cleaned-up': '✓ Cleaned up',
  interrupted: '! The upgrade is not finished: run it again to resume it',
  'not-started': 'PostgreSQL 12; no upgrade is open',
  unfinished: '! An upgrade is not finished',
  proposed: '✓ The pull request for values.yaml is there',
  'up-to-date': '✓ values.yaml names the image of PostgreSQL 14 already',
  declined: '! Somebody closed the pull request for values.yaml',
};

/** What failed, by the run's mode. */
const failures: Readonly<Record<Report['mode'], string>> = {
  precheck: '✗ The precheck failed',
  rehearse: '✗ The rehearsal failed',
  upgrade: '✗ The upgrade failed',
  rollback: '✗ The rollback failed',
  cleanup: '✗ The cleanup failed',
  status: '✗ The status could not be read',
  values: '✗ The pull request for values.yaml failed',
};

/** What a rehearsal that went to its end says. */
const rehearsed: Readonly<Partial<Record<Verdict, string>>> = {
  passed: '✓ The upgrade passed on a copy of the volume',
  warning: '! The upgrade passed on a copy of the volume, with warnings',
  unknown: '? The rehearsal has not answered everything',
};

function headlineOf({ verdict, mode, error, findings, rehearsal }: Report): string {
  const ofRehearsal = rehearsal === undefined ? undefined : rehearsed[verdict];
  if (ofRehearsal !== undefined) return ofRehearsal;
  // No upgrade is open by it.
  if (mode === 'rehearse' && verdict === 'interrupted') return failures[mode];
  if (mode === 'cleanup' && verdict === 'passed')
    return '✓ The cleanup would remove what is listed; nothing was removed';
  if (verdict !== 'failed') return headlines[verdict];
  if (error?.code === 'cleanup-blocked') return '✗ Not cleaned up: a condition is not met. Nothing was removed.';
  if (error?.code === 'consent-missing') return '? The rollback needs your consent. Nothing was changed.';
  if (error?.code === 'start-too-late' || error?.code === 'downtime-too-long')
    return '✗ The upgrade did not begin. Nothing was changed.';
  const isBlocked = error === undefined ? findings.length > 0 : error.code === 'precheck-blocks';
  return isBlocked ? '✗ Not ready for the upgrade' : failures[mode];
}

/** Bytes; GitHub drops a step's summary above 1 MiB. */
const limit = 900_000;
const newline = 10;

/** The job summary: the verdict, what went wrong, what is left to do, what the checks found, and then how the run went. */
export function renderSummary(report: Report): string {
  const lines = [
    `# ${headlineOf(report)}`,
    '',
    ...aboutLines(report),
    ...upgradeLines(report),
    ...errorLines(report),
    ...report.warnings.flatMap((w) => [`> [!WARNING]`, `> ${prose(w)}`, '']),
    ...statusLines(report),
    ...(report.cleanup === undefined ? [] : under('Cleanup', cleanupLines(report.cleanup))),
    ...under('What is left to do', leftLines(report)),
    ...under('The upgrade on the copy', stageLines(report.rehearsal ?? [])),
    ...under('Checks', findingLines(report.findings)),
    ...issueLines(report),
    ...imageLines(report),
    ...predictionLines(report),
    ...(report.plan === undefined ? [] : planLines(report.plan)),
    ...under('Phases', phaseLines(report)),
  ];
  const text = lines.join('\n');
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= limit) return text;
  // In the middle of a character there may be half of it; a line end is never that.
  const whole = bytes.subarray(0, bytes.lastIndexOf(newline, limit));
  return `${new TextDecoder().decode(whole)}\n\n(cut here: the whole text is in the log and in the report)\n`;
}

function under(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', ...lines];
}

/** Where an input can't be read, none of it is known. */
function aboutLines({ namespace, cluster, mode, downtimeSeconds, statisticsSeconds, ...report }: Report): string[] {
  if (namespace === '') return [];
  const where = cluster === '' ? '' : ` in cluster ${code(cluster)}`;
  const downtime =
    downtimeSeconds === undefined
      ? ''
      : `, downtime of the applications **${String(downtimeSeconds)} s**${predictedText(downtimeSeconds, report.predictedDowntime)}`;
  const statistics =
    statisticsSeconds === undefined ? '' : `, full statistics after **${String(statisticsSeconds)} s**`;
  return [`Namespace ${code(namespace)}${where}, mode ${code(mode)}${downtime}${statistics}.`, ''];
}

/** What was predicted, and whether it came so. */
function predictedText(actual: number, predicted: Report['predictedDowntime']): string {
  const range = predicted && rangeText(predicted);
  if (predicted === undefined || range === undefined) return '';
  const { isWithin, highSeconds } = predicted;
  const outside = isWithin === false ? `; it took ${actual > highSeconds ? 'longer' : 'less'}` : '';
  return ` (predicted: ${range}${outside})`;
}

function errorLines({ error }: Report): string[] {
  if (error === undefined) return [];
  const lines = ['[!CAUTION]', prose(error.message), '', ...remedyMarkdown('**What to do:** ', error.remedy)];
  return [...lines.slice(0, -1).map((line) => `> ${line}`.trimEnd()), ''];
}

function upgradeLines({ serving, versions, backup, transfer, comparison, ...report }: Report): string[] {
  if (!serving) return [];
  const ofBackup = backup === undefined ? '' : `${timesText(report.backupTimes)}${proofText(report.backupProof)}`;
  return [
    `PostgreSQL **${text(versions.before ?? '12')}** → **${text(versions.after ?? '14')}** (transfer mode ${code(transfer ?? 'unknown')}), backup from before: ${code(backup ?? 'none in the cluster')}${ofBackup}.`,
    '',
    ...(comparison === undefined ? [] : [prose(`${comparison}.`), '']),
  ];
}

function timesText(times: Report['backupTimes']): string {
  if (times === undefined) return '';
  const { cutAt = 'an unknown time', readyAt } = times;
  return ` (cut at ${code(cutAt)}, ${readyAt === undefined ? 'not seen to be ready' : `ready at ${code(readyAt)}`})`;
}

/** Of a backup of this kind, not of this very one: that would have been downtime. */
function proofText(proof: Report['backupProof']): string {
  if (proof === undefined) return '';
  const { by, run = '', at = 'an unknown time' } = proof;
  if (by === 'upgrade') return '; before the downtime PostgreSQL 12 started on a copy made in the same way';
  return `; that such a backup can be restored was proved by the rehearsal of ${code(at)} (${link(code(run), run)})`;
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

/** In the order in which to do it: values.yaml first, since the next `helm upgrade` renders PostgreSQL 12 without it. */
function leftLines(report: Report): string[] {
  const steps = report.nextSteps.flatMap((step, index) => remedyMarkdown(`**${String(index + 1)}.** `, step));
  return [...valuesLines(report), ...steps];
}

/** How values.yaml comes to say what the cluster does. */
function valuesLines({ verdict, serving, image, pullRequest, error }: Report): string[] {
  if (pullRequest?.url !== undefined && pullRequest.operation !== 'closed') {
    return [
      `**Merge ${link('the pull request', pullRequest.url)} for values.yaml before the next \`helm upgrade\`.**`,
      '',
    ];
  }
  const isNamed = pullRequest?.changes.length === 0;
  // Where the way back could not be completed, PostgreSQL 12 is what is to serve.
  const isBack = verdict === 'reverted' || error?.code === 'way-back-failed';
  const serves = (serving && !isBack) || verdict === 'already-upgraded' || verdict === 'declined';
  if (image === undefined || isNamed || !serves) return [];
  return [
    'Before the next `helm upgrade`, set the image in values.yaml:',
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
    prose(images.origin),
    '',
  ];
}
