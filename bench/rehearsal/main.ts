// npm run bench:rehearsal -- [--servers 10x50,150x300,3000x300@cloud,…] [--storage-classes standard,standard-btrfs] [--namespace NS]
// What a rehearsal takes by size and tables, what the writer feels of it, and how near it predicts the upgrade that follows.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runAction, type ActionEnd } from '../../test/cluster/action.ts';
import { bench } from '../../test/cluster/bench.ts';
import { verifyWriter } from '../../test/cluster/writer.ts';
import { componentsByDefault } from '../downtime/defaults.ts';
import { volumeOf } from '../downtime/measure.ts';
import { benchProfile, cloudProfile, type Profile } from '../downtime/profile.ts';
import { median } from '../precheck/median.ts';
import { paceOf, type Pace } from './writer-pace.ts';

const { values: options } = parseArgs({
  options: {
    servers: { type: 'string', default: '10x50,150x300,500x1000,1000x2000,3000x300@cloud' },
    'storage-classes': { type: 'string', default: 'standard,standard-btrfs' },
    namespace: { type: 'string', default: 'bench-rehearsal' },
  },
});
const { namespace } = options;

/** Milliseconds in which the writer is watched before the rehearsal. */
const before = 20_000;

interface Measured {
  readonly name: string;
  readonly stages: readonly (readonly [string, number])[];
  readonly seconds: number;
  readonly pace: { readonly before: Pace; readonly during: Pace };
  /** As the upgrade predicted it right before. */
  readonly predicted: NonNullable<ActionEnd['report']['predictedDowntime']>;
  readonly downtime: number;
}

const classes = options['storage-classes'].split(',');
const all: Measured[] = [];
for (const [index, server] of options.servers.split(',').entries()) {
  const [, size = '', tables = '', cloud = ''] = /^(\d+)x(\d+)(@cloud)?$/.exec(server) ?? [];
  if (size === '') throw new Error(`--servers takes MBxTABLES or MBxTABLES@cloud, …, not ${server}`);
  const fixture = { size, tables, storage: classes[index % classes.length] ?? 'standard' };
  const measured = cloud === '' ? await measure(fixture, benchProfile()) : await inCloud(fixture);
  all.push(measured);
  tell(measured);
}
bench('delete-server', namespace);
const errors = all.map(({ predicted, downtime }) => Math.abs(predicted.seconds - downtime) / downtime);
console.log(`\npredicted against actual downtime: median error ${percent(median(errors))}, at most ${percent(Math.max(...errors))}`);

interface Fixture {
  readonly size: string;
  readonly tables: string;
  readonly storage: string;
}

/** With the times of a cloud, whose storage cuts a snapshot without a copy. */
async function inCloud(fixture: Fixture): Promise<Measured> {
  const restore = componentsByDefault();
  try {
    const measured = await measure({ ...fixture, storage: 'standard-btrfs' }, cloudProfile(1, 0.5));
    return { ...measured, name: `${measured.name}, with the times of a cloud` };
  } finally {
    restore();
  }
}

async function measure(fixture: Fixture, profile: Profile): Promise<Measured> {
  const { size, tables, storage } = fixture;
  const data = ['--size-mb', size, '--tables', tables, '--storage-class', storage];
  bench('reset', '--namespace', namespace, ...data, ...profile.reset);
  while (verifyWriter(namespace).acknowledged < 200) await sleep(500);
  const running = await profile.begin(volumeOf(namespace, 'writer-journal'));
  try {
    return await rehearseAndUpgrade(fixture, running.kubeconfig);
  } finally {
    await running.end();
  }
}

async function rehearseAndUpgrade({ size, tables, storage }: Fixture, kubeconfig: string): Promise<Measured> {
  const run = (inputs: Record<string, string>) => runToEnd({ kubeconfig, ...inputs });
  const begun = Date.now();
  await sleep(before);
  const from = Date.now();
  const rehearsal = await run({ mode: 'rehearse' });
  const to = Date.now();
  const pace = {
    before: paceOf(namespace, { from: begun, to: from }),
    during: paceOf(namespace, { from, to }),
  };
  const upgrade = await run({ mode: 'upgrade', confirm: namespace, rehearsal: 'required' });
  const { lost, doubled, unexpected } = verifyWriter(namespace);
  if (lost.length + doubled.length + unexpected.length > 0) throw new Error("the writer's rows are wrong");
  const { predictedDowntime: predicted, downtimeSeconds: downtime } = upgrade.report;
  if (predicted === undefined || downtime === undefined) throw new Error('the upgrade predicted no downtime');
  return {
    name: `${size} MB in ${tables} tables, ${storage}`,
    stages: rehearsal.report.phases
      .filter(({ id }) => id.startsWith('rehearsal-'))
      .map(({ title, seconds }) => [title, seconds] as const),
    seconds: (to - from) / 1000,
    pace,
    predicted,
    downtime,
  };
}

async function runToEnd(inputs: Record<string, string>): Promise<ActionEnd> {
  const end = await runAction({ namespace, ...inputs });
  if (end.exitCode !== 0) throw new Error(end.log);
  return end;
}

function tell({ name, stages, seconds, pace, predicted, downtime }: Measured): void {
  console.log(`\n${name}: ${seconds.toFixed(1)} s, the checks among them`);
  for (const [title, took] of stages) console.log(`  ${took.toFixed(1).padStart(6)} s  ${title}`);
  const [largest] = [...stages].sort((a, b) => b[1] - a[1]);
  if (largest !== undefined) console.log(`most of it: ${largest[0]}`);
  for (const [when, of] of Object.entries(pace))
    console.log(
      `writer ${when}: ${of.throughput.toFixed(1)} changes/s, median ${String(of.median)} ms, 99 % within ${String(of.slowest)} ms`,
    );
  const { seconds: expected, lowSeconds, highSeconds, isWithin } = predicted;
  console.log(
    `downtime: predicted ${expected.toFixed(1)} s (${lowSeconds.toFixed(1)} to ${highSeconds.toFixed(1)} s), actual ${downtime.toFixed(1)} s: ${isWithin === true ? 'within' : 'outside of'} the range`,
  );
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(0)} %`;
}
