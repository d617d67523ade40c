// npm run bench:downtime -- [--profile bench|cloud] [--scale N] [--rounds N] [--size-mb N] [--tables N] [--transfer MODE] [--namespace NS]
// The action against the vendor's page, in turns, on servers with the same data; medians, and ratios.
import { parseArgs } from 'node:util';
import { runAction } from '../../test/cluster/action.ts';
import { bench } from '../../test/cluster/bench.ts';
import { Commands } from './commands.ts';
import { upgradeAsDocumented } from './documented.ts';
import { measure, type Ended, type Measured } from './measure.ts';
import type { Phases } from './phases.ts';
import { benchProfile, cloudProfile } from './profile.ts';
import { tell, tellRatios } from './tell.ts';

const { values: options } = parseArgs({
  options: {
    profile: { type: 'string', default: 'bench' },
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1' },
    'size-mb': { type: 'string', default: '150' },
    tables: { type: 'string', default: '300' },
    transfer: { type: 'string', default: 'auto' },
    namespace: { type: 'string', default: 'bench-downtime' },
  },
});
for (const name of ['rounds', 'size-mb', 'tables'] as const) {
  if (!/^[1-9]\d*$/.test(options[name])) throw new Error(`--${name} takes a whole number from 1 on, not ${options[name]}`);
}
if (!['bench', 'cloud'].includes(options.profile)) throw new Error(`--profile takes bench or cloud, not ${options.profile}`);
const scale = Number(options.scale);
if (!(scale > 0)) throw new Error(`--scale takes a number above 0, not ${options.scale}`);
const { namespace, transfer } = options;
const fixture = ['--size-mb', options['size-mb'], '--tables', options.tables];

async function byAction(phases: Phases, kubeconfig: string): Promise<Ended> {
  const end = await runAction({ namespace, mode: 'upgrade', confirm: namespace, transfer, kubeconfig });
  if (end.exitCode !== 0) throw new Error(end.log);
  for (const { id, title, seconds } of end.report.phases) {
    if (!['discover', 'precheck'].includes(id)) phases.seconds.set(title, seconds);
  }
  const last = end.report.phases.find(({ id }) => id === 'analyze');
  const analyzed = last === undefined ? {} : { analyzed: Date.parse(last.startedAt) + last.seconds * 1000 };
  return { told: Number(end.outputs['downtime-seconds']), ...analyzed };
}

/** Spread evenly, and the same in every run and for both ways: the golden ratio's multiples. */
function chanceOf(round: number): number {
  return (round * 0.618) % 1;
}

const ours: Measured[] = [];
const documented: Measured[] = [];
for (let round = 1; round <= Number(options.rounds); round++) {
  console.log(`Round ${String(round)} of ${options.rounds}: ${options['size-mb']} MB in ${options.tables} tables …`);
  const profile = options.profile === 'cloud' ? cloudProfile(scale, chanceOf(round)) : benchProfile();
  // The one that goes first changes, so that neither always finds the warmer machine.
  const turns = [
    async () =>
      documented.push(
        await measure(namespace, fixture, profile, (phases, kubeconfig) =>
          upgradeAsDocumented(namespace, phases, new Commands(kubeconfig)),
        ),
      ),
    async () => ours.push(await measure(namespace, fixture, profile, byAction)),
  ];
  for (const turn of round % 2 === 1 ? turns : turns.toReversed()) await turn();
}
tell('As documented', documented);
tell('By the action (it also compares the data, and updates extensions)', ours);
tellRatios(ours, documented);
bench('delete-server', namespace);
