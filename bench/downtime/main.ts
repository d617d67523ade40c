// npm run bench:downtime -- [--rounds N] [--size-mb N] [--tables N]
// The action against the vendor's page, in turns, on servers with the same data; medians, and one ratio.
import { parseArgs } from 'node:util';
import { runAction } from '../../test/cluster/action.ts';
import { bench, psql } from '../../test/cluster/bench.ts';
import { verifyWriter } from '../../test/cluster/writer.ts';
import { upgradeAsDocumented } from './documented.ts';
import { Observer } from './observer.ts';
import { Phases } from './phases.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    'size-mb': { type: 'string', default: '150' },
    tables: { type: 'string', default: '300' },
  },
});
const namespace = 'bench-downtime';

/** What one upgrade took. */
interface Measured {
  /** Outside, seconds. */
  readonly downtime: number;
  readonly phases: ReadonlyMap<string, number>;
}

/** @throws Error when the upgrade did not end with a whole 14: a fast way that loses something is no measure */
async function measure(upgrade: (phases: Phases) => Promise<void>): Promise<Measured> {
  bench('reset', '--namespace', namespace, '--size-mb', options['size-mb'], '--tables', options.tables);
  const observer = await Observer.start(namespace);
  const phases = new Phases();
  try {
    await upgrade(phases);
    const version = psql(namespace, 'postgres', 'SHOW server_version');
    const { lost, doubled, unexpected } = verifyWriter(namespace);
    const wrong = lost.length + doubled.length + unexpected.length;
    if (!version.startsWith('14.') || wrong > 0) throw new Error(`PostgreSQL ${version}, ${String(wrong)} changes wrong`);
    if (observer.seconds === undefined) throw new Error('the applications are not back');
    return { downtime: observer.seconds, phases: phases.seconds };
  } finally {
    observer.stop();
  }
}

async function byAction(phases: Phases): Promise<void> {
  const end = await runAction({ namespace, mode: 'upgrade', confirm: namespace });
  if (end.exitCode !== 0) throw new Error(end.log);
  for (const { id, title, seconds } of end.report.phases) {
    if (!['discover', 'precheck'].includes(id)) phases.seconds.set(title, seconds);
  }
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

function tell(title: string, rounds: readonly Measured[]): number {
  const downtime = median(rounds.map((round) => round.downtime));
  console.log(`\n${title}`);
  for (const name of rounds[0]?.phases.keys() ?? []) {
    const seconds = median(rounds.map((round) => round.phases.get(name) ?? NaN));
    const share = Math.round((100 * seconds) / downtime);
    console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${String(share).padStart(3)} %  ${name}`);
  }
  console.log(`  ${downtime.toFixed(1).padStart(6)} s  downtime as seen from outside`);
  return downtime;
}

const ours: Measured[] = [];
const documented: Measured[] = [];
for (let round = 1; round <= Number(options.rounds); round++) {
  console.log(`Round ${String(round)} of ${options.rounds}: ${options['size-mb']} MB in ${options.tables} tables …`);
  // The one that goes first changes, so that neither always finds the warmer machine.
  const turns = [
    async () => documented.push(await measure((phases) => upgradeAsDocumented(namespace, phases))),
    async () => ours.push(await measure(byAction)),
  ];
  for (const turn of round % 2 === 1 ? turns : turns.toReversed()) await turn();
}
const theirs = tell('As documented', documented);
const own = tell('By the action (it also compares the data, and updates extensions)', ours);
console.log(`\nratio  ${(own / theirs).toFixed(2)}  (action / documented)`);
bench('delete-server', namespace);
