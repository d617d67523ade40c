// What the cases of campaigns came to, a line of JSON each, in the form that test/faults/campaign.py writes too: one file serves both.
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import type { Ended } from './campaign.ts';

interface Line extends Omit<Ended, 'name'> {
  readonly case: string;
  readonly converged: boolean;
}

/** Those of an earlier run that need not be run again. */
export function readConverged(file: string): Ended[] {
  if (!existsSync(file) || !statSync(file).isFile()) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"campaign"'))
    .map((line) => JSON.parse(line) as Line)
    .filter(({ converged, problem }) => converged && problem === '')
    .map(({ case: name, campaign, proof, acknowledged, lost, seconds, problem }) => ({
      name,
      campaign,
      proof,
      acknowledged,
      lost,
      seconds,
      problem,
    }));
}

export function writeResult(file: string, { name, ...ended }: Ended): void {
  const line: Line = { case: name, ...ended, converged: ended.problem === '' };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}
