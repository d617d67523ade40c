// What was measured, for people: medians by phase, what dominates, and ratios.
import type { Measured } from './measure.ts';

/** Prints the phases, each with its share of the whole, and the figures seen from outside. */
export function tell(title: string, rounds: readonly Measured[]): void {
  const whole = median(rounds.map((round) => round.whole));
  const phases = [...(rounds[0]?.phases.keys() ?? [])].map((name) => ({
    name,
    seconds: median(rounds.map((round) => round.phases.get(name) ?? NaN)),
  }));
  console.log(`\n${title}`);
  for (const { name, seconds } of phases) console.log(line(seconds, `${share(seconds, whole)}  ${name}`));
  const largest = [...phases].sort((a, b) => b.seconds - a.seconds).slice(0, 2);
  console.log(`most of it: ${largest.map(({ name, seconds }) => `${name} (${share(seconds, whole).trim()})`).join(', ')}`);
  console.log(line(median(rounds.map((round) => round.downtime)), 'downtime, seen from outside'));
  console.log(line(whole, 'until the statistics are there too'));
  const counted = rounds.at(-1)?.counters;
  if (counted !== undefined)
    console.log(
      `  in the downtime: ${String(counted.serialCalls)} serial calls to the API server, ${String(counted.execs)} commands in pods, ${String(counted.attachments)} attachments and ${String(counted.detachments)} detachments of the volume`,
    );
  const told = rounds.flatMap((round) => (round.told === undefined ? [] : [round.told]));
  if (told.length > 0) console.log(line(median(told), 'downtime, as it tells it itself'));
}

/** Prints the first in relation to the second: medians, and each round by itself. */
export function tellRatios(ours: readonly Measured[], documented: readonly Measured[]): void {
  console.log('\nratio (action / documented)');
  for (const [of, title] of [
    ['downtime', 'downtime'],
    ['whole', 'downtime and statistics'],
  ] as const) {
    const rounds = ours.map((round, index) => round[of] / (documented[index]?.[of] ?? NaN));
    const ratio = median(ours.map((round) => round[of])) / median(documented.map((round) => round[of]));
    console.log(`  ${ratio.toFixed(2)}  ${title} (by round: ${rounds.map((r) => r.toFixed(2)).join(', ')})`);
  }
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

function line(seconds: number, text: string): string {
  return `  ${seconds.toFixed(1).padStart(6)} s  ${text}`;
}

function share(seconds: number, whole: number): string {
  return `${String(Math.round((100 * seconds) / whole)).padStart(3)} %`;
}
