// What the command line of the benchmark asks for.
import { parseArgs } from 'node:util';

/** So many rounds make a figure that may be quoted: with fewer, the spread says nothing. */
export const fewestRounds = 5;

/** The data of the servers that are upgraded. */
export interface DataShape {
  readonly sizeMb: number;
  readonly tables: number;
}

/** Servers that differ in one thing. */
export interface Sweep {
  readonly of: 'size' | 'tables';
  readonly shapes: readonly DataShape[];
}

/** Inputs of the action, by their names. */
export type Way = Readonly<Record<string, string>>;

interface Options {
  readonly profile: 'bench' | 'cloud';
  /** Of all times of the profile, and of `snapshotReady`. */
  readonly scale: number;
  readonly rounds: number;
  readonly shape: DataShape;
  /** Without any, servers of `shape` alone are measured. */
  readonly sweeps: readonly Sweep[];
  /** Seconds from the cut of a snapshot until the driver says that it is ready, for both ways. */
  readonly snapshotReady: number;
  /** The inputs with which the action is measured: each way once in each round, against the same documented upgrade. */
  readonly ways: readonly Way[];
  /** Of the server's volume; '' for the cluster's default. */
  readonly storageClass: string;
  readonly namespace: string;
  /** Where to write the picture of both critical paths; '' for none. */
  readonly picture: string;
}

/** A cloud cuts a snapshot in the same time whatever the size. So does btrfs; of an ext4 image all bytes are copied. */
const classOf = { bench: '', cloud: 'standard-btrfs' } as const;

/** @throws Error that says what is wrong with which option */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      profile: { type: 'string', default: 'bench' },
      scale: { type: 'string', default: '1' },
      rounds: { type: 'string', default: String(fewestRounds) },
      'size-mb': { type: 'string', default: '150' },
      tables: { type: 'string', default: '300' },
      sweep: { type: 'string', multiple: true, default: [] },
      'snapshot-ready': { type: 'string', default: '0' },
      way: { type: 'string', multiple: true, default: [''] },
      'storage-class': { type: 'string' },
      namespace: { type: 'string', default: 'bench-downtime' },
      picture: { type: 'string', default: '' },
    },
  });
  const shape = { sizeMb: whole('size-mb', values['size-mb']), tables: whole('tables', values.tables) };
  const profile = oneOf('profile', ['bench', 'cloud'], values.profile);
  return {
    profile,
    scale: positive('scale', values.scale),
    rounds: whole('rounds', values.rounds),
    shape,
    sweeps: values.sweep.map((text) => sweepOf(text, shape)),
    snapshotReady: seconds('snapshot-ready', values['snapshot-ready']),
    ways: values.way.map(wayOf),
    storageClass: values['storage-class'] ?? classOf[profile],
    namespace: values.namespace,
    picture: values.picture,
  };
}

/** `transfer=link,snapshot-gate=cut`; nothing for the action as it is by itself */
function wayOf(text: string): Way {
  const pairs = text === '' ? [] : text.split(',').map((pair) => /^([a-z-]+)=([^=]+)$/.exec(pair));
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name = '', value = ''] = pair ?? [];
      if (name === '') throw new Error(`--way takes INPUT=VALUE,… of the action, not ${text}`);
      return [name, value];
    }),
  );
}

/** `size=100,1000,3000` (MB) or `tables=300,2000` */
function sweepOf(text: string, shape: DataShape): Sweep {
  const [, of = '', list = ''] = /^(size|tables)=(\d+(?:,\d+)+)$/.exec(text) ?? [];
  const values = list.split(',').map(Number);
  if (of === '' || values.includes(0) || new Set(values).size < values.length)
    throw new Error(`--sweep takes size=MB,MB,… or tables=N,N,…, at least two different numbers, not ${text}`);
  return of === 'size'
    ? { of, shapes: values.map((sizeMb) => ({ ...shape, sizeMb })) }
    : { of: 'tables', shapes: values.map((tables) => ({ ...shape, tables })) };
}

function whole(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} takes a whole number from 1 on, not ${text}`);
  return Number(text);
}

function positive(name: string, text: string): number {
  if (!(decimal(text) > 0)) throw new Error(`--${name} takes a number above 0, not ${text}`);
  return Number(text);
}

function seconds(name: string, text: string): number {
  if (!(decimal(text) >= 0)) throw new Error(`--${name} takes seconds, not ${text}`);
  return Number(text);
}

function decimal(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
}

function oneOf<T extends string>(name: string, choices: readonly T[], text: string): T {
  const chosen = choices.find((choice) => choice === text);
  if (chosen === undefined) throw new Error(`--${name} takes ${choices.join(' or ')}, not ${text}`);
  return chosen;
}
