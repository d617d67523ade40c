import type { Finding } from '../findings/finding.ts';
import { longestBody } from '../github/markers.ts';
import { findingName, findingRow, remedyLines, tableHead } from '../report/finding-lines.ts';
import { groupView, idsOf, openGroups, waitingText } from '../report/finding-groups.ts';
import type { FindingView } from '../report/finding-view.ts';
import { code, link, text } from '../text/markdown.ts';
import { conditionOf, isEmpty, newIn, type Condition, type Statuses } from './condition.ts';
import { changeMarker, issuePart, type ChangeData, type IssueText } from './markers.ts';
import type { IssueSettings } from './settings.ts';
import { takeWithinBudget } from './within-budget.ts';

/** Ids of checks in a comment that wait for one cause; all of them are in the issue's text. */
const mostIds = 30;

export function titleFor({ namespace }: Pick<IssueSettings, 'namespace'>): string {
  return `CircleCI Server is not ready for PostgreSQL 14 (${namespace})`;
}

/**
 * The issue's text with our part as it is to be; what people wrote around it stays.
 * @param around undefined for a new issue
 * @param change number of the last change that a comment has told
 * @returns undefined where people's text leaves no room for ours
 */
export function bodyFor(settings: IssueSettings, around: IssueText | undefined, change: number): string | undefined {
  const { before, after } = around ?? { before: '', after: '' };
  const condition = conditionOf(settings);
  const { namespace, namespaceUid: uid } = settings;
  const part = (findings: readonly string[]) =>
    issuePart({ namespace, uid, change, ...condition }, [...head(settings, condition), ...findings, ...foot]);
  const room = longestBody - before.length - after.length - part([]).length;
  if (room < 0) return undefined;
  const body = `${before}${part(findingLines(settings, room))}${after}`;
  return body.length <= longestBody ? body : undefined;
}

function head({ findings, namespace, cluster, runUrl }: IssueSettings, { red }: Condition): string[] {
  const server = `namespace ${code(namespace)} of ${code(cluster)}, as ${runLink(runUrl)} found it`;
  const against = Object.keys(red).length;
  if (findings.length === 0) return [`**✓ PostgreSQL 14 serves already** in ${server}.`, ''];
  if (against === 0) return [`**✓ No check blocks the upgrade** to PostgreSQL 14 in ${server}.`, ''];
  const [checks, block] = against === 1 ? ['check', 'blocks'] : ['checks', 'block'];
  return [
    `**✗ ${String(against)} ${checks} of ${String(findings.length)} ${block} the upgrade** to PostgreSQL 14 in ${server}.`,
    '',
  ];
}

const foot = [
  '---',
  'The action rewrites this part when a check changes its status; the newest evidence is in the latest run. What you write above or below it stays. The action closes the issue when no check blocks the upgrade any more, and reopens it when one does. If you close it by hand, it stays closed until another check turns red.',
];

/** The table, then what to do: the worst first, as far as there is room. */
function findingLines({ findings }: IssueSettings, room: number): string[] {
  const open = openGroups(findings).map((group) => groupView(group, 'page'));
  const passed = findings.filter(({ status }) => status === 'passed').length;
  const counted = passed === 0 ? [] : [`${String(passed)} ${passed === 1 ? 'check' : 'checks'} passed.`, ''];
  if (open.length === 0) return counted;
  const ids = (left: readonly FindingView[]) => left.flatMap(idsOf).map(code).join(', ');
  // For the lines that say what was left out, and what makes text of others harmless.
  const usable = room - 2 * ids(open).length - 500;
  const rows = takeWithinBudget(open, (view) => [findingRow(view)], usable / 2);
  const remedies = takeWithinBudget(open, remedyLines, usable - rows.length);
  return [
    ...tableHead,
    ...rows.lines,
    '',
    ...(rows.left.length === 0 ? [] : [`This text has no room for ${ids(rows.left)}: see the run's summary.`, '']),
    ...remedies.lines,
    ...(remedies.left.length === 0 ? [] : [`What to do about ${ids(remedies.left)} is in the run's summary.`, '']),
    ...counted,
  ];
}

/**
 * The comment that tells what turned red and what is green again, since another one told `before`.
 */
export function commentFor(settings: IssueSettings, before: Statuses, told: ChangeData): string {
  const { findings } = settings;
  const { red } = told;
  const find = (id: string) => findings.find((finding) => finding.check === id);
  const isNew = new Set(newIn(red, before));
  const turned = openGroups(findings.filter(({ check }) => isNew.has(check))).map((group) => {
    const view = groupView(group, 'comment');
    const { title, check, state, evidence, waiting } = view;
    const was =
      waiting.length > 0 || before[group.head.check] === undefined
        ? ''
        : ` (was ${text(before[group.head.check] ?? '')})`;
    const others = waitingText(view, mostIds, code);
    return `- ${findingName(title, check)}: ${text(state)}${was}; ${code(evidence[0] ?? '')}${others === undefined ? '' : `. ${others}`}`;
  });
  const lost = [...isNew]
    .filter((id) => find(id) === undefined)
    .map((id) => `- ${named(id, undefined)}: ${text(red[id] ?? '')}`);
  const gone = Object.keys(before)
    .filter((id) => red[id] === undefined)
    .map((id) => `- ${named(id, find(id))}: ${nowOf(find(id)?.status, conditionOf(settings).others[id])}`);
  const lines = [
    ...(turned.length === 0 && lost.length === 0 ? [] : ['**Red now:**', '', ...turned, ...lost, '']),
    ...(gone.length === 0 ? [] : ['**Green again:**', '', ...gone, '']),
    isEmpty(red)
      ? `${closing(findings.length)}, as ${runLink(settings.runUrl)} found.`
      : `Found by ${runLink(settings.runUrl)}.`,
  ];
  return [changeMarker(told), ...lines].join('\n');
}

/** An id that a comment has told may be anybody's by now: who may edit comments. */
function named(id: string, finding: Finding | undefined): string {
  return findingName(finding?.title ?? id, id);
}

function closing(checks: number): string {
  return checks === 0 ? 'PostgreSQL 14 serves' : 'No check blocks the upgrade any more';
}

function nowOf(status: string | undefined, other: string | undefined): string {
  if (other !== undefined) return `${other}, which does not block`;
  return status ?? 'no longer part of the checks';
}

/** What is left of an issue that two runs opened at the same moment: without markers, so that it is nobody's any more. */
export function duplicateBody({ before, after }: IssueText, kept: number): string {
  return `${before}Two runs opened an issue at the same moment. The action keeps #${String(kept)}.${after}`;
}

function runLink(url: string): string {
  return url.startsWith('http') ? link('this workflow run', url) : 'a run outside of a workflow';
}
