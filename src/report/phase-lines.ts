import { block, cell, code, text } from '../text/markdown.ts';
import type { Report } from './report-shape.ts';

type Phase = Report['phases'][number];

/** The colours that Mermaid gives them. */
const legend = 'Grey: expected. Blue: measured. Red: failed.';

/** From so many phases on there is something to look at. */
const fewest = 3;

/** The phases of a run as a picture and as a table; what was expected beside what it took. */
export function phaseLines({ phases }: Pick<Report, 'phases'>): string[] {
  if (phases.length === 0) return [];
  return [
    ...(phases.length < fewest ? [] : [...block('mermaid', gantt(phases)), '', legend, '']),
    '| phase | began (UTC) | seconds | expected | |',
    '| --- | --- | ---: | ---: | --- |',
    ...phases.map(row),
    '',
  ];
}

function row({ title, startedAt, seconds, expectedSeconds, outcome }: Phase): string {
  const cells = [
    cell(text(title)),
    code(timeOf(startedAt)),
    seconds.toFixed(1),
    expectedSeconds?.toFixed(1) ?? 'not predicted',
    outcome === 'done' ? '✓' : '✗',
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The times are UTC, which Mermaid takes for the reader's own and shows as they are. */
function gantt(phases: readonly Phase[]): string[] {
  return [
    'gantt',
    '  dateFormat YYYY-MM-DD HH:mm:ss',
    '  axisFormat %H:%M:%S',
    '  todayMarker off',
    ...phases.flatMap(({ title, startedAt, seconds, expectedSeconds, outcome }) => {
      const begin = `${startedAt.slice(0, 10)} ${timeOf(startedAt)}`;
      // Without a kind where it can be: of the kind "active" the text beside a short bar can't be read on a dark page.
      const bar = (what: string, kind: string, length: number) =>
        `  ${what} ${length.toFixed(1)} s :${kind}${begin}, ${Math.max(length, 0.1).toFixed(1)}s`;
      return [
        `  section ${mermaidText(title)}`,
        ...(expectedSeconds === undefined ? [] : [bar('expected', 'done, ', expectedSeconds)]),
        outcome === 'done' ? bar('took', '', seconds) : bar('failed after', 'crit, ', seconds),
      ];
    }),
  ];
}

/** `03:04:05` */
function timeOf(startedAt: string): string {
  return startedAt.slice(11, 19);
}

/**
 * Text in a line of Mermaid. It has no escape that every version knows: colons, semicolons and hashes end what they stand in, percent signs begin comments
 * and directives, and some versions take angle brackets for HTML. So only letters, digits and some signs are left.
 */
export function mermaidText(others: string): string {
  const plain = others.replace(/[^\p{L}\p{N} .,()/_-]+/gu, ' ').replace(/ +/g, ' ');
  return plain.slice(0, 80).toWellFormed().replaceAll('\ufffd', '').trim() || 'phase';
}
