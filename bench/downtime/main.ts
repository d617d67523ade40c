// npm run bench:downtime -- [OPTION…]; bench/README.md has the options.
// The action against the vendor's page, in turns, on servers with the same data; medians, ratios and slopes.
import { writeFileSync } from 'node:fs';
import { runAction } from '../../test/cluster/action.ts';
import { bench } from '../../test/cluster/bench.ts';
import { Commands } from './commands.ts';
import { componentsByDefault } from './defaults.ts';
import { upgradeAsDocumented } from './documented.ts';
import { measure, type Ended, type Measured } from './measure.ts';
import { fewestRounds, parseOptions, type DataShape, type Way } from './options.ts';
import type { Phases } from './phases.ts';
import { drawPaths } from './picture.ts';
import { benchProfile, cloudProfile, type Profile } from './profile.ts';
import { readyLater } from './snapshot-class.ts';
import { shapeText, tell, tellSlopes, type Rounds } from './tell.ts';

const options = parseOptions(process.argv.slice(2));
const { namespace, profile, scale, ways } = options;

async function byAction(way: Way, phases: Phases, kubeconfig: string): Promise<Ended> {
  const end = await runAction({ namespace, mode: 'upgrade', confirm: namespace, kubeconfig, ...way });
  if (end.exitCode !== 0) throw new Error(end.log);
  const timed = end.report.phases.filter(({ id }) => !['discover', 'precheck'].includes(id));
  for (const { title, startedAt, seconds } of timed)
    phases.all.push({ title, from: Date.parse(startedAt), seconds });
  const last = timed.find(({ id }) => id === 'analyze');
  const analyzed = last === undefined ? {} : { analyzed: Date.parse(last.startedAt) + last.seconds * 1000 };
  return { told: Number(end.outputs['downtime-seconds']), ...analyzed };
}

/** Spread evenly, and the same in every run and for both ways: the golden ratio's multiples. */
function chanceOf(round: number): number {
  return (round * 0.618) % 1;
}

async function measured(shape: DataShape, of: Profile, way: Parameters<typeof measure>[3]): Promise<Measured> {
  const storage = options.storageClass === '' ? [] : ['--storage-class', options.storageClass];
  const fixture = ['--size-mb', String(shape.sizeMb), '--tables', String(shape.tables), ...storage];
  return await measure(namespace, fixture, of, way);
}

/** All ways in turns, in each round with each data, so that a machine that slows down slows all alike. */
async function measureAll(shapes: readonly DataShape[]): Promise<Rounds[]> {
  const all: Rounds[] = shapes.map((shape) => ({
    ...{ shape, documented: [] },
    ours: ways.map((way) => ({ way, rounds: [] })),
  }));
  for (let round = 1; round <= options.rounds; round++) {
    for (const { shape, documented, ours } of all) {
      console.log(`Round ${String(round)} of ${String(options.rounds)}: ${shapeText(shape)} …`);
      const like = profile === 'cloud' ? cloudProfile(scale, chanceOf(round)) : benchProfile();
      // The one that goes first changes, so that neither always finds the warmer machine.
      const turns = [
        async () => {
          documented.push(
            await measured(shape, like, (phases, kubeconfig) =>
              upgradeAsDocumented(namespace, phases, new Commands(kubeconfig)),
            ),
          );
        },
        ...ours.map(({ way, rounds }) => async () => {
          rounds.push(await measured(shape, like, (phases, kubeconfig) => byAction(way, phases, kubeconfig)));
        }),
      ];
      for (const turn of round % 2 === 1 ? turns : turns.toReversed()) await turn();
    }
  }
  return all;
}

// Also where it is interrupted: the bench's tests would wait for minutes.
const restores: (() => void)[] = [];
process.once('exit', () => {
  for (const restore of restores) restore();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

restores.push(readyLater(options.snapshotReady * scale));
if (profile === 'cloud') restores.push(componentsByDefault());
for (const sweep of options.sweeps.length === 0 ? [undefined] : options.sweeps) {
  const all = await measureAll(sweep?.shapes ?? [options.shape]);
  for (const rounds of all) tell(rounds);
  if (sweep !== undefined) tellSlopes(sweep, all);
  const [first] = all;
  if (options.picture !== '' && first !== undefined) writeFileSync(options.picture, pictureOf(first));
}
if (options.rounds < fewestRounds)
  console.log(`\nFewer than ${String(fewestRounds)} rounds: a try, and no figure to be quoted.`);
bench('delete-server', namespace);

/** Of the round whose downtime by the action, as the first way says, is the median one. */
function pictureOf({ documented, ours: [first] }: Rounds): string {
  const ours = first?.rounds ?? [];
  const byDowntime = ours.map((_, round) => round).sort((a, b) => (ours[a]?.downtime ?? 0) - (ours[b]?.downtime ?? 0));
  const round = byDowntime[Math.floor(byDowntime.length / 2)] ?? 0;
  const pathOf = (title: string, of: Measured | undefined) => ({
    title,
    downtime: of?.downtime ?? 0,
    phases: of?.phases ?? [],
  });
  return drawPaths([pathOf("The vendor's upgrade page", documented[round]), pathOf('This action', ours[round])]);
}
