// When the writer of the fixture could change something and when not, by the journal on its own volume: what a client sees.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { bench } from '../../test/cluster/bench.ts';

interface Line {
  readonly change: number;
  readonly acknowledged?: boolean;
  readonly time: string;
}

/** Each change before it is sent, and once it is acknowledged. The writer has to run: its volume is read where it is mounted. */
export function writerJournal(namespace: string): Line[] {
  const volume = bench('volume-path', '--namespace', namespace, '--pvc', 'writer-journal').trim();
  // The last line may be half written.
  const lines = readFileSync(path.join(volume, 'journal.jsonl'), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}

/** When each change was acknowledged, in milliseconds since 1970. */
export function acknowledgements(namespace: string): number[] {
  return writerJournal(namespace)
    .filter((line) => line.acknowledged === true)
    .map((line) => Date.parse(line.time));
}

/** The first change that was acknowledged after the longest time without one; undefined when there were less than two. */
export function backSince(times: readonly number[]): number | undefined {
  let longest = -1;
  let back: number | undefined;
  for (const [index, time] of times.entries()) {
    const before = times[index - 1];
    if (before === undefined || time - before <= longest) continue;
    [longest, back] = [time - before, time];
  }
  return back;
}
