import { blocks, type Finding, type Status } from '../findings/finding.ts';
import { cut } from '../text/markdown.ts';
import { viewOf, type FindingView, type Place } from './finding-view.ts';

/** Findings that are shown as one: a check, and those that wait for what it has found; or those that wait for the same reason, which no check has found. */
export interface FindingGroup {
  /** What people read: the cause, or the first that waits for the reason. */
  readonly head: Finding;
  /** The others. */
  readonly rest: readonly Finding[];
  /** Whether the head is what the others wait for. */
  readonly isCause: boolean;
}

const worstFirst = ['failed', 'unknown', 'warning'] as const;

/** What did not pass, each cause once, the worst first: a group counts as the worst finding in it. */
export function openGroups(findings: readonly Finding[]): FindingGroup[] {
  const open = findings.filter(({ status }) => status !== 'passed');
  const finders = new Map(open.map((finding) => [finding.check, finding]));
  const finderOf = ({ cause }: Finding) => (cause?.check === undefined ? undefined : finders.get(cause.check));
  const waiting = Map.groupBy(open, (finding) => finderOf(finding) ?? finding.cause?.reason ?? finding);
  const groups = open.flatMap((finding): FindingGroup[] => {
    const reason = finding.cause?.reason;
    if (finderOf(finding) !== undefined) return [];
    if (reason === undefined) {
      const rest = (waiting.get(finding) ?? []).filter((other) => other !== finding);
      return [{ head: finding, rest, isCause: true }];
    }
    const [first, ...rest] = waiting.get(reason) ?? [];
    return first === finding ? [{ head: first, rest, isCause: false }] : [];
  });
  return worstFirst.flatMap((status) => groups.filter((group) => worstOf(group) === status));
}

function worstOf({ head, rest }: FindingGroup): Status | undefined {
  return worstFirst.find((status) => [head, ...rest].some((finding) => finding.status === status));
}

/** A group within the budget of a place. */
export function groupView({ head, rest, isCause }: FindingGroup, place: Place): FindingView {
  const view = viewOf(head, place);
  if (rest.length === 0) return view;
  if (isCause) return { ...view, waiting: rest.map(({ check }) => check) };
  const all = [head, ...rest];
  const reason = head.cause?.reason ?? '';
  return {
    ...view,
    title: `${String(all.length)} checks without an answer`,
    check: undefined,
    evidence: [cut(reason, 2000)],
    more: 0,
    docs: head.docs.replace(/#.*$/, ''),
    waiting: all.map(({ check }) => check),
  };
}

/** Ids of the checks in a view. */
export function idsOf({ check, waiting }: FindingView): string[] {
  return check === undefined ? [...waiting] : [check, ...waiting];
}

/** `Because of it, 2 checks have no answer: a, b`, for a place that shows so many ids; undefined where no other check waits. */
export function waitingText(
  { check, waiting }: FindingView,
  most = Infinity,
  spell: (id: string) => string = (id) => id,
): string | undefined {
  if (waiting.length === 0) return undefined;
  const ids = waiting.slice(0, most).map(spell).join(', ');
  const more = waiting.length > most ? ` and ${String(waiting.length - most)} more` : '';
  const lead =
    check === undefined
      ? 'The checks'
      : `Because of it, ${waiting.length === 1 ? 'a check has' : `${String(waiting.length)} checks have`} no answer`;
  return `${lead}: ${ids}${more}`;
}

/** Whether anything of a group blocks. */
export function groupBlocks({ head, rest }: FindingGroup, failOn: 'failed' | 'warning'): boolean {
  return [head, ...rest].some((finding) => blocks(finding, failOn));
}

/** How many groups an error names besides the first. */
const mostNamed = 4;

/**
 * What blocks the upgrade, each cause once, for an error of one line: what to begin with, a handful of the others by their ids, and the counts.
 * `To unblock the upgrade, begin with "Images", images (failed; 3 others wait for it). Then: admission (failed). In all, 5 of 101 checks block it.`
 */
export function blockingText(findings: readonly Finding[], failOn: 'failed' | 'warning'): string {
  const [first, ...others] = openGroups(findings).filter((group) => groupBlocks(group, failOn));
  if (first === undefined) return '';
  const { isCause, head } = first;
  const begin = isCause ? `"${head.title}", ${blockingName(first)}` : blockingName(first);
  const more = others.length - mostNamed;
  const then = others.slice(0, mostNamed).map(blockingName).join(', ') + (more > 0 ? ` and ${String(more)} more` : '');
  const blocking = findings.filter((finding) => blocks(finding, failOn)).length;
  return [
    `To unblock the upgrade, begin with ${begin}.`,
    ...(others.length === 0 ? [] : [`Then: ${then}.`]),
    `In all, ${String(blocking)} of ${String(findings.length)} checks ${blocking === 1 ? 'blocks' : 'block'} it.`,
  ].join(' ');
}

/** `images (failed; 3 others wait for it)`, or `3 checks without an answer (forbidden)` for what no check has found. */
function blockingName({ head, rest, isCause }: FindingGroup): string {
  if (!isCause) return `${String(rest.length + 1)} checks without an answer (${cut(head.cause?.reason ?? '', 200)})`;
  const others = rest.length === 1 ? '1 other waits' : `${String(rest.length)} others wait`;
  return `${head.check} (${head.status}${rest.length === 0 ? '' : `; ${others} for it`})`;
}
