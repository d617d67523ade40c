// Both critical paths as an SVG without a script, for a page: a bar for each way, phases in it, what goes on beside them below.
import type { TimedPhase } from './phases.ts';

/** One way to upgrade. */
interface CriticalPath {
  readonly title: string;
  /** Seconds until the applications were back. */
  readonly downtime: number;
  /** In the order in which they began. */
  readonly phases: readonly TimedPhase[];
}

const width = 960;
const margin = 16;
const barHeight = 32;
const besideHeight = 12;
const lineHeight = 20;

/** White text is readable on each of them, and each on white and on black. */
const colours = ['#0969da', '#8250df', '#1a7f37', '#bc4c00', '#bf3989', '#57606a', '#0a6b74', '#a40e26'];

/** Text takes the colour of the reader's scheme; the bars are readable in both. */
const style = [
  'text { font: 13px system-ui, sans-serif; fill: #1f2328 }',
  '.title { font-weight: 600 }',
  '.number { fill: #fff; font-weight: 600; text-anchor: middle }',
  '.end { stroke: #1f2328 }',
  '@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .number { fill: #fff } .end { stroke: #e6edf3 } }',
].join(' ');

/** @returns the picture, all ways at one scale */
export function drawPaths(paths: readonly CriticalPath[]): string {
  const longest = Math.max(...paths.map(({ downtime }) => downtime));
  const scale = (width - 2 * margin) / longest;
  const parts: string[] = [];
  let y = margin;
  for (const path of paths) {
    const { lines, height } = drawPath(path, y, scale);
    parts.push(...lines);
    y += height + margin;
  }
  const summary = paths.map(({ title, downtime }) => `${title}: ${secondsText(downtime)}`).join('; ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(y)}" role="img">`,
    `<title>${escaped(`How long the applications are down. ${summary}`)}</title>`,
    `<style>${style}</style>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function drawPath({ title, downtime, phases }: CriticalPath, top: number, scale: number) {
  const shown = phases.filter(({ from, seconds }) => from < downtime && seconds > 0);
  const beside = new Set(besideOthers(shown));
  const bar = top + lineHeight;
  const at = (seconds: number) => margin + seconds * scale;
  const lines = [
    textAt(margin, top + 14, 'title', `${title}: ${secondsText(downtime)} until the applications are back`),
  ];
  for (const [index, phase] of shown.entries()) {
    const length = Math.min(phase.from + phase.seconds, downtime) - phase.from;
    const [y, height] = beside.has(phase) ? [bar + barHeight + 4, besideHeight] : [bar, barHeight];
    const [x, wide] = [at(phase.from), Math.max(1, length * scale)];
    lines.push(
      `<rect x="${number(x)}" y="${number(y)}" width="${number(wide)}" height="${number(height)}" fill="${colours[index % colours.length] ?? ''}"/>`,
    );
    // Narrower ones have their number in the list alone.
    if (height === barHeight && wide >= 18) lines.push(textAt(x + wide / 2, bar + 21, 'number', String(index + 1)));
  }
  const end = at(downtime);
  const bottom = bar + barHeight + 4 + besideHeight + 4;
  lines.push(
    `<line class="end" x1="${number(end)}" y1="${number(bar - 2)}" x2="${number(end)}" y2="${number(bottom)}"/>`,
  );
  for (const [index, phase] of shown.entries()) {
    const y = bottom + lineHeight * (index + 1);
    const isBeside = beside.has(phase) ? ', beside others' : '';
    lines.push(
      `<rect x="${String(margin)}" y="${number(y - 11)}" width="12" height="12" fill="${colours[index % colours.length] ?? ''}"/>`,
      textAt(
        margin + 20,
        y,
        '',
        `${String(index + 1)}. ${phase.title}: ${secondsText(phase.seconds)}${isBeside}`,
      ),
    );
  }
  return { lines, height: bottom - top + lineHeight * (shown.length + 1) };
}

/** Seconds by which two that follow each other may seem to overlap: they are rounded. */
const rounding = 0.2;

/** Phases that go on beside one that began earlier. */
function besideOthers(phases: readonly TimedPhase[]): TimedPhase[] {
  let end = 0;
  return phases.filter(({ from, seconds }) => {
    if (from < end - rounding) return true;
    end = from + seconds;
    return false;
  });
}

function textAt(x: number, y: number, kind: string, text: string): string {
  return `<text x="${number(x)}" y="${number(y)}"${kind === '' ? '' : ` class="${kind}"`}>${escaped(text)}</text>`;
}

function secondsText(seconds: number): string {
  return `${seconds.toFixed(1)} s`;
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
