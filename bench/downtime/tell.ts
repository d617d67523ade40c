// What was measured, for people: medians by phase, what dominates, ratios and slopes.
import type { Measured } from './measure.ts';
import type { DataShape, Sweep, Way } from './options.ts';
import { median, ratioOf, slopeOf, spreadOf, type Spread } from './statistics.ts';

/** All ways with the same data, in the same rounds. */
export interface Rounds {
  readonly shape: DataShape;
  readonly documented: Measured[];
  readonly ours: readonly { readonly way: Way; readonly rounds: Measured[] }[];
}

/** Both are seen from outside. */
const figures = [
  ['downtime', 'downtime'],
  ['whole', 'downtime and statistics'],
] as const;

function waysOf({ documented, ours }: Rounds): { readonly title: string; readonly rounds: readonly Measured[] }[] {
  return [
    { title: 'As documented', rounds: documented },
    ...ours.map(({ way, rounds }) => ({ title: `By the action${wayText(way)}`, rounds })),
  ];
}

/** Prints the phases of all ways, each with its share of the whole, and how the action compares with the page. */
export function tell(rounds: Rounds): void {
  console.log(`\n${shapeText(rounds.shape)}`);
  for (const { title, rounds: measured } of waysOf(rounds)) tellWay(title, measured);
  for (const { way, rounds: ours } of rounds.ours) tellRatios(way, ours, rounds.documented);
}

function wayText(way: Way): string {
  return Object.entries(way)
    .map(([name, value]) => `, ${name}: ${value}`)
    .join('');
}

export function shapeText({ sizeMb, tables }: DataShape): string {
  return `${String(sizeMb)} MB in ${String(tables)} tables`;
}

function tellWay(title: string, rounds: readonly Measured[]): void {
  const whole = spreadOf(rounds.map((round) => round.whole));
  const phases = (rounds[0]?.phases ?? []).map(({ title: name }) => ({
    name,
    seconds: median(rounds.map((round) => round.phases.find((phase) => phase.title === name)?.seconds ?? NaN)),
  }));
  console.log(`\n${title}`);
  for (const { name, seconds } of phases) console.log(line(seconds, `${share(seconds, whole.median)}  ${name}`));
  const largest = [...phases].sort((a, b) => b.seconds - a.seconds).slice(0, 2);
  console.log(
    `most of it: ${largest.map(({ name, seconds }) => `${name} (${share(seconds, whole.median).trim()})`).join(', ')}`,
  );
  for (const [of, what] of figures) {
    const spread = spreadOf(rounds.map((round) => round[of]));
    console.log(line(spread.median, `${what}, seen from outside ${rangeText(spread, 1)}`));
  }
  const counted = rounds.at(-1)?.counters;
  if (counted !== undefined)
    console.log(
      `  in the downtime: ${String(counted.serialCalls)} serial calls to the API server, ${String(counted.execs)} commands in pods, ${String(counted.attachments)} attachments and ${String(counted.detachments)} detachments of the volume`,
    );
  const told = rounds.flatMap((round) => (round.told === undefined ? [] : [round.told]));
  if (told.length > 0) console.log(line(median(told), 'downtime, as it tells it itself'));
}

/** The action in relation to the documented way: medians, their spread, and each round by itself. */
function tellRatios(way: Way, ours: readonly Measured[], documented: readonly Measured[]): void {
  console.log(`\nratio (action / documented)${wayText(way)}`);
  for (const [of, title] of figures) {
    const [a, b] = [ours.map((round) => round[of]), documented.map((round) => round[of])];
    const ratio = ratioOf(a, b);
    const byRound = a.map((seconds, round) => (seconds / (b[round] ?? NaN)).toFixed(2)).join(', ');
    console.log(`  ${ratio.median.toFixed(2)}  ${title} ${rangeText(ratio, 2)}, by round: ${byRound}`);
  }
}

/** Prints by how much each way takes longer with more data. */
export function tellSlopes({ of }: Sweep, all: readonly Rounds[]): void {
  const unit = of === 'size' ? 'GB' : '1,000 tables';
  console.log(`\nslope, by least squares over all rounds (${all.map(({ shape }) => shapeText(shape)).join('; ')})`);
  const titles = all[0] === undefined ? [] : waysOf(all[0]).map(({ title }) => title);
  for (const [way, title] of titles.entries()) {
    for (const [figure, what] of figures) {
      const points = all.flatMap((rounds) =>
        (waysOf(rounds)[way]?.rounds ?? []).map((round) => ({
          x: (of === 'size' ? rounds.shape.sizeMb : rounds.shape.tables) / 1000,
          y: round[figure],
        })),
      );
      console.log(`  ${slopeOf(points).toFixed(2).padStart(6)} s per ${unit}  ${what}. ${title}`);
    }
  }
}

function rangeText({ least, most }: Spread, digits: number): string {
  return `(${least.toFixed(digits)}–${most.toFixed(digits)})`;
}

function line(seconds: number, text: string): string {
  return `  ${seconds.toFixed(1).padStart(6)} s  ${text}`;
}

function share(seconds: number, whole: number): string {
  return `${String(Math.round((100 * seconds) / whole)).padStart(3)} %`;
}
