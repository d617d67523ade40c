// run.ts [--list] [--only TEXT] [--results FILE] [CAMPAIGN...]: fault campaigns on the real cluster, all by default; see docs/faults.md. --only takes the
// cases whose name has this text. FILE keeps each case's outcome: given again, what has converged there is not run again.
import { parseArgs } from 'node:util';
import { actorCases } from './actors.ts';
import { bench } from '../../cluster/bench.ts';
import { attempt, table, type Case, type Ended } from './campaign.ts';
import { readConverged, writeResult } from './results.ts';
import { refusalCases } from './refusals.ts';
import { restoreCases } from './restores.ts';
import { runnerCases } from './runner.ts';
import { namespace } from './world.ts';

const campaigns: Record<string, readonly Case[]> = {
  runner: runnerCases,
  actors: actorCases,
  refusals: [...refusalCases, ...restoreCases],
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    results: { type: 'string', default: '/dev/null' },
  },
});
const chosen = (positionals.length === 0 ? Object.keys(campaigns) : positionals).flatMap((name) => {
  const cases = campaigns[name];
  if (cases === undefined)
    throw new Error(`no campaign is called ${name}: there are ${Object.keys(campaigns).join(', ')}`);
  return cases.filter((one) => values.only?.some((text) => one.name.includes(text)) ?? true);
});

if (values.list) {
  for (const { campaign, name } of chosen) console.log(`${campaign}: ${name}`);
} else {
  const converged = readConverged(values.results);
  const ended: Ended[] = [];
  for (const one of chosen) {
    const earlier = converged.find(({ campaign, name }) => campaign === one.campaign && name === one.name);
    const end = earlier ?? (await attempt(one));
    if (earlier === undefined) writeResult(values.results, end);
    ended.push(end);
  }
  bench('delete-server', namespace);
  console.log(`\n${table(ended)}`);
  const failed = ended.filter((one) => one.problem !== '');
  for (const { campaign, name } of failed) console.log(`failed: ${campaign}: ${name}`);
  console.log(`${String(ended.length - failed.length)} passed, ${String(failed.length)} failed`);
  process.exitCode = ended.length > 0 && failed.length === 0 ? 0 : 1;
}
