import { dump } from 'js-yaml';
import { code, prose, text } from '../text/markdown.ts';
import type { PlanReport, ReportedMove, ReportedStep } from './plan-shape.ts';

/** Characters; a script, which has several lines, is told by its size in the log, and whole in the report. */
const longestText = 2000;
const longestScript = 200;

/** `Run pg_upgrade in a Job: about 12.3 s (9.2 to 15.4 s; …)`, for the head of a group. */
export function stepLine(step: ReportedStep): string {
  return step.isDowntime ? `${step.title}: ${duration(step)}` : `${step.title} (no downtime)`;
}

function duration(step: ReportedStep): string {
  const { seconds, basis } = step;
  const told = seconds === undefined ? 'not predicted' : `about ${String(seconds)} s`;
  const more = [rangeText(step), basis].filter((text) => text !== undefined);
  return more.length === 0 ? told : `${told} (${more.join('; ')})`;
}

type Range = Partial<Pick<PlanReport, 'lowSeconds' | 'highSeconds'>> | ReportedStep;

/** `9.2 to 15.4 s`; undefined where it is certain or not predicted. */
export function rangeText({ lowSeconds, highSeconds }: Range): string | undefined {
  if (lowSeconds === undefined || highSeconds === undefined || lowSeconds === highSeconds) return undefined;
  return `${String(lowSeconds)} to ${String(highSeconds)} s`;
}

/** `about 12 s (9 to 16 s)`, or `at least about 12 s; not predicted: Start PostgreSQL 14` */
export function downtimeText(plan: PlanReport): string {
  const { downtimeSeconds, predictedSeconds, steps } = plan;
  if (downtimeSeconds !== undefined) {
    const range = rangeText(plan);
    return `about ${String(downtimeSeconds)} s${range === undefined ? '' : ` (${range})`}`;
  }
  const others = steps.filter(({ isDowntime, seconds }) => isDowntime && seconds === undefined);
  return `at least about ${String(predictedSeconds)} s; not predicted: ${others.map(({ title }) => title).join(', ')}`;
}

/** A move as people read it in the log, in lines. */
export function moveLines(move: ReportedMove): string[] {
  switch (move.does) {
    case 'create':
      return [
        `+ create${move.until === undefined ? '' : `, until ${move.until}`}:`,
        ...indented(dump(shortened(move.manifest), { lineWidth: 160, noRefs: true, skipInvalid: true })),
      ];
    case 'change':
      return ['~ change:', ...indented(move.diff)];
    case 'run':
      return [`> ${move.what}`];
  }
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string')
    return value.length > (value.includes('\n') ? longestScript : longestText)
      ? `(${String(value.length)} characters, in the report)`
      : value;
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shortened(one)]));
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`);
}

/** For the job summary: a line for each step, and what it makes and changes by name. */
export function planLines(plan: PlanReport): string[] {
  return [
    `The downtime would be **${text(downtimeText(plan))}**.`,
    '',
    ...plan.steps.flatMap((step) => [
      `- **${text(step.title)}**${step.isDowntime ? `: ${text(duration(step))}` : ''}`,
      ...step.moves.map((move) => `  - ${named(move)}`),
    ]),
    '',
    'All manifests and differences are in the log and in the report.',
    '',
  ];
}

function named(move: ReportedMove): string {
  switch (move.does) {
    case 'create': {
      const { kind = '', metadata = {} } = move.manifest as { kind?: string; metadata?: { name?: string } };
      return `makes ${code(`${kind} ${metadata.name ?? ''}`)}${move.until === undefined ? '' : ` (until ${prose(move.until)})`}`;
    }
    case 'change':
      return `changes ${code(`${move.resource}/${move.name}`)}`;
    case 'run':
      return prose(move.what);
  }
}
